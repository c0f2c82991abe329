"""Spans wait for who does not take them, within bounds and without a word too many; what nobody takes is given up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sostenuto.connection.tracing import SpanAddress
from sostenuto.workers.telemetry.disclosure import Disclosure
from sostenuto.workers.telemetry.sending import span_queue
from sostenuto.workers.telemetry.sending.destinations import Destination
from sostenuto.workers.telemetry.sending.senders import Unsent
from sostenuto.workers.telemetry.sending.span_queue import SpanQueue
from sostenuto.workers.telemetry.span import StepSpan
from tests.fakes.step_spans import run_span

AGAIN = Unsent("it is away", again=True)
REFUSED = Unsent("it wants no more", again=False)
FAILS = Unsent("it answers 500", again=True, parts=True)
TOO_MUCH = Unsent("it is too much", again=False, parts=True)


class Scripted:
    """Takes batches, or not: by what a function says of the spans in it."""

    def __init__(self, refuses: Callable[[list[int]], Unsent | None] = lambda _: None) -> None:
        self.refuses = refuses
        self.tried: list[list[int]] = []
        self.taken: list[int] = []
        self.is_closed = False

    async def send(self, batch: ExportTraceServiceRequest) -> None:
        spans = batch.resource_spans[0].scope_spans[0].spans
        numbers = [int.from_bytes(span.span_id) for span in spans]
        self.tried.append(numbers)
        await asyncio.sleep(0)
        if unsent := self.refuses(numbers):
            raise unsent
        self.taken += numbers

    async def close(self) -> None:
        self.is_closed = True


def _spans(*numbers: int, said: str = "", name: str = "run") -> list[StepSpan]:
    about = {"kind": "run", "operation": "", "begin_ns": 0, "end_ns": 1, "attributes": {"said": said}}
    return [StepSpan(name, SpanAddress(1, number), **about) for number in numbers]  # type: ignore[arg-type]


def _queue(sender: Scripted) -> SpanQueue:
    return SpanQueue(Destination("otlp", "http://127.0.0.1:1/v1/traces"), sender)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "_FIRST_PAUSE_SECONDS",
        "_LONGEST_PAUSE_SECONDS",
        "_LAST_PAUSE_SECONDS",
        "_GATHERING_SECONDS",
        "_TRY_PAUSE_SECONDS",
    ):
        monkeypatch.setattr(span_queue, name, 0.0)


def _told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def test_in_order_and_in_batches() -> None:
    sender = Scripted()
    queue = _queue(sender)
    queue.add([])
    assert await queue.send_waiting()
    queue.add(_spans(*range(1, 601)))
    assert (queue.added, queue.done) == (600, 0)
    assert await queue.send_waiting()
    assert sender.taken == [*range(1, 601)]
    assert [len(batch) for batch in sender.tried] == [256, 256, 88]
    assert (queue.added, queue.done) == (600, 600)


async def test_what_says_much_goes_in_smaller_batches() -> None:
    sender = Scripted()
    queue = _queue(sender)
    queue.add(_spans(*range(1, 8), said="x" * 400_000))
    queue.add(_spans(8, said="x" * 3_000_000))
    assert await queue.send_waiting()
    assert sender.tried == [[1, 2], [3, 4], [5, 6], [7], [8]]


async def test_down_and_up_again(caplog: pytest.LogCaptureFixture) -> None:
    """One warning for any number of tries, and one word when it is over; nothing is lost, nothing sent twice."""
    sender = Scripted(lambda _: AGAIN)
    queue = _queue(sender)
    queue.add(_spans(1, 2))
    for _ in range(5):
        assert not await queue.send_waiting()
    queue.add(_spans(3))
    assert _told(caplog) == [
        "telemetry: otlp does not take spans: it is away; runs go on, and spans wait until it does"
    ]
    sender.refuses = lambda _: None
    assert await queue.send_waiting()
    assert sender.taken == [1, 2, 3]
    assert _told(caplog)[1:] == ["telemetry: otlp takes spans again"]
    queue.add(_spans(4))
    assert await queue.send_waiting()
    assert len(_told(caplog)) == 2
    sender.refuses = lambda _: AGAIN
    queue.add(_spans(5))
    assert not await queue.send_waiting()
    assert len(_told(caplog)) == 3


async def test_it_tries_on_by_itself() -> None:
    sender = Scripted(lambda _: AGAIN if len(sender.tried) < 5 else None)
    done = asyncio.Event()

    async def on_sent() -> None:
        done.set()

    queue = SpanQueue(Destination("otlp"), sender, on_sent)
    running = asyncio.create_task(queue.run())
    for number in (1, 2):
        queue.add(_spans(number))
        await done.wait()
        done.clear()
    running.cancel()
    assert sender.taken == [1, 2]


async def test_no_more_than_so_many_wait(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(span_queue, "MOST_WAITING_SPANS", 100)
    sender = Scripted(lambda _: AGAIN)
    queue = _queue(sender)
    for number in range(1, 251):
        queue.add(_spans(number))
    assert not await queue.send_waiting()
    assert (queue.added, queue.done) == (250, 150)
    sender.refuses = lambda _: None
    assert await queue.send_waiting()
    assert sender.taken == [*range(151, 251)], "the oldest go"
    assert _told(caplog)[1:] == ["telemetry: otlp takes spans again; 150 spans were dropped"]
    assert queue.done == queue.added


async def test_no_more_than_so_much_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(span_queue, "MOST_WAITING_CHARS", 50_000)
    sender = Scripted()
    queue = _queue(sender)
    queue.add(_spans(*range(1, 21), said="x" * 9_500))
    assert await queue.send_waiting()
    assert sender.taken == [*range(16, 21)]


async def test_what_finds_no_more_room_while_a_batch_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(span_queue, "MOST_WAITING_SPANS", 10)
    under_way, go_on = asyncio.Event(), asyncio.Event()

    class Slow(Scripted):
        async def send(self, batch: ExportTraceServiceRequest) -> None:
            under_way.set()
            await go_on.wait()
            await super().send(batch)

    sender = Slow()
    queue = _queue(sender)
    queue.add(_spans(*range(1, 11)))
    sending = asyncio.create_task(queue.send_waiting())
    await under_way.wait()
    queue.add(_spans(11, 12, 13))
    go_on.set()
    assert await sending
    assert sorted(sender.taken) == [*range(1, 14)]
    assert queue.done == queue.added == 13


async def test_what_is_refused_is_not_tried_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    """A wrong key: one request for each batch, none twice."""
    sender = Scripted(lambda _: REFUSED)
    queue = _queue(sender)
    queue.add(_spans(*range(1, 601)))
    assert await queue.send_waiting()
    assert len(sender.tried) == 3
    assert queue.done == 600
    assert _told(caplog) == ["telemetry: otlp does not take spans: it wants no more; they are dropped, and runs go on"]
    sender.refuses = lambda _: None
    queue.add(_spans(601))
    assert await queue.send_waiting()
    assert _told(caplog)[1:] == ["telemetry: otlp takes spans again; 600 spans were dropped"]


async def test_one_that_is_never_taken_takes_no_other_with_it() -> None:
    sender = Scripted(lambda numbers: TOO_MUCH if 300 in numbers else None)
    queue = _queue(sender)
    queue.add(_spans(*range(1, 601)))
    assert await queue.send_waiting()
    assert sender.taken == [number for number in range(1, 601) if number != 300]
    assert queue.done == 600
    assert len(sender.tried) < 30


async def test_those_that_a_server_fails_at_hold_up_no_others(caplog: pytest.LogCaptureFixture) -> None:
    poison = {*range(7, 2_000, 50)}
    sender = Scripted(lambda numbers: FAILS if poison & {*numbers} else None)
    queue = _queue(sender)
    queue.add(_spans(*range(1, 2_001)))
    rounds = 1
    while not await queue.send_waiting():
        rounds += 1
    # After that it is known, and nothing is waited for.
    assert rounds == span_queue._SUSPICIOUS
    assert sorted(sender.taken) == [number for number in range(1, 2_001) if number not in poison]
    assert (queue.done, queue.settled, queue.dropped) == (2_000, 2_000, len(poison))
    assert len(sender.tried) < 30 * len(poison)
    told = _told(caplog)
    assert told[0].startswith("telemetry: otlp does not take spans: it answers 500")
    assert "telemetry: otlp fails at what it takes others of: 1 span so far; dropped" in told
    assert len(told) <= 4
    queue.add(_spans(2_001, 2_007, 2_008))
    sender.refuses = lambda numbers: FAILS if 2_007 in numbers else None
    assert await queue.send_waiting()
    assert sender.taken[-2:] == [2_001, 2_008]


async def test_one_that_it_fails_at_alone_waits_for_others() -> None:
    sender = Scripted(lambda numbers: FAILS if 1 in numbers else None)
    queue = _queue(sender)
    queue.add(_spans(1))
    for _ in range(10):
        assert not await queue.send_waiting()
    assert (queue.waiting, queue.settled) == (1, 0)
    queue.add(_spans(2, 3))
    assert await queue.send_waiting()
    assert (sender.taken, queue.dropped, queue.settled) == ([2, 3], 1, 3)


async def test_what_is_sent_past_others_is_not_told_of_as_all() -> None:
    seen: list[tuple[int, int]] = []

    def noted(numbers: list[int]) -> Unsent | None:
        seen.append((queue.done, queue.settled))
        return FAILS if 1 in numbers else None

    sender = Scripted(noted)
    queue = _queue(sender)
    queue.add(_spans(*range(1, 11)))
    while not await queue.send_waiting():
        assert len(seen) < 100
    # While the first one was in question, others had left, and nothing was settled.
    assert any(done > 0 and settled == 0 for done, settled in seen)
    assert (queue.done, queue.settled, queue.dropped) == (10, 10, 1)


async def test_a_server_that_begins_to_fail_at_everything_while_it_is_sifted() -> None:
    taken = 0

    def fails_later(numbers: list[int]) -> Unsent | None:
        nonlocal taken
        if 5 in numbers or taken >= 2:
            return FAILS
        taken += 1
        return None

    sender = Scripted(fails_later)
    queue = _queue(sender)
    queue.add(_spans(*range(1, 101)))
    for _ in range(span_queue._SUSPICIOUS + 5):
        assert not await queue.send_waiting()
    assert queue.dropped <= 1, "only what it failed at before it took another one"
    sender.refuses = lambda _: None
    assert await queue.send_waiting()
    assert {*range(1, 101)} - {*sender.taken} <= {5}


async def test_a_server_that_goes_away_while_it_is_sifted() -> None:
    taken = 0

    def flaps(numbers: list[int]) -> Unsent | None:
        nonlocal taken
        if 5 in numbers:
            return FAILS
        taken += 1
        return None if taken < 2 else AGAIN

    sender = Scripted(flaps)
    queue = _queue(sender)
    queue.add(_spans(*range(1, 11)))
    for _ in range(span_queue._SUSPICIOUS + 2):
        assert not await queue.send_waiting()
    assert queue.dropped == 0
    sender.refuses = lambda _: None
    assert await queue.send_waiting()
    assert sorted(sender.taken) == [*range(1, 11)]


async def test_a_server_that_fails_at_everything_is_waited_for() -> None:
    sender = Scripted(lambda _: FAILS)
    queue = _queue(sender)
    queue.add(_spans(*range(1, 301)))
    for _ in range(100):
        assert not await queue.send_waiting()
    assert (queue.done, queue.dropped, queue.waiting) == (0, 0, 300)
    sender.refuses = lambda _: None
    assert await queue.send_waiting()
    assert sorted(sender.taken) == [*range(1, 301)]


async def test_a_server_that_takes_little_at_once() -> None:
    sender = Scripted(lambda numbers: TOO_MUCH if len(numbers) > 20 else None)
    queue = _queue(sender)
    queue.add(_spans(*range(1, 601)))
    assert await queue.send_waiting()
    assert sender.taken == [*range(1, 601)]


async def test_one_that_cannot_be_written(caplog: pytest.LogCaptureFixture) -> None:
    sender = Scripted()
    queue = _queue(sender)
    odd = StepSpan("odd", SpanAddress(1, 3), "run", "", "soon", 1, {})  # type: ignore[arg-type]
    queue.add([*_spans(1, 2), odd, *_spans(4, 5)])
    assert await queue.send_waiting()
    assert sender.taken == [1, 2, 4, 5]
    assert "a span cannot be written" in _told(caplog)[0]


async def test_the_last_ones_leave() -> None:
    """A server that refuses twice when the worker stops is asked a third time."""
    sender = Scripted(lambda _: AGAIN if len(sender.tried) < 3 else None)
    queue = _queue(sender)
    queue.add(_spans(1, 2))
    await queue.close(60.0)
    assert sender.taken == [1, 2]
    assert sender.is_closed


async def test_who_was_down_is_waited_for_no_longer(caplog: pytest.LogCaptureFixture) -> None:
    sender = Scripted(lambda _: AGAIN)
    queue = _queue(sender)
    queue.add(_spans(1, 2))
    assert not await queue.send_waiting()
    await queue.close(3600.0)
    assert len(sender.tried) == 2
    assert _told(caplog)[-1] == "telemetry: otlp did not take 2 last spans"
    assert sender.is_closed


async def test_what_is_on_its_way_is_not_sent_again() -> None:
    """By whoever lets go while the server takes its time to answer."""
    has_it, may_answer = asyncio.Event(), asyncio.Event()

    class Slow(Scripted):
        async def send(self, batch: ExportTraceServiceRequest) -> None:
            await super().send(batch)
            has_it.set()
            await may_answer.wait()

    sender = Slow()
    queue = _queue(sender)
    running = asyncio.create_task(queue.run())
    queue.add(_spans(1, 2))
    await has_it.wait()
    closing = asyncio.create_task(queue.close(60.0))
    await asyncio.sleep(0)
    may_answer.set()
    await closing
    running.cancel()
    assert sender.tried == [[1, 2]]
    assert sender.is_closed


async def test_patience_ends(caplog: pytest.LogCaptureFixture) -> None:
    class Stuck(Scripted):
        async def send(self, batch: ExportTraceServiceRequest) -> None:
            await asyncio.Event().wait()

    sender = Stuck()
    queue = _queue(sender)
    queue.add(_spans(1))
    await queue.close(0.01)
    assert _told(caplog) == ["telemetry: otlp did not take 1 last span"]
    assert sender.is_closed


async def test_who_waits_is_told_of_each_batch() -> None:
    done: list[int] = []

    async def on_sent() -> None:
        done.append(queue.done)

    queue = SpanQueue(Destination("otlp"), Scripted(), on_sent)
    queue.add(_spans(*range(1, 301)))
    assert await queue.send_waiting()
    assert done == [256, 300]


async def test_real_spans_are_sent() -> None:
    sender = Scripted()
    queue = _queue(sender)
    queue.add([run_span(Disclosure("on"), asked="Go.", answered="Done.")])
    assert await queue.send_waiting()
    assert len(sender.taken) == 1


async def test_what_waits_and_what_was_dropped_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after it has recovered: what is published of it only grows."""
    monkeypatch.setattr(span_queue, "MOST_WAITING_SPANS", 3)
    away = [AGAIN]
    sender = Scripted(lambda _: away[0] if away else None)
    queue = _queue(sender)
    assert (queue.waiting, queue.dropped, queue.is_up) == (0, 0, True)
    queue.add(_spans(1, 2, 3, 4))
    assert not await queue.send_waiting()
    assert (queue.waiting, queue.dropped, queue.is_up) == (3, 1, False)
    away.clear()
    assert await queue.send_waiting()
    assert (queue.waiting, queue.dropped, queue.is_up) == (0, 1, True)
    assert queue.done - queue.dropped == len(sender.taken) == 3
