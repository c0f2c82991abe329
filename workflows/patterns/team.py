"""Runs a team that hands over, debates or plans.

One that delegates is an agent with its members as tools.
"""

from __future__ import annotations

from ...contracts.message import Message
from ...contracts.specs.agent_tools import transfer_tool
from ...contracts.specs.team import Team
from ...contracts.wire.places import Place
from ...contracts.wire.run import Continuation, Result, Status
from ..host import Host
from ..scope import Scope
from ..tally import Tally
from .debate import run_debate
from .plan import run_plan


async def run_team(host: Host, team: Team, scope: Scope) -> Result:
    """Run a team in its style."""
    if team.style == "debate":
        return await run_debate(host, team, scope)
    if team.style == "plan":
        return await run_plan(host, team, scope)
    return await _hand_over(host, team, scope)


async def _hand_over(host: Host, team: Team, scope: Scope) -> Result:
    """Pass the conversation between members until one answers."""
    tally = Tally()
    members = {member.name: member for member in team.members}
    name = team.entry or team.members[0].name
    message: Message | None = scope.message
    continues: Continuation | None = None
    for round_ in range(1 + team.rounds):
        others = [member for member in team.members if member.name != name]
        result, continues = await host.child(
            members[name],
            scope.path / name,
            message,
            continues=continues,
            # Who has it last has to answer.
            transfers=tuple(map(transfer_tool, others)) if round_ < team.rounds else (),
        )
        tally.add(result, Place(continues.path).below(scope.path))
        if not result.transfer or result.status is not Status.COMPLETED:
            reason = f"member {name!r}: {result.reason}" if result.reason else ""
            return tally.result(result.status, reason, output=result.output)
        name, message = result.transfer, None
    raise AssertionError("unreachable: the last member has nobody to hand over to")
