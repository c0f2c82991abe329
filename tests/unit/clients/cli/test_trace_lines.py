"""How the lines of a trace mark what is in order, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sostenuto.clients.cli.trace.lines import TraceLines
from sostenuto.contracts.wire.event import Event
from sostenuto.contracts.wire.memory.calls import RecalledMemory
from sostenuto.contracts.wire.memory.memory_event import MemoryCompacted, MemoryRecalled, MemoryWritten, WrittenMemory
from sostenuto.history.trace.growing import status_of_notice
from sostenuto.history.trace.step import Trace, TraceStep

AT = datetime(2026, 11, 30, tzinfo=UTC)
STAMP: dict[str, Any] = {"id": "1", "cursor": "1", "run_id": "r", "path": "a", "at": AT}
OF: dict[str, Any] = {**STAMP, "collection": "people", "scope": "user:anna"}
FOUND = RecalledMemory(id="1", kind="fact", text="The user lives in Rome.", at=AT)


def lines(name: str, reason: str, status: str, *, whole: bool = False) -> list[str]:
    notice = TraceStep(kind="notice", name=name, path="a", started_at=AT, seconds=0.0, reason=reason, status=status)
    run = TraceStep(kind="run", name="a", path="a", started_at=AT, seconds=1.0, status="completed", steps=(notice,))
    trace = Trace(run=run)
    return [line.partition("▏  ")[2] for line in TraceLines(trace, AT + timedelta(seconds=1), whole=whole).lines()][1:]


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("memory.recalled", "✎"),
        ("memory.written", "✎"),
        ("memory.forgotten", "✎"),
        ("memory.compacted", "✂"),
        ("budget.topped_up", "✓"),
    ],
)
def test_what_is_in_order_has_the_mark_of_its_event(name: str, mark: str) -> None:
    assert lines(name, "so it\nwas", "completed")[0] == f"  {mark} so it was"
    assert "why:" not in "".join(lines(name, "so it was", "completed"))
    assert lines(name, "x" * 400, "completed", whole=True)[0] == f"  {mark} {'x' * 400}"


def test_what_is_not_is_a_warning_and_says_why() -> None:
    told = lines("memory.recalled", "the store is down", "")
    assert told[0].startswith("  ⚠ memory.recalled")
    assert lines("refund: approve", "approved by Ann", "completed")[0] == "  ✓ refund: approve · approved by Ann"


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (MemoryRecalled(**OF, query="?", memories=(FOUND,), of=3), "completed"),
        (MemoryRecalled(**OF, query="?", problem="the store is down"), ""),
        (MemoryWritten(**OF, memories=(WrittenMemory(id="1", kind="fact", text="x"),)), "completed"),
        (MemoryWritten(**OF, problem="the store is down"), ""),
        (MemoryCompacted(**STAMP, turn=1, strategy="window", before=2, after=1), "completed"),
    ],
)
def test_which_notices_are_in_order(event: Event, status: str) -> None:
    assert status_of_notice(event) == status
