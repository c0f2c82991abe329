"""Sending what people say of runs as activities.

Must not import an HTTP library, or know how any tool takes a score.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from temporalio import activity

from ..contracts import names
from ..contracts.wire.feedback.score import ScoreCall, ScoreInput
from .call.failure import failure
from .call.heartbeat import heartbeats
from .not_served import cannot


class ScoreNotTaken(Exception):  # noqa: N818 - named like the failure in the history
    """A score that was not taken; says why."""

    def __init__(self, why: str, *, again: bool) -> None:
        super().__init__(why)
        self.again = again
        """Whether it may be taken later."""


class ScoreTaker(Protocol):
    """Somewhere that takes scores."""

    async def take(self, given: ScoreInput, namespace: str, score_id: str) -> None:
        """Take a score, in place of the one of that id that it may have.

        Args:
            given: The score, and what it is of.
            namespace: Temporal namespace of the run.
            score_id: The same for every attempt, and for every score that takes the place of this one.

        Raises:
            ScoreNotTaken: It did not.
        """
        ...


class ScoreActivities:
    """Sends scores wherever a worker sends what runs do.

    Args:
        takers: By the name of the destination, as `SOSTENUTO_TELEMETRY` has it.
    """

    def __init__(self, takers: Mapping[str, ScoreTaker]) -> None:
        self._takers = takers

    @activity.defn(name=names.SCORE_TARGETS_ACTIVITY)
    async def targets(self) -> tuple[str, ...]:
        """Return the destinations that take scores.

        Repeatable, raises nothing, costs nothing.
        """
        return tuple(sorted(self._takers))

    @activity.defn(name=names.SCORE_SEND_ACTIVITY)
    async def send(self, call: ScoreCall) -> None:
        """Send a score to one destination.

        Repeatable: it goes under the id of its workflow, by which it takes the place of what is there. Fails as
        `ScoreNotTaken`, retryable where the destination is down or does not know the run yet, and as `NotServed` where
        this worker does not send there. Heartbeats on its own. Costs up to three requests.
        """
        taker = self._takers.get(call.to)
        if taker is None:
            raise await cannot(f"this worker does not send to {call.to}: name it in SOSTENUTO_TELEMETRY")
        info = activity.info()
        async with heartbeats():
            try:
                await taker.take(call.given, info.workflow_namespace or info.namespace, info.workflow_id or "")
            except ScoreNotTaken as error:
                raise failure(error, str(error), kind=names.SCORE_NOT_TAKEN, retryable=error.again) from None
