"""Which gates an agent has, and in which order they are asked."""

from __future__ import annotations

from collections.abc import Sequence

from ...contracts.specs.agent import Agent
from ...contracts.wire.places import Place
from ..host import AgentHost
from .gates import CutCalls, Gate, OutputCheck, Refusal, Repeats, Transfers, TurnLimit
from .guarding import Guarding, JudgedAnswers


def gates_of(agent: Agent, transfers: Sequence[str], host: AgentHost, place: Place) -> tuple[Gate, ...]:
    """Return the gates of an agent in the order in which they are asked.

    The first that has an answer decides.

    Args:
        agent: Whose gates.
        transfers: Names of the tools that hand its conversation over.
        host: What its workflow gives it.
        place: Where it stands.
    """
    guarding = Guarding(host, place)
    limits, checks = (TurnLimit(agent), Repeats(agent)), (Refusal(), OutputCheck(agent))
    return (*limits, guarding, *checks, JudgedAnswers(guarding, agent), CutCalls(agent), Transfers(transfers))
