"""What the demo says of its ingest is what the history has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.contrib.pydantic import pydantic_data_converter

from sostenuto import Collection
from sostenuto.clients.cli.commands.demo import _link_weights
from sostenuto.clients.cli.demo.ingest import Ingested, IngestRecord
from sostenuto.clients.cli.demo.kill import Kill, kill_worker, pid_of
from sostenuto.clients.cli.demo.stage import Stage
from sostenuto.contracts import names
from sostenuto.contracts.wire.ingest.ingest import (
    DocumentCall,
    DocumentDone,
    DocumentPage,
    DocumentRef,
    IngestReport,
    Writing,
)

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


class History:
    """Writes the events of activities as a server does."""

    def __init__(self) -> None:
        self.events: list[HistoryEvent] = []

    def activity(
        self, name: str, given: Any, result: Any, *, pid: int = 7, attempt: int = 1, after: float = 0.0
    ) -> None:
        """One that is scheduled, begun by a process, so many seconds after the start, and done."""
        scheduled = self._add(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, after)
        scheduled.activity_task_scheduled_event_attributes.activity_type.name = name
        scheduled.activity_task_scheduled_event_attributes.input.CopyFrom(_payloads(given))
        started = self._add(EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED, after)
        started.activity_task_started_event_attributes.scheduled_event_id = scheduled.event_id
        started.activity_task_started_event_attributes.identity = f"{pid}@host"
        started.activity_task_started_event_attributes.attempt = attempt
        done = self._add(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, after)
        done.activity_task_completed_event_attributes.scheduled_event_id = scheduled.event_id
        done.activity_task_completed_event_attributes.result.CopyFrom(_payloads(result))

    def document(self, uri: str, **facts: Any) -> None:
        writing = Writing(name="docs", generation=1, step=1)
        call = DocumentCall(writing=writing, collection=Collection("docs"), uri=uri, mark="m")
        self.activity(names.INGEST_DOCUMENT_ACTIVITY, call, DocumentDone(passages=5, characters=100), **facts)

    def _add(self, kind: EventType.ValueType, after: float) -> HistoryEvent:
        event = HistoryEvent(event_id=len(self.events) + 1, event_type=kind)
        event.event_time.FromDatetime(BEGAN + timedelta(seconds=after))
        self.events.append(event)
        return event


def _payloads(value: Any) -> Payloads:
    return Payloads(payloads=pydantic_data_converter.payload_converter.to_payloads([value]))


def recorded(history: History) -> IngestRecord:
    record = IngestRecord(pydantic_data_converter)
    for event in history.events:
        record.add(event)
    return record


@pytest.fixture
def history() -> History:
    """Two documents listed, by process 7."""
    found = History()
    page = DocumentPage(documents=tuple(DocumentRef(uri=f"file:///{n}.md", hash="", size=1) for n in "ab"))
    found.activity(names.INGEST_LIST_ACTIVITY, {}, page)
    return found


def test_documents_and_passages_are_counted(history: History) -> None:
    history.document("file:///a.md", pid=8)
    record = recorded(history)
    assert (record.total, record.done, record.passages) == (2, 1, 5)
    assert (record.again, record.repeated, record.first_worker) == (0, 0, 7)


def test_a_document_that_was_under_way_is_told_from_one_that_was_done(history: History) -> None:
    history.document("file:///a.md")
    history.document("file:///b.md", attempt=2)
    assert (recorded(history).again, recorded(history).repeated) == (0, 1)
    history.document("file:///a.md")
    assert (recorded(history).again, recorded(history).repeated) == (1, 1)


def test_what_is_said_of_a_kill_is_measured(history: History) -> None:
    history.document("file:///a.md", after=1)
    history.document("file:///b.md", after=4.25, attempt=2)
    report = IngestReport(collection="docs", done=2, passages=10, seconds=6.5)
    kill = Kill(1, 7, BEGAN + timedelta(seconds=2))
    lines = list(Ingested("i", "e", report, recorded(history), kill, 1).lines())
    assert lines == [
        "2 documents in 10 passages, 6.5 s, the kill included.",
        "Of the 1 that were done before the kill, scheduled again: [bold]0[/]",
        "Under way at the kill, and begun again: [bold]1[/]",
        "From the kill to the next step: [bold]2.2 s[/]",
    ]


def test_without_a_kill_none_is_told_of(history: History) -> None:
    report = IngestReport(collection="docs", done=1, passages=1, seconds=0.1)
    lines = list(Ingested("i", "e", report, recorded(history), None, 0).lines())
    assert lines == ["1 document in 1 passage, 0.1 s."]


def test_where_nothing_began_after_a_kill_no_time_is_told(history: History) -> None:
    assert Kill(1, 7, BEGAN + timedelta(seconds=1)).seconds_to_next_step(history.events) is None


def test_the_worker_is_killed_that_has_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr("os.kill", lambda *given: killed.append(given))
    workers = [SimpleNamespace(current=SimpleNamespace(pid=pid)) for pid in (11, 12)]
    assert [kill.worker for pid in (12, 99) if (kill := kill_worker(workers, pid))] == [2, 1]
    assert [pid for pid, _ in killed] == [12, 11]


def test_nobody_is_killed_where_the_worker_is_not_running(monkeypatch: pytest.MonkeyPatch) -> None:
    """None has a process yet: number 0 would end the demo itself. And one has just ended."""
    killed: list[int] = []

    def kill(pid: int, _: int) -> None:
        killed.append(pid)
        raise ProcessLookupError

    monkeypatch.setattr("os.kill", kill)
    assert kill_worker([SimpleNamespace(current=SimpleNamespace(pid=None))], 12) is None
    assert killed == []
    told: list[str] = []
    ended = SimpleNamespace(current=SimpleNamespace(pid=12))
    stage: Any = SimpleNamespace(workers=[ended], tell=told.append)
    assert Stage.kill(stage, 12) is None
    assert killed == [12]
    assert told == ["no worker was killed: the one at work has just ended by itself"]


def test_a_demo_with_weights_of_its_own_keeps_them(tmp_path: Path) -> None:
    (tmp_path / "demo" / "weights").mkdir(parents=True)
    _link_weights(tmp_path / "demo")
    assert not (tmp_path / "demo" / "weights").is_symlink()


@pytest.mark.parametrize(("identity", "pid"), [("12@host", 12), ("", 0), ("worker-a", 0), ("x@1", 0)])
def test_a_process_is_read_from_an_identity(identity: str, pid: int) -> None:
    assert pid_of(identity) == pid
