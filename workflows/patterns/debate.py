"""Runs a debate: members answer one another in rounds, then a judge decides."""

from __future__ import annotations

from ...contracts.message import Message
from ...contracts.specs.agent import Agent
from ...contracts.specs.runnable import Runnable
from ...contracts.specs.team import Team
from ...contracts.template import as_text
from ...contracts.wire.places import numbered
from ...contracts.wire.run import Continuation, Result, Status
from ..concurrency import Job, being_cancelled, run_together
from ..host import Host
from ..scope import Scope
from ..tally import Tally

_JUDGES = "You judge a debate. Weigh what was said, decide, and give your answer to the question that was asked."


async def run_debate(host: Host, team: Team, scope: Scope) -> Result:
    """Run the rounds and return what the judge decides.

    Agents keep their conversation from round to round; any other member is asked anew.
    """
    tally = Tally()
    said: dict[str, str] = {}
    threads: dict[str, Continuation] = {}
    failed: dict[str, str] = {}
    for round_ in range(team.rounds):
        speakers = [member for member in team.members if member.name not in failed]
        if round_ and len(speakers) == 1:
            break  # nobody is left to answer
        jobs = [_speech(host, member, scope, _news_for(member, said), threads) for member in speakers]
        results = await run_together(jobs, team.limit)
        for member, result in zip(speakers, results, strict=True):
            place = numbered(member.name, round_ + 1)
            tally.add(result, place)
            if result.status is Status.COMPLETED:
                said[member.name] = as_text(result.output)
            else:
                failed[member.name] = f"{member.name} ended as {result.status}: {result.reason}"
        if being_cancelled():
            return tally.cancelled(said)
        if len(failed) == len(team.members):
            return tally.result(Status.FAILED, f"nobody is left to debate: {'; '.join(failed.values())}", output=said)
    return await _decided(host, team, scope, _statements(said), tally)


def _news_for(member: Runnable, said: dict[str, str]) -> Message | None:
    """Return what a member is told before its next speech; None before its first."""
    others = {name: words for name, words in said.items() if name != member.name}
    if not said:
        return None
    return Message.user(
        f"The others said:\n\n{_statements(others)}\n\nAnswer them. Say what you hold now, and why: change your mind "
        "where they are right."
    )


def _speech(host: Host, member: Runnable, scope: Scope, told: Message | None, threads: dict[str, Continuation]) -> Job:
    async def work() -> Result:
        # Only an agent has a conversation to go on with; anything else is asked anew, with what was asked.
        again = threads.get(member.name) if member.has_conversation else None
        message = told if again else _asked(scope, told)
        result, threads[member.name] = await host.child(member, scope.path / member.name, message, continues=again)
        return result

    return work


def _asked(scope: Scope, told: Message | None) -> Message:
    return Message.user([*scope.message.parts, f"\n\n{told.text}"]) if told else scope.message


def _statements(said: dict[str, str]) -> str:
    return "\n\n".join(f"## {name}\n\n{words}" for name, words in said.items())


async def _decided(host: Host, team: Team, scope: Scope, statements: str, tally: Tally) -> Result:
    message = Message.user([*scope.message.parts, f"\n\nWhat was said last:\n\n{statements}"])
    if team.judge:
        result = await host.run(team.judge, scope.step(team.judge.name).asked(message))
    elif team.model:
        judge = Agent(
            name=team.name,  # so that workers know the type of its answer
            model=team.model,
            instructions=f"{_JUDGES}\n\n{team.instructions}".strip(),
            output=team.output,
            validators=team.validators,
        )
        result = await host.ask(judge, host.numbered(scope.path / "judge"), message)
    else:
        raise AssertionError("unreachable: a debate has a judge or a model")
    tally.add(result, team.judge.name if team.judge else "judge")
    reason = f"judge: {result.reason}" if result.reason else ""
    return tally.result(result.status, reason, output=result.output)
