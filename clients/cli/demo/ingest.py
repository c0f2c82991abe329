"""The first act of the demo: an ingest, and a worker killed half way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from ....contracts import names
from ....contracts.text import plural
from ....contracts.wire.ingest.ingest import DocumentCall, DocumentDone, DocumentPage, IngestReport
from ....history.events.history_event import RecordedEvent
from ....history.reading.follow import follow
from .kill import Kill, pid_of
from .stage import Stage

if TYPE_CHECKING:
    from temporalio.converter import DataConverter

_LINES = 4
"""How often it is told how far it is where there is no terminal for a bar."""


class IngestRecord:
    """What the history of an ingest has so far.

    Args:
        converter: Reads its payloads.
    """

    def __init__(self, converter: DataConverter) -> None:
        self._converter = converter
        self._names: dict[int, str] = {}
        """Activities by the event that scheduled them."""
        self._begun: dict[int, HistoryEvent] = {}
        """The event that says who did them, by the same."""
        self._uris: list[str] = []
        self.events: list[HistoryEvent] = []
        self.total = 0
        """Documents to bring in."""
        self.done = 0
        """Documents that were brought in."""
        self.passages = 0
        """Passages of those."""
        self.repeated = 0
        """Documents that were under way when their worker died, and were begun again."""
        self.first_worker = 0
        """Process that did the first step: it opened the store, and owns it."""

    @property
    def again(self) -> int:
        """Documents that were scheduled again, as embedding one again would need."""
        return len(self._uris) - len(set(self._uris))

    def add(self, event: HistoryEvent) -> None:
        """Take in an event."""
        self.events.append(event)
        match event.event_type:
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                scheduled = event.activity_task_scheduled_event_attributes
                self._names[event.event_id] = scheduled.activity_type.name
                if scheduled.activity_type.name == names.INGEST_DOCUMENT_ACTIVITY:
                    self._uris.append(self._read(event).value(scheduled.input, DocumentCall).uri)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
                started = event.activity_task_started_event_attributes
                self._begun[started.scheduled_event_id] = event
                self.first_worker = self.first_worker or pid_of(started.identity)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                self._completed(event)
            case _:
                pass

    def _completed(self, event: HistoryEvent) -> None:
        completed = event.activity_task_completed_event_attributes
        name = self._names.get(completed.scheduled_event_id)
        if name == names.INGEST_LIST_ACTIVITY:
            self.total += len(self._read(event).value(completed.result, DocumentPage).documents)
        elif name == names.INGEST_DOCUMENT_ACTIVITY:
            self.done += 1
            self.passages += self._read(event).value(completed.result, DocumentDone).passages
            begun = self._begun[completed.scheduled_event_id].activity_task_started_event_attributes
            self.repeated += begun.attempt > 1

    def _read(self, event: HistoryEvent) -> RecordedEvent:
        return RecordedEvent(event, "", self._converter)


@dataclass(frozen=True, slots=True)
class Ingested:
    """The end of the first act."""

    id: str
    execution: str
    """Temporal's run id."""
    report: IngestReport
    record: IngestRecord
    kill: Kill | None
    done_before: int
    """Documents that were done when the worker was killed."""

    def lines(self) -> Iterator[str]:
        """Yield what there is to say of it."""
        record = self.record
        yield (
            f"{plural(self.report.done, 'document')} in {plural(self.report.passages, 'passage')}, "
            f"{self.report.seconds:.1f} s{', the kill included' if self.kill else ''}."
        )
        if self.kill is None:
            return
        yield f"Of the {self.done_before} that were done before the kill, scheduled again: [bold]{record.again}[/]"
        yield f"Under way at the kill, and begun again: [bold]{record.repeated}[/]"
        seconds = self.kill.seconds_to_next_step(record.events)
        if seconds is not None:
            yield f"From the kill to the next step: [bold]{seconds:.1f} s[/]"


async def show_ingest(stage: Stage, collection: str, sources: Sequence[str]) -> Ingested:
    """Bring documents into a collection that is made anew, and kill a worker half way.

    Raises:
        CollectionFailed: It could not be done.
        SpecError: A source is none.
    """
    client = stage.client
    started = await client.ingest(collection, sources, rebuild=True)
    execution = (await client.temporal.get_workflow_handle(started.id).describe()).run_id
    record = IngestRecord(client.temporal.data_converter)
    kill: Kill | None = None
    done_before = 0
    with _bar(stage, collection) as show:
        async for event in follow(client.temporal, started.id, execution):
            record.add(event)
            if kill is None and record.total > 1 and record.done >= record.total / 2:
                kill, done_before = stage.kill(record.first_worker), record.done
                if kill:
                    stage.tell(f"{kill}, half way: {record.done} of {record.total} documents")
            show(record.done, record.total)
    return Ingested(started.id, execution, await started.result(), record, kill, done_before)


@contextmanager
def _bar(stage: Stage, collection: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far it is: as a bar on a terminal, else as a few lines."""
    if not stage.console.is_terminal:
        told = 0

        def tell(done: int, total: int) -> None:
            nonlocal told
            if total and done * _LINES // total > told:
                told = done * _LINES // total
                stage.tell(f"{collection}: {done} of {total} documents")

        yield tell
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stage.console) as bar:
        task = bar.add_task(collection, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)
