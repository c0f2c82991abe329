"""One line per step, whatever the models and tools say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sostenuto import Message, Role, Status, Usage
from sostenuto.clients.cli.step_lines import line, waiting
from sostenuto.contracts.event import (
    Event,
    FallbackUsed,
    ModelRequested,
    ModelResponded,
    RunFinished,
    RunStarted,
    ToolRequested,
    ToolResponded,
)
from sostenuto.contracts.message import TextPart

STAMP: dict[str, Any] = {"id": "e/1/0", "at": datetime(2026, 1, 1, tzinfo=UTC), "path": "agent"}
ASKED = RunStarted(**STAMP, run_id="r1", runnable="agent", message=Message.user("How\nis  7?"))
REQUESTED = ModelRequested(**STAMP, turn=1, model="local/m")
CALLED = ToolRequested(**STAMP, turn=1, call_id="c", name="look", arguments={"at": "7", "n": 2})
ANSWERED = ModelResponded(
    **STAMP,
    turn=2,
    model="local/m",
    message=Message(role=Role.ASSISTANT, parts=(TextPart(text="x" * 300),)),
    usage=Usage(input_tokens=120, output_tokens=12),
    cost_usd=0.0123,
    attempt=2,
    seconds=1.234,
    prompt_hash="",
)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (ASKED, "▶ r1  agent: How is 7?"),
        (REQUESTED, None),
        (CALLED, '     → look(at="7", n=2)'),
        (ANSWERED, f"  2  local/m  1.23 s  120→12 tok  $0.0123  attempt 2  {'x' * 99}…"),
        (
            ToolResponded(**STAMP, turn=1, call_id="c", name="look", content="fine\nand well", seconds=0.5),
            "     ↳ look  0.50 s  fine and well",
        ),
        (
            ToolResponded(**STAMP, turn=1, call_id="c", name="look", content="no", is_error=True, attempt=3, seconds=0),
            "     ✗ look  0.00 s  attempt 3  no",
        ),
        (
            FallbackUsed(**STAMP, turn=1, failed="a/x", model="b/y", reason="Overloaded: full"),
            "     ⚠ a/x failed, b/y takes over: Overloaded: full",
        ),
        (
            RunFinished(**STAMP, status=Status.FAILED, reason="no credit", turns=2, usage=Usage(input_tokens=3)),
            "■ failed: no credit  2 turns  3→0 tok",
        ),
    ],
)
def test_each_event_has_its_line(event: Event, expected: str | None) -> None:
    assert line(event) == expected


def test_what_a_run_waits_for_is_told() -> None:
    assert waiting(ASKED) == "waiting for a worker"
    assert waiting(REQUESTED) == "waiting for local/m"
    assert waiting(CALLED) == "waiting for look"
    assert waiting(ANSWERED) is None
