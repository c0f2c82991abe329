"""Reads how a run takes over the conversation that it continues.

Pure: reads events, and does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from temporalio.api.common.v1 import Payloads

from ...contracts.wire.event import Event
from ...contracts.wire.transcript import TranscriptPage
from .history_event import RecordedEvent
from .outcome import Accumulated, Activity, Reading, Scheduled


def read_continued_conversation(recorded: RecordedEvent, scheduled: Scheduled, so_far: Accumulated) -> Reading:  # noqa: ARG001
    """Read the activity that hands a conversation over: its end has the messages."""
    return Reading(scheduled.id.place, ContinuationOutcome(so_far))


@dataclass(frozen=True, slots=True)
class ContinuationOutcome:
    """The end of the activity that fetches the conversation that a run continues."""

    so_far: Accumulated

    def completed(self, recorded: RecordedEvent, activity: Activity, result: Payloads) -> Iterator[Event]:
        """Yield nothing: the run that the conversation comes from has told it."""
        if transcript := self.so_far.transcripts.get(activity.path):
            transcript.take_over(recorded.value(result, TranscriptPage).messages)
        yield from ()

    def failed(self, recorded: RecordedEvent, activity: Activity, error: BaseException) -> Iterator[Event]:  # noqa: ARG002
        """Yield nothing: the run's end says what it means."""
        yield from ()
