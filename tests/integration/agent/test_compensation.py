"""What a run did is undone where it is cancelled so, or its chain fails: the last first, over the whole tree."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from sostenuto import (
    Agent,
    App,
    Chain,
    Client,
    Parallel,
    RunFinished,
    SpecError,
    Status,
    Step,
    ToolContext,
    ToolError,
    ToolRequested,
    tool,
)
from sostenuto.workers.worker import replayer
from tests.integration.agent.conftest import Serve
from tests.integration.agent.stage import Stage, calls, eventually

HANGS = {"text": "never", "hangs": True}
DONE: list[tuple[str, Any]] = []
KEYS: list[tuple[str, str]] = []


class Booking(BaseModel):
    """A booking."""

    number: int


@tool(effect="idempotent", retries=2)
async def cancel_room(ctx: ToolContext, hotel: str, night: int, result: Booking) -> str:
    """Undo it, at the second attempt."""
    if ctx.attempt == 1:
        raise OSError("the hotel is down")
    DONE.append(("cancel_room", (hotel, night, result.number)))
    KEYS.append((ctx.undoes, ctx.idempotency_key))
    return f"room {result.number} is free"


@tool(compensate=cancel_room)
async def book_room(ctx: ToolContext, hotel: str, night: int = 1) -> Booking:
    """Book a room."""
    DONE.append(("book_room", (hotel, night)))
    KEYS.append(("", ctx.idempotency_key))
    return Booking(number=len(DONE))


@tool
async def cancel_seat(seat: str) -> str:
    """Undo it, never."""
    raise ToolError("the plane has left")


@tool(compensate="cancel_seat")
async def book_seat(seat: str) -> str:
    """Book a seat."""
    DONE.append(("book_seat", seat))
    return "booked"


@tool(compensate=cancel_room)
async def book_suite(hotel: str, night: int = 1) -> Booking:
    """Book nothing."""
    raise ToolError(f"{hotel} has none")


@tool
async def mail(to: str) -> str:
    """Send a letter."""
    DONE.append(("mail", to))
    return "sent"


@tool(effect="read")
async def look() -> str:
    """Look."""
    return "a cat"


HOTEL = Agent(name="hotel", model="scripted/hotel", tools=[book_room, book_suite, look], description="Books hotels.")
TRIP = Agent(name="trip", model="scripted/trip", tools=[HOTEL, book_room, book_seat, mail])
FIRST = Agent(name="first", model="scripted/first", tools=[book_room])
PLAN = Chain(name="plan", steps=[FIRST, TRIP], compensate=True)
APP = App(PLAN, TRIP, tools=[cancel_seat])
SCRIPT: dict[str, list[Any]] = {
    "first": [calls(("book_room", {"hotel": "Ritz"})), "ok"],
    "hotel": [
        calls(("book_room", {"hotel": "Savoy", "night": 2}), ("book_suite", {"hotel": "Savoy"}), ("look", {})),
        "ok",
    ],
    "trip": [
        calls(("mail", {"to": "ann"})),
        calls(("hotel", {"task": "Book."})),
        calls(("book_seat", {"seat": "1A"})),
    ],
}


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    DONE.clear()
    KEYS.clear()


async def _all_undone(stage: Stage, run: Any, status: Status) -> None:
    result = await run.result()
    assert result.status is status
    assert result.compensated
    assert [(one.path, one.tool, one.outcome.value, one.by, one.reason) for one in result.compensated.effects] == [
        ("plan/trip", "book_seat", "failed", "cancel_seat", "the plane has left"),
        ("plan/trip/hotel", "book_room", "undone", "cancel_room", "room 3 is free"),
        ("plan/trip", "mail", "kept", "", ""),
        ("plan/first", "book_room", "undone", "cancel_room", "room 1 is free"),
    ]
    assert not result.compensated.is_complete
    undone = [("cancel_room", ("Savoy", 2, 3)), ("cancel_room", ("Ritz", 1, 1))]
    booked = [("book_room", ("Ritz", 1)), ("mail", "ann"), ("book_room", ("Savoy", 2)), ("book_seat", "1A")]
    assert [*booked, *undone] == DONE
    keys = [key for undoes, key in KEYS if not undoes]
    # Each has a key of its own, which the call that it undoes decides.
    assert KEYS[2:] == [(key, f"{key}:undo") for key in reversed(keys)]
    events = [event async for event in run.events()]
    asked = [event for event in events if isinstance(event, ToolRequested) and event.undoes]
    assert [(one.path, one.call_id, one.name) for one in asked] == [
        ("plan", "call_undo", "cancel_seat"),
        ("plan", "call_undo_2", "cancel_room"),
        ("plan", "call_undo_3", "cancel_room"),
    ]
    assert [one.undoes.partition(":")[0] for one in asked] == ["plan/trip", "plan/trip/hotel", "plan/first"]
    ended = events[-1]
    assert isinstance(ended, RunFinished)
    assert ended.compensated == result.compensated
    steps = [step.name for step in (await run.trace()).run.walk() if step.kind == "tool" and step.turn == 0]
    assert steps == ["cancel_seat", "cancel_room", "cancel_room"]
    history = await stage.temporal.get_workflow_handle(run.id).fetch_history()
    await replayer().replay_workflow(history)


async def test_a_cancelled_tree(serve: Serve) -> None:
    async with serve(APP, {**SCRIPT, "trip": [*SCRIPT["trip"], HANGS]}) as stage:
        run = await stage.start(PLAN)

        async def all_done() -> bool:
            return len(DONE) == 4

        await eventually(all_done)
        await run.cancel(compensate=True)
        await _all_undone(stage, run, Status.CANCELLED)
        with pytest.raises(SpecError, match="it has ended, and what it did is undone only while it is at work"):
            await run.cancel(compensate=True)


async def test_a_chain_that_fails(serve: Serve) -> None:
    async with serve(APP, {**SCRIPT, "trip": [*SCRIPT["trip"], {"error": "InvalidRequest"}]}) as stage:
        await _all_undone(stage, await stage.start(PLAN), Status.FAILED)


async def test_a_plain_cancel_undoes_nothing(serve: Serve) -> None:
    async with serve(APP, {**SCRIPT, "trip": [*SCRIPT["trip"], HANGS]}) as stage:
        run = await stage.start(PLAN)

        async def all_done() -> bool:
            return len(DONE) == 4

        await eventually(all_done)
        await run.cancel()
        with pytest.raises(SpecError, match=r"it (is being cancelled already|has ended)"):
            await run.cancel(compensate=True)
        result = await run.result()
    assert (result.status, result.compensated, len(DONE)) == (Status.CANCELLED, None, 4)


async def test_what_is_no_run(serve: Serve) -> None:
    async with serve(APP, {"trip": []}) as stage:
        chat = await Client(stage.temporal, task_queue=stage.task_queue, redis_url="").chat(TRIP, id=stage.task_queue)
        run = await Client(stage.temporal, redis_url="").get(chat.id)
        with pytest.raises(SpecError, match="it is no run of a runnable"):
            await run.cancel(compensate=True)


GATE: list[str] = []


@tool(effect="idempotent")
async def cancel_car(result: str) -> str:
    """Undo it, once the test lets it."""
    GATE.append("entered")

    async def is_open() -> bool:
        return "open" in GATE

    await eventually(is_open)
    return "the car is free"


@tool(compensate=cancel_car)
async def book_car() -> str:
    """Book a car."""
    DONE.append(("book_car", ""))
    return "booked"


@tool(effect="read")
async def until_booked() -> str:
    """Wait for the other branch."""

    async def is_booked() -> bool:
        return bool(DONE)

    await eventually(is_booked)
    return "booked"


LOSER = Agent(name="loser", model="scripted/books", tools=[book_car])
WINNER = Agent(name="winner", model="scripted/waits", tools=[until_booked])
LOST = Agent(name="lost", model="scripted/books", tools=[book_car])
RACE = Chain(
    name="plan", steps=[Parallel(name="race", branches=[LOSER, WINNER], join="first"), Step(LOST)], compensate=True
)


async def test_whatever_ends_what_is_nested_and_whatever_comes_meanwhile(serve: Serve) -> None:
    """A branch that lost and was cancelled is undone as well; of a terminated run nobody knows what it did."""
    GATE.clear()
    script = {"books": [calls(("book_car", {})), HANGS], "waits": [calls(("until_booked", {})), "ok"]}
    async with serve(App(RACE), script) as stage:
        run = await stage.start(RACE)

        async def both_booked() -> bool:
            return len(DONE) == 2

        async def is_undoing() -> bool:
            return bool(GATE)

        await eventually(both_booked)
        await stage.temporal.get_workflow_handle(f"{run.id}/lost").terminate()
        await eventually(is_undoing)
        await run.cancel()
        GATE.append("open")
        result = await run.result()
        history = await stage.temporal.get_workflow_handle(run.id).fetch_history()
    assert result.status is Status.FAILED
    assert result.compensated
    assert [(one.path, one.tool, one.call_id, one.outcome.value) for one in result.compensated.effects] == [
        ("plan/lost", "lost", "", "unknown"),
        ("plan/race/loser", "book_car", "call_1_0", "undone"),
    ]
    assert GATE == ["entered", "open"]
    await replayer().replay_workflow(history)
