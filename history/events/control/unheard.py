"""Reads what was found out of nested runs that ended without telling.

Pure: reads events, and does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from temporalio.api.common.v1 import Payloads

from ....contracts.wire.control.spent import Spent
from ....contracts.wire.event import Event
from ..history_event import RecordedEvent
from ..outcome import Accumulated, Activity, Reading, Scheduled


def read_spending(recorded: RecordedEvent, scheduled: Scheduled, so_far: Accumulated) -> Reading:  # noqa: ARG001
    """Read the question what a nested run spent."""
    return Reading(scheduled.id.place, SpendingOutcome(so_far))


@dataclass(frozen=True, slots=True)
class SpendingOutcome:
    """What a nested run spent."""

    so_far: Accumulated

    def completed(self, recorded: RecordedEvent, activity: Activity, result: Payloads) -> Iterator[Event]:  # noqa: ARG002
        """Yield nothing: its calls were told as they were made."""
        spent = recorded.value(result, Spent)
        self.so_far.tally.charge(spent.totals)
        self.so_far.tally.turns += spent.turns
        yield from ()

    def failed(self, recorded: RecordedEvent, activity: Activity, error: BaseException) -> Iterator[Event]:  # noqa: ARG002
        """Yield nothing: all is charged that it was given."""
        yield from ()
