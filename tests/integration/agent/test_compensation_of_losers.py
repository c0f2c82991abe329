"""A compensating chain that is given up is undone, unless a person has cancelled what it belongs to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio import workflow

from sostenuto import Agent, App, Chain, Client, Compensation, Parallel, Result, RunFinished, Status, tool
from sostenuto.contracts.specs.runnable import Runnable
from sostenuto.workers.worker import replayer
from sostenuto.workflows import call_tool, compensate, run
from tests.integration.agent.conftest import Serve
from tests.integration.agent.stage import Stage, calls, eventually

DONE: list[str] = []
HANGS = {"text": "never", "hangs": True}


@tool(effect="idempotent")
async def cancel_car() -> str:
    """Undo it."""
    DONE.append("cancelled")
    return "the car is free"


@tool(compensate=cancel_car)
async def book_car() -> str:
    """Book a car."""
    DONE.append("booked")
    return "booked"


@tool(effect="read")
async def until_booked() -> str:
    """Wait for the other branch."""

    async def is_booked() -> bool:
        return bool(DONE)

    await eventually(is_booked)
    return "booked"


BOOKER = Agent(name="booker", model="scripted/books", tools=[book_car], description="Books.")
WINNER = Agent(name="winner", model="scripted/waits", tools=[until_booked])
TRIP = Chain(name="trip", steps=[BOOKER], compensate=True, description="A trip.")
DESK = Agent(name="desk", model="scripted/desk", tools=[TRIP])
HERE = Parallel(name="race", branches=[TRIP, WINNER], join="first")
"""The chain runs in the workflow that gives it up."""
BELOW = Parallel(name="race", branches=[DESK, WINNER], join="first")
"""It runs in a run that is nested in one that is given up."""
SCRIPT: dict[str, list[Any]] = {
    "books": [calls(("book_car", {})), HANGS],
    "desk": [calls(("trip", {"task": "Book."})), "ok"],
    "waits": [calls(("until_booked", {})), "ok"],
}


@workflow.defn
class GivesUp:
    """Books, and waits no longer once it is booked."""

    @workflow.run
    async def run(self) -> list[Any]:
        """Return how the trip ended for the code, and what was left to be undone."""
        trip = asyncio.create_task(run(TRIP, "Book."))
        await call_tool(until_booked)
        # The nested run has asked its model again by then, or will.
        trip.cancel()
        ended: list[Any] = await asyncio.gather(trip, return_exceptions=True)
        return [type(ended[0]).__name__, await compensate()]


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    DONE.clear()


async def _is_booked() -> bool:
    return "booked" in DONE


@pytest.mark.parametrize(("race", "path"), [(HERE, "race/trip/booker"), (BELOW, "race/desk/trip/booker")])
async def test_one_that_loses_a_race(serve: Serve, race: Runnable, path: str) -> None:
    async with serve(App(race), SCRIPT) as stage:
        run = await stage.start(race)
        result = await run.result()
        events = [event async for event in run.events()]
        history = await stage.temporal.get_workflow_handle(run.id).fetch_history()
    assert (result.status, result.output) == (Status.COMPLETED, "ok")
    _is_undone(result.compensated, path)
    assert isinstance(events[-1], RunFinished)
    assert events[-1].compensated == result.compensated
    await replayer().replay_workflow(history)


def _is_undone(compensated: Compensation | None, path: str) -> None:
    assert compensated
    assert [(one.path, one.tool, one.outcome.value) for one in compensated.effects] == [(path, "book_car", "undone")]
    assert DONE == ["booked", "cancelled"]


async def test_one_that_the_code_of_a_workflow_gives_up(serve: Serve) -> None:
    async with serve(App(TRIP, tools=[until_booked], workflows=[GivesUp]), SCRIPT) as stage:
        handle = await stage.temporal.start_workflow(GivesUp.run, id=stage.task_queue, task_queue=stage.task_queue)
        ended, compensated = await handle.result()
        nested = stage.temporal.get_workflow_handle(f"{stage.task_queue}/trip", result_type=Result)
        _is_undone((await nested.result()).compensated, "GivesUp/trip/booker")
        history = await handle.fetch_history()
    assert (ended, Compensation.model_validate(compensated)) == ("CancelledError", Compensation())
    await replayer(workflows=[GivesUp]).replay_workflow(history)


async def _until_it_hangs(stage: Stage, booker: str) -> None:
    """Wait until the model is asked what comes after the booking."""

    async def hangs() -> bool:
        description = await stage.temporal.get_workflow_handle(booker).describe()
        return [one.activity_type.name for one in description.raw_description.pending_activities] == ["sostenuto.model"]

    await eventually(_is_booked)
    await eventually(hangs)


@pytest.mark.parametrize(("race", "booker"), [(HERE, "trip/booker"), (BELOW, "desk/trip/booker")])
async def test_a_plain_cancel_of_the_run_undoes_nothing(serve: Serve, race: Runnable, booker: str) -> None:
    async with serve(App(race), {**SCRIPT, "waits": [HANGS]}) as stage:
        run = await stage.start(race)
        await eventually(_is_booked)
        await _until_it_hangs(stage, f"{run.id}/{booker}")
        await run.cancel()
        result = await run.result()
    assert (result.status, result.compensated, DONE) == (Status.CANCELLED, None, ["booked"])


async def test_an_interrupt_of_a_chat_undoes_nothing(serve: Serve) -> None:
    script = {**SCRIPT, "waits": [HANGS]}
    async with serve(App(BELOW), script) as stage:
        chat = await Client(stage.temporal, task_queue=stage.task_queue, redis_url="").chat(BELOW, id=stage.task_queue)
        turn = asyncio.ensure_future(chat.send("Book."))
        await eventually(_is_booked)
        await chat.interrupt()
        result = await turn
    assert (result.status, result.compensated, DONE) == (Status.CANCELLED, None, ["booked"])


async def test_one_whose_nested_run_somebody_cancels(serve: Serve) -> None:
    """The chain itself goes on, and does not complete."""
    async with serve(App(TRIP), SCRIPT) as stage:
        run = await stage.start(TRIP)
        await _until_it_hangs(stage, f"{run.id}/booker")
        await stage.temporal.get_workflow_handle(f"{run.id}/booker").cancel()
        result = await run.result()
    assert result.status is Status.CANCELLED
    _is_undone(result.compensated, "trip/booker")
