"""The tree of a run's lines: readable also where several runs are at work at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sostenuto import ApprovalDecided, ApprovalRequested, MemoryCompacted, Message, Role, Status, Usage
from sostenuto.clients.cli.step_tree import StepTree
from sostenuto.contracts.message import TextPart
from sostenuto.contracts.wire.event import (
    Event,
    MemberFinished,
    MemberStarted,
    ModelRequested,
    ModelResponded,
    RunFinished,
    RunStarted,
    ToolRequested,
    ToolResponded,
)


def at(path: str) -> dict[str, Any]:
    return {"id": "e/1/0", "at": datetime(2026, 1, 1, tzinfo=UTC), "path": path}


def started(path: str) -> MemberStarted:
    return MemberStarted(**at(path), member=path, run_id=path, message=Message.user("Look."))


def asked(path: str) -> ModelRequested:
    return ModelRequested(**at(path), turn=1, model="local/m")


def said(path: str, text: str) -> ModelResponded:
    message = Message(role=Role.ASSISTANT, parts=(TextPart(text=text),))
    return ModelResponded(
        **at(path), turn=1, model="local/m", message=message, usage=Usage(), seconds=1, prompt_hash=""
    )


def finished(path: str) -> MemberFinished:
    return MemberFinished(**at(path), member=path, run_id=path, status=Status.COMPLETED, turns=1)


BEGAN = RunStarted(**at("desk"), run_id="r1", runnable="desk", message=Message.user("Where?"))


def printed(events: Iterable[Event]) -> list[str]:
    tree = StepTree()
    return [text for event in events for text in tree.lines(event)]


def test_each_place_is_named_when_the_events_change_to_it() -> None:
    events: list[Event] = [
        BEGAN,
        *(started("desk/law"), started("desk/tax")),
        *(said("desk/law", "one"), said("desk/tax", "two"), said("desk/tax", "three"), said("desk/law", "four")),
        *(finished("desk/tax"), said("desk/law", "five"), finished("desk/law")),
        said("desk", "six"),
        RunFinished(**at("desk"), status=Status.COMPLETED, turns=6),
    ]
    assert printed(events) == [
        "▶ r1  desk: Where?",
        "▷ law: Look.",
        "▷ tax: Look.",
        "law",
        "    1  local/m  1.00 s  by meaning, without tokens  one",
        "tax",
        "    1  local/m  1.00 s  by meaning, without tokens  two",
        "    1  local/m  1.00 s  by meaning, without tokens  three",
        "law",
        "    1  local/m  1.00 s  by meaning, without tokens  four",
        "□ tax completed  1 turn  0→0 tok",
        "law",
        "    1  local/m  1.00 s  by meaning, without tokens  five",
        "□ law completed  1 turn  0→0 tok",
        "desk",
        "  1  local/m  1.00 s  by meaning, without tokens  six",
        "■ completed  6 turns  0→0 tok",
    ]


def test_deeper_places_stand_further_in() -> None:
    events: list[Event] = [
        BEGAN,
        said("desk/answer/title", "one"),
        started("desk/answer/law"),
        said("desk/answer/law", "two"),
    ]
    assert printed(events) == [
        "▶ r1  desk: Where?",
        "  answer/title",
        "      1  local/m  1.00 s  by meaning, without tokens  one",
        "  ▷ law: Look.",
        "      1  local/m  1.00 s  by meaning, without tokens  two",
    ]


def test_a_stream_that_goes_on_in_the_middle_knows_its_places() -> None:
    assert printed([said("desk/law", "one")]) == ["law", "    1  local/m  1.00 s  by meaning, without tokens  one"]


def test_what_a_run_waits_for_is_told_for_all_that_is_at_work() -> None:
    tree = StepTree()
    call = ToolRequested(**at("desk"), turn=1, call_id="c", name="law", arguments={})
    look = ToolRequested(**at("desk/law"), turn=1, call_id="c", name="look", arguments={})
    told = ToolResponded(**at("desk/law"), turn=1, call_id="c", name="look", content="", seconds=0)
    waits = ApprovalRequested(**at("desk/law"), call_id="c", name="look", hash="ab" * 32)

    def decided(decision: Any, **more: Any) -> ApprovalDecided:
        return ApprovalDecided(**at("desk/law"), call_id="c", name="look", decision=decision, **more)

    steps: list[tuple[Event, str]] = [
        (BEGAN, "a worker"),
        (asked("desk"), "local/m"),
        (said("desk", ""), ""),
        (call, "law"),
        (started("desk/law"), "a worker (law)"),
        (asked("desk/law"), "local/m (law)"),
        (started("desk/tax"), "local/m (law), a worker (tax)"),
        (look, "local/m (law), a worker (tax), look (law)"),
        (waits, "local/m (law), a worker (tax), a person on look (law)"),
        (decided("approve", missing=1), "local/m (law), a worker (tax), a person on look (law)"),
        (decided("withdrawn"), "local/m (law), a worker (tax)"),
        (look, "local/m (law), a worker (tax), look (law)"),
        (asked("desk/other"), "local/m (law), a worker (tax), look (law) and 1 more"),
        (told, "local/m (law), a worker (tax), local/m (other)"),
        (finished("desk/law"), "a worker (tax), local/m (other)"),
        (asked("desk/tax/deeper"), "local/m (other), local/m (tax/deeper)"),
        (RunFinished(**at("desk"), status=Status.COMPLETED), ""),
    ]
    for event, wanted in steps:
        tree.lines(event)
        assert tree.waiting() == f"waiting for {wanted or 'the run'}"


def compacted(path: str) -> MemoryCompacted:
    return MemoryCompacted(**at(path), turn=1, strategy="window", before=900, after=300, messages=4)


def test_a_summary_is_told_with_the_steps_of_its_agent() -> None:
    summed = said("desk/summary", "They walked.").model_copy(update={"summary": True})
    told = printed([BEGAN, said("desk", "one"), summed, compacted("desk"), said("desk", "two")])
    assert told == [
        "▶ r1  desk: Where?",
        "  1  local/m  1.00 s  by meaning, without tokens  one",
        "     ≡ summary by local/m  1.00 s  by meaning, without tokens  They walked.",
        "     ✂ 4 messages left the prompt · about 900 → 300 tok",
        "  1  local/m  1.00 s  by meaning, without tokens  two",
    ]


def test_a_summary_is_waited_for_until_it_is_there_or_is_done_without() -> None:
    asks = asked("desk/law/summary").model_copy(update={"summary": True})
    summed = said("desk/law/summary", "They walked.").model_copy(update={"summary": True})
    for ends in (summed, compacted("desk/law")):
        tree = StepTree()
        for event in (BEGAN, started("desk/law"), asks):
            tree.lines(event)
        assert tree.waiting() == "waiting for a summary by local/m (law)"
        tree.lines(ends)
        assert "summary" not in tree.waiting()
