"""What is told of calls under way, item by item."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sostenuto.clients.live.open_calls import OpenCalls
from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.message import Message, Role, TextPart
from sostenuto.contracts.wire.event import (
    Event,
    MemberFinished,
    ModelRequested,
    ModelResponded,
    ToolRequested,
    ToolResponded,
)
from sostenuto.contracts.wire.live import Frame, FrameKind, LiveItem, Partial, Progress, Retract, Token
from sostenuto.contracts.wire.run import Status

STAMP = {"id": "x/1/0", "at": datetime(2026, 1, 1, tzinfo=UTC)}


def requested(path: str = "a", turn: int = 1) -> Event:
    return ModelRequested(**STAMP, path=path, turn=turn, model="m/m")


def responded(text: str, path: str = "a", turn: int = 1) -> Event:
    message = Message(role=Role.ASSISTANT, parts=(TextPart(text=text),))
    return ModelResponded(
        **STAMP, path=path, turn=turn, model="m/m", message=message, usage=Usage(), seconds=1.0, prompt_hash=""
    )


def said(number: int, text: str, activity: str = "a:turn-1", attempt: int = 1, **more: Any) -> Frame:
    kind = more.pop("kind", FrameKind.TEXT)
    return Frame(run_id="r", activity=activity, attempt=attempt, number=number, kind=kind, text=text, **more)


def failed(number: int, attempt: int = 1) -> Frame:
    return said(number, "", attempt=attempt, kind=FrameKind.FAILED)


def told(calls: OpenCalls, *happened: Event | Frame) -> list[LiveItem]:
    items: list[LiveItem] = []
    for one in happened:
        if isinstance(one, Frame):
            items += calls.items([one])
        else:
            items += calls.before(one)
            items += calls.items(calls.opened(one))
    return items


def test_what_is_said_is_told_at_once() -> None:
    items = told(OpenCalls(), requested(), said(0, "It "), said(1, "rains."), responded("It rains."))
    assert items == [Token(path="a", text="It "), Token(path="a", text="rains.")]


def test_what_is_said_before_the_call_was_told_of_waits_for_it() -> None:
    calls = OpenCalls()
    assert told(calls, said(0, "It "), said(1, "rains")) == []
    assert told(calls, requested()) == [Token(path="a", text="It rains")]


def test_what_comes_at_once_is_told_at_once() -> None:
    calls = OpenCalls()
    told(calls, requested())
    frames = [said(0, "hm", kind=FrameKind.REASONING), said(1, "It "), said(2, "rains.")]
    assert list(calls.items(frames)) == [
        Token(path="a", text="hm", kind="reasoning"),
        Token(path="a", text="It rains."),
    ]


def test_a_later_attempt_makes_void_what_the_earlier_one_said() -> None:
    items = told(OpenCalls(), requested(), said(0, "It"), said(0, "No", attempt=2), said(1, "!", attempt=2))
    assert items == [
        Token(path="a", text="It"),
        Retract(path="a"),
        Token(path="a", text="No"),
        Token(path="a", text="!"),
    ]


def test_an_attempt_that_fails_is_void_at_once_and_an_earlier_one_is_not_heard_any_more() -> None:
    items = told(OpenCalls(), requested(), said(0, "It"), failed(1), said(0, "No", attempt=2), said(1, " rains"))
    assert items == [Token(path="a", text="It"), Retract(path="a"), Token(path="a", text="No")]


def test_a_fallback_makes_void_what_the_model_before_it_said() -> None:
    calls = OpenCalls()
    assert told(calls, requested(), said(0, "It"), said(0, "No", "a:turn-1-1")) == [Token(path="a", text="It")]
    assert told(calls, requested()) == [Retract(path="a"), Token(path="a", text="No")]
    assert told(calls, responded("No.")) == [Token(path="a", text=".")]


def test_after_a_gap_the_answer_tells_the_rest() -> None:
    items = told(OpenCalls(), requested(), said(0, "It "), said(2, "cats."), responded("It rains cats."))
    assert items == [Token(path="a", text="It "), Token(path="a", text="rains cats.")]


def test_an_answer_that_was_put_right_takes_the_place_of_what_was_said() -> None:
    items = told(OpenCalls(), requested(), said(0, "Sure: {}"), responded("{}"))
    assert items[1:] == [Retract(path="a"), Token(path="a", text="{}")]


def test_what_comes_after_the_answer_is_not_told() -> None:
    calls = OpenCalls()
    told(calls, requested(), responded("It"))
    assert told(calls, said(0, "It"), requested(turn=2), said(1, "late")) == []


def test_a_nested_run_that_ends_without_an_answer_makes_void_what_it_said() -> None:
    calls = OpenCalls()
    told(calls, requested("a/b"), said(0, "It", "a/b:turn-1"), requested("a/bc"), said(0, "It", "a/bc:turn-1"))
    end = MemberFinished(**STAMP, path="a/b", member="b", run_id="r/b", status=Status.CANCELLED)
    assert told(calls, end) == [Retract(path="a/b")]


def test_a_value_is_told_as_far_as_it_can_be_read() -> None:
    calls = OpenCalls()
    told(calls, requested())
    pieces = ['{"city": "Ro', 'me", "days"', ": 3", "}"]
    items = [item for n, piece in enumerate(pieces) for item in told(calls, said(n, piece, structured=True))]
    values = [item.value for item in items if isinstance(item, Partial)]
    assert values == [{"city": "Ro"}, {"city": "Rome"}, {"city": "Rome", "days": 3}]


def test_arguments_are_told_with_their_tool() -> None:
    calls = OpenCalls()
    told(calls, requested())
    first = said(0, '{"topic": "ra', kind=FrameKind.TOOL_CALL, tool="find")
    second = said(1, '{"id": 7}', kind=FrameKind.TOOL_CALL, tool="book", index=1)
    assert told(calls, first, second) == [
        Partial(path="a", value={"topic": "ra"}, tool="find"),
        Partial(path="a", value={"id": 7}, tool="book", index=1),
    ]


def test_progress_is_told_while_its_call_is_under_way() -> None:
    calls = OpenCalls()
    frame = said(0, "looking", "a:call_1_0", kind=FrameKind.PROGRESS, done=1, total=3)
    asked = ToolRequested(**STAMP, path="a", turn=1, call_id="call_1_0", name="find")
    over = ToolResponded(**STAMP, path="a", turn=1, call_id="call_1_0", name="find", content="", seconds=1)
    found = [Progress(path="a", text="looking", call_id="call_1_0", done=1, total=3)]
    assert told(calls, asked, frame) == found
    assert told(calls, over, frame) == []


def test_of_calls_that_are_never_told_of_only_so_much_is_kept() -> None:
    calls = OpenCalls()
    for number in range(6_000):
        told(calls, said(number % 10, "x", f"a/b#{number // 10}:turn-1"))
    assert kept(calls) == 5_000


def kept(calls: OpenCalls) -> int:
    held: Sequence[Sequence[Frame]] = list(calls._held.values())
    return sum(map(len, held))


def test_nobody_is_told_the_words_of_a_summary() -> None:
    asks = requested("a/summary").model_copy(update={"summary": True})
    summed = responded("They spoke.", "a/summary").model_copy(update={"summary": True})
    calls = OpenCalls()
    assert told(calls, asks, said(0, "They", activity="a:summary-1"), summed) == []
    assert calls.position("x/1/0") == "x/1/0"
    assert told(calls, requested(), responded("Fine.")) == [Token(path="a", text="Fine.")]
