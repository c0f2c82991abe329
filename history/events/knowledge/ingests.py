"""Reads the steps of ingests. Pure: reads events, and does no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from temporalio.api.common.v1 import Payloads
from temporalio.exceptions import ApplicationError, is_cancelled_exception

from ....contracts import names
from ....contracts.wire.event import Event
from ....contracts.wire.ingest.ingest import DocumentCall, DocumentDone, DocumentPage, IngestBegun
from ....contracts.wire.ingest.ingest_event import DocumentFailed, DocumentIngested
from ....workflows.concurrency import spent_by, told_by
from ....workflows.policy import NOT_SERVED_PAUSES
from ..history_event import RecordedEvent
from ..outcome import UNREAD, Accumulated, Activity, Reading, Scheduled


def read_beginning(recorded: RecordedEvent, scheduled: Scheduled, so_far: Accumulated) -> Reading:  # noqa: ARG001
    """Read the step that begins the change of a collection."""
    return Reading(scheduled.id.place, BeginOutcome(so_far))


def read_listing(recorded: RecordedEvent, scheduled: Scheduled, so_far: Accumulated) -> Reading:  # noqa: ARG001
    """Read a step that finds documents."""
    return Reading(scheduled.id.place, PageOutcome())


def read_document(recorded: RecordedEvent, scheduled: Scheduled, so_far: Accumulated) -> Reading:
    """Read a step that brings a document in: its end tells all."""
    if scheduled.input is None:
        return UNREAD
    return Reading(scheduled.id.place, DocumentOutcome(recorded.value(scheduled.input, DocumentCall).uri, so_far))


@dataclass(frozen=True, slots=True)
class BeginOutcome:
    """The end of a beginning, which may have cost something."""

    so_far: Accumulated

    def completed(self, recorded: RecordedEvent, activity: Activity, result: Payloads) -> Iterator[Event]:  # noqa: ARG002
        """Yield nothing: the ingest has begun before."""
        self.so_far.tally.charge(recorded.value(result, IngestBegun).totals)
        yield from ()

    def failed(self, recorded: RecordedEvent, activity: Activity, error: BaseException) -> Iterator[Event]:  # noqa: ARG002
        """Yield nothing: the end of the ingest tells why."""
        self.so_far.tally.charge(spent_by(error))
        yield from ()


@dataclass(frozen=True, slots=True)
class PageOutcome:
    """The end of a step that found documents."""

    def completed(self, recorded: RecordedEvent, activity: Activity, result: Payloads) -> Iterator[Event]:
        """Yield those that cannot be read."""
        for failure in recorded.value(result, DocumentPage).failures:
            yield DocumentFailed(
                **recorded.stamp(activity.path), step=activity.id.step, uri=failure.uri, reason=failure.reason
            )

    def failed(self, recorded: RecordedEvent, activity: Activity, error: BaseException) -> Iterator[Event]:  # noqa: ARG002
        """Yield nothing: the end of the ingest tells why."""
        yield from ()


@dataclass(frozen=True, slots=True)
class DocumentOutcome:
    """The end of a step that brings a document in."""

    uri: str
    so_far: Accumulated

    def completed(self, recorded: RecordedEvent, activity: Activity, result: Payloads) -> Iterator[Event]:
        """Yield what it came to."""
        done = recorded.value(result, DocumentDone)
        self.so_far.tally.charge(done.totals)
        yield DocumentIngested(
            **recorded.stamp(activity.path),
            step=activity.id.step,
            uri=self.uri,
            passages=done.passages,
            characters=done.characters,
            **activity.took(recorded),
            **dict(done.totals),
            stages=done.stages,
        )

    def failed(self, recorded: RecordedEvent, activity: Activity, error: BaseException) -> Iterator[Event]:
        """Yield why it could not be brought in, as the report tells it.

        A step that its worker could not begin is begun again, but for the last time, and one that was cancelled ends
        with the ingest.
        """
        if is_cancelled_exception(error):
            return
        if isinstance(error, ApplicationError) and error.type == names.NOT_SERVED:
            self.so_far.unserved[activity.id.text] += 1
            if self.so_far.unserved[activity.id.text] <= len(NOT_SERVED_PAUSES):
                return
        spent = spent_by(error)
        self.so_far.tally.charge(spent)
        yield DocumentFailed(
            **recorded.stamp(activity.path),
            step=activity.id.step,
            uri=self.uri,
            reason=told_by(error),
            **activity.took(recorded),
            **dict(spent),
        )
