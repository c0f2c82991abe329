"""Runs that spend from a ledger together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client as TemporalClient

from sostenuto import (
    Agent,
    App,
    Ask,
    Budget,
    Chain,
    Client,
    Model,
    Parallel,
    Price,
    Prompt,
    Status,
    Stop,
    tool,
)
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.activities.model_adapter import Completion, ModelRequest, OnDelta
from sostenuto.contracts import names
from sostenuto.contracts.control.ledger import Ledger
from sostenuto.contracts.wire.control.ledger import LedgerInput, LedgerQuery, LedgerState
from sostenuto.contracts.wire.control.share import LedgerLimits
from sostenuto.workflows.budget import borrowing
from tests.fakes.ledgers import nothing_held
from tests.integration.agent.stage import calls, eventually, stalling

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Serve
    from tests.integration.ledgers.conftest import ReadLedger, SetLedger

SENT = EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED
SIGNALED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
PRICE = Price(input=1, output=10)
USED = {"input_tokens": 1_000, "output_tokens": 500}
COST = 0.006


def model(name: str) -> Model:
    """A model whose calls cost up to a cent or so."""
    return Model(f"scripted/{name}", price=PRICE, max_output_tokens=1_000)


def agent(name: str, *tools: Any, **fields: Any) -> Agent:
    """An agent with a model of its name."""
    return Agent(name=name, model=model(name), tools=tools, **fields)


def turn(*asked: str, text: str = "") -> dict[str, Any]:
    """A turn that calls tools, and costs something."""
    return {**calls(*((name, {}) for name in asked), text=text), "usage": USED}


def looks(count: int) -> list[dict[str, Any]]:
    """So many turns that each look at something else."""
    return [{**calls(("look", {"at": number})), "usage": USED} for number in range(count)]


DONE = {"text": "Done.", "usage": USED}


@tool(effect="read")
async def look(at: int = 0) -> str:
    """Look at something."""
    return f"thing {at}"


async def test_what_a_run_spends_is_charged_to_the_ledger_and_the_rest_comes_back(
    serve: Serve, read: ReadLedger, ledger_name: str
) -> None:
    one = agent("one", look, budget=Budget(ledger=Ledger(ledger_name, usd=5)))
    async with serve(App(one), [turn("look"), turn("look"), DONE]) as stage:
        outcome = await stage.ask(one)
        state = await read(ledger_name)
    assert (outcome.result.status, outcome.result.output) == (Status.COMPLETED, "Done.")
    assert (state.spent.tokens, state.spent.turns, round(state.spent.usd, 6)) == (4_500, 3, round(3 * COST, 6))
    assert nothing_held(state)
    assert (state.limits, state.is_set) == (LedgerLimits(usd=5), False)
    signals = [event for event in outcome.history.events if event.event_type == 27]
    # One question, which finds no ledger, again once it is there, and one to tell the end: a block lasts several calls.
    assert len(signals) <= 4


async def test_a_ledger_without_limits_gives_nothing_and_says_how_to_set_them(serve: Serve, ledger_name: str) -> None:
    one = agent("one", budget=Budget(ledger=ledger_name))
    async with serve(App(one), [DONE]) as stage:
        result = (await stage.ask(one)).result
    assert (result.status, result.turns) == (Status.EXHAUSTED, 0)
    assert f"the ledger {ledger_name!r} has no limits, so it gives nothing: `sostenuto ledger set" in result.reason


async def test_what_is_set_goes_before_what_a_budget_says(
    serve: Serve, limit: SetLedger, read: ReadLedger, ledger_name: str
) -> None:
    one = agent("one", look, budget=Budget(ledger=Ledger(ledger_name, usd=5), on_exhausted=Stop()))
    async with serve(App(one), [turn("look"), turn("look"), turn("look"), DONE]) as stage:
        await limit(ledger_name, usd=0.02)
        result = (await stage.ask(one)).result
        state = await read(ledger_name)
    assert (result.status, result.exhausted) == (Status.EXHAUSTED, "usd")
    assert f"the ledger {ledger_name!r} is not enough: $0." in result.reason
    assert (state.limits, state.is_set, state.set_by) == (LedgerLimits(usd=0.02), True, "anna")
    assert state.spent.usd == pytest.approx(result.cost_usd)
    assert 0 < state.spent.usd <= 0.02
    assert nothing_held(state)


async def test_a_part_is_kept_for_last_answers(
    serve: Serve, limit: SetLedger, read: ReadLedger, ledger_name: str
) -> None:
    one = agent("one", look, budget=Budget(ledger=ledger_name))
    async with serve(App(one), [*looks(3), DONE]) as stage:
        await limit(ledger_name, turns=4)
        outcome = await stage.ask(one)
        state = await read(ledger_name)
    assert (outcome.result.status, outcome.result.turns, state.spent.turns) == (Status.EXHAUSTED, 4, 4)
    assert any(message.text.startswith("There is no budget left to go on.") for message in outcome.history.told)


async def test_many_runs_never_spend_more_together(
    serve: Serve, limit: SetLedger, read: ReadLedger, ledger_name: str
) -> None:
    one = agent("one", look, budget=Budget(ledger=ledger_name, on_exhausted=Stop()))
    async with serve(App(one), looks(40)) as stage:
        await limit(ledger_name, usd=0.2)
        runs = await asyncio.gather(*(stage.start(one) for _ in range(12)))
        results = [(await stage.outcome(run)).result for run in runs]
        state = await read(ledger_name)
    assert {result.status for result in results} == {Status.EXHAUSTED}
    assert state.spent.usd == pytest.approx(sum(result.cost_usd for result in results))
    # All that a call could still have been paid with is spent.
    assert 0.2 - 0.02 < state.spent.usd <= 0.2
    assert nothing_held(state)


async def test_nested_runs_are_charged_once_to_a_ledger_that_both_name(
    serve: Serve, read: ReadLedger, ledger_name: str
) -> None:
    budget = Budget(ledger=Ledger(ledger_name, usd=5))
    helper = agent("helper", look, budget=budget)
    lead = agent("lead", helper, budget=budget)
    script = {
        "lead": [{**calls(("helper", {"task": "go"})), "usage": USED}, DONE],
        "helper": [turn("look"), turn("look"), turn("look"), DONE],
    }
    async with serve(App(lead), script) as stage:
        outcome = await stage.ask(lead)
        state = await read(ledger_name)
    assert (outcome.result.status, outcome.result.turns) == (Status.COMPLETED, 6)
    assert (state.spent.turns, round(state.spent.usd, 6)) == (6, round(6 * COST, 6))
    assert nothing_held(state)


async def test_steps_and_branches_give_back_what_they_have(serve: Serve, read: ReadLedger, ledger_name: str) -> None:
    budget = Budget(ledger=Ledger(ledger_name, usd=5))
    steps = [Prompt(name=f"p{n}", template="Say {input}", model=model("p"), budget=budget) for n in range(3)]
    each = Parallel(name="each", branches=steps)
    end = Prompt(name="end", template="Say it", model=model("p"))
    chain = Chain(name="all", steps=[each, end, agent("a", budget=budget)])
    async with serve(App(chain), {"p": [DONE] * 4, "a": [DONE]}) as stage:
        outcome = await stage.ask(chain)
        state = await read(ledger_name)
    assert outcome.result.status is Status.COMPLETED
    # The prompt that names no ledger is charged to none.
    assert state.spent.turns == 4
    assert nothing_held(state)


async def test_a_run_that_waits_goes_on_with_a_top_up_of_the_ledger(
    serve: Serve, temporal: TemporalClient, limit: SetLedger, read: ReadLedger, ledger_name: str
) -> None:
    one = agent("one", look, budget=Budget(ledger=ledger_name, on_exhausted=Ask()))
    async with serve(App(one), [turn("look"), turn("look"), DONE]) as stage:
        await limit(ledger_name, turns=1)
        run = await stage.start(one)
        await eventually(_waits(run.top_ups))
        (waiting,) = await run.top_ups()
        assert f"the ledger {ledger_name!r} is not enough: 1 of 1 model calls are made" in waiting.reason
        with pytest.raises(Exception, match="what is lacking is of the ledger"):
            await run.top_up(by="anna", turns=3)
        handle = temporal.get_workflow_handle(names.LEDGER_ID + ledger_name)
        await handle.execute_update(names.LEDGER_TOP_UP_UPDATE, {"turns": 5, "by": "anna"})
        outcome = await stage.outcome(run)
        state = await read(ledger_name)
    assert (outcome.result.status, outcome.result.turns, state.spent.turns) == (Status.COMPLETED, 3, 3)
    assert nothing_held(state)


async def test_a_run_that_waits_too_long_ends(serve: Serve, limit: SetLedger, ledger_name: str) -> None:
    one = agent("one", look, budget=Budget(ledger=ledger_name, on_exhausted=(Ask(expires=1), Stop())))
    async with serve(App(one), [turn("look"), turn("look"), DONE]) as stage:
        await limit(ledger_name, turns=1)
        result = (await stage.ask(one)).result
    assert (result.status, result.turns, result.exhausted) == (Status.EXHAUSTED, 1, "turns")


def _waits(top_ups: Callable[[], Any]) -> Callable[[], Any]:
    async def waits() -> bool:
        return bool(await top_ups())

    return waits


async def test_what_one_run_does_not_need_is_recalled_for_another(
    serve: Serve, limit: SetLedger, read: ReadLedger, ledger_name: str
) -> None:
    stall, stalled, go = stalling()
    budget = Budget(ledger=ledger_name, on_exhausted=Stop())
    sleepy, eager = agent("sleepy", stall, budget=budget), agent("eager", look, budget=budget)
    script = {"sleepy": [turn("stall"), DONE], "eager": [turn("look"), DONE]}
    async with serve(App(sleepy, eager), script) as stage:
        await limit(ledger_name, turns=4)
        run = await stage.start(sleepy)
        await stalled.wait()
        before = await read(ledger_name)
        assert before.held.turns > 0
        result = (await stage.ask(eager)).result
        assert (result.status, result.turns) == (Status.COMPLETED, 2)
        go.set()
        slept = (await stage.outcome(run)).result
        state = await read(ledger_name)
    assert (slept.status, state.spent.turns) == (Status.COMPLETED, 4)
    assert nothing_held(state)


@pytest.mark.parametrize("is_nested", [False, True], ids=["itself", "nested"])
async def test_a_terminated_run_is_charged_for_what_its_history_tells(
    serve: Serve, temporal: TemporalClient, limit: SetLedger, read: ReadLedger, ledger_name: str, *, is_nested: bool
) -> None:
    stall, stalled, go = stalling()
    budget = Budget(ledger=ledger_name, on_exhausted=Stop())
    doomed = agent("doomed", stall, budget=budget)
    lead = agent("lead", doomed)
    eager = agent("eager", look, budget=budget)
    script = {
        "lead": [{**calls(("doomed", {"task": "go"})), "usage": USED}, DONE],
        "doomed": [turn("stall")],
        "eager": [turn("look"), turn("look"), DONE],
    }
    async with serve(App(lead, eager), script) as stage:
        await limit(ledger_name, turns=4)
        run = await stage.start(lead if is_nested else doomed)
        await stalled.wait()
        await temporal.get_workflow_handle(f"{run.id}/doomed" if is_nested else run.id).terminate("somebody did")
        result = (await stage.ask(eager)).result
        state = await read(ledger_name)
        go.set()
    assert (result.status, result.turns) == (Status.COMPLETED, 3)
    assert state.spent.turns == 4
    assert nothing_held(state)


async def test_a_chat_gives_back_what_it_has_between_two_questions(
    serve: Serve, read: ReadLedger, ledger_name: str
) -> None:
    one = agent("one", look, budget=Budget(ledger=Ledger(ledger_name, usd=5)))
    async with serve(App(one), [turn("look"), DONE, DONE]) as stage:
        chat = await Client(stage.temporal, task_queue=stage.task_queue).chat(one)
        await chat.send("First")
        between = await read(ledger_name)
        await chat.send("Second")
        state = await read(ledger_name)
        await chat.end()
    assert (between.spent.turns, state.spent.turns) == (2, 3)
    assert nothing_held(between)
    assert nothing_held(state)


async def test_a_ledger_that_continues_as_new_forgets_nothing(
    serve: Serve, impatient: TemporalClient, task_queue: str
) -> None:
    """Nor do runs that do, in the middle of what they have of it."""
    name = f"team:{task_queue}/month"
    one = agent("one", look, budget=Budget(ledger=Ledger(name, turns=60), on_exhausted=Stop()), max_turns=99)
    async with serve(App(one), looks(40), temporal=impatient) as stage:
        runs = await asyncio.gather(*(stage.start(one) for _ in range(4)))
        results = [(await stage.outcome(run)).result for run in runs]
        handle = impatient.get_workflow_handle(names.LEDGER_ID + name)
        state = await handle.query(names.LEDGER_QUERY, LedgerQuery(at=datetime.now(UTC)), result_type=LedgerState)
        executions = (await handle.describe()).raw_info
    assert {result.status for result in results} == {Status.EXHAUSTED}
    assert state.spent.turns == sum(result.turns for result in results) == 60
    assert state.spent.usd == pytest.approx(sum(result.cost_usd for result in results))
    assert nothing_held(state)
    assert executions.first_run_id != executions.execution.run_id


async def test_calls_beside_one_that_waits_ask_no_more_than_they_have_to(
    serve: Serve, temporal: TemporalClient, limit: SetLedger, read: ReadLedger, ledger_name: str
) -> None:
    """One question of each call stands at the ledger, and what is topped up is enough for that."""
    one = agent("one", budget=Budget(tokens=10**9, ledger=ledger_name, on_exhausted=Ask()))
    dear = Agent(
        name="dear",
        model=Model("scripted/dear", price=PRICE, max_output_tokens=100_000),
        budget=Budget(ledger=ledger_name, on_exhausted=Ask()),
    )
    many = [Prompt(name=f"p{n}", template="Say {input}", model=model("p")) for n in range(12)]
    both = Parallel(
        name="both",
        branches=[dear, Chain(name="many", steps=many), one],
        budget=Budget(ledger=ledger_name, on_exhausted=Ask()),
    )
    async with serve(App(both), {"dear": [DONE], "p": [DONE] * 12, "one": [DONE]}) as stage:
        await limit(ledger_name, usd=0.5)
        run = await stage.start(both)
        await eventually(_waits(run.top_ups))
        waiting = await run.top_ups()
        assert {one.ledger for one in waiting} == {ledger_name}

        async def others_are_done() -> bool:
            steps = (await run.trace()).run.walk()
            return len([step for step in steps if step.kind == "model" and step.seconds is not None]) == 13

        await eventually(others_are_done)
        assert (await read(ledger_name)).waiting == 1
        client = Client(temporal, task_queue=stage.task_queue, redis_url="")
        await client.ledgers.top_up(ledger_name, usd=1.0, by="anna")
        outcome = await stage.outcome(run)
        state = await read(ledger_name)
    assert (outcome.result.status, state.spent.turns) == (Status.COMPLETED, 14)
    assert nothing_held(state)


async def test_a_run_that_waits_for_an_answer_asks_a_ledger_again_that_was_ended(
    serve: Serve, temporal: TemporalClient, read: ReadLedger, ledger_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(borrowing, "_PATIENCE", timedelta(seconds=1))
    one = agent("one", look, budget=Budget(ledger=Ledger(ledger_name, usd=5)))
    nowhere = f"{ledger_name}-nowhere"
    await temporal.start_workflow(
        names.LEDGER_WORKFLOW, LedgerInput(name=ledger_name), id=names.LEDGER_ID + ledger_name, task_queue=nowhere
    )
    async with serve(App(one), [turn("look"), DONE]) as stage:
        run = await stage.start(one)
        handle = temporal.get_workflow_handle(names.LEDGER_ID + ledger_name)

        async def was_asked() -> bool:
            return SIGNALED in [event.event_type async for event in handle.fetch_history_events()]

        await eventually(was_asked)
        await handle.terminate()
        outcome = await stage.outcome(run)
        state = await read(ledger_name)
    assert (outcome.result.status, state.spent.turns) == (Status.COMPLETED, 2)
    assert nothing_held(state)


async def test_a_cancelled_run_gives_back_what_it_has_and_withdraws_its_question(
    serve: Serve, limit: SetLedger, read: ReadLedger, ledger_name: str
) -> None:
    one = agent("one", look, budget=Budget(ledger=ledger_name, on_exhausted=Ask()))
    async with serve(App(one), [turn("look"), turn("look"), DONE]) as stage:
        await limit(ledger_name, turns=1)
        run = await stage.start(one)
        await eventually(_waits(run.top_ups))
        await run.cancel()
        outcome = await stage.outcome(run)
        state = await read(ledger_name)
    assert (outcome.result.status, state.spent.turns) == (Status.CANCELLED, 1)
    assert nothing_held(state)


async def test_what_a_run_told_is_not_charged_again_when_it_is_terminated(
    serve: Serve, temporal: TemporalClient, limit: SetLedger, read: ReadLedger, ledger_name: str
) -> None:
    stall, stalled, go = stalling()
    budget = Budget(ledger=ledger_name, on_exhausted=Stop())
    doomed, eager = agent("doomed", look, stall, budget=budget), agent("eager", look, budget=budget)
    script = {"doomed": [*looks(9), turn("stall")], "eager": [*looks(9), DONE]}
    async with serve(App(doomed, eager), script) as stage:
        await limit(ledger_name, turns=21)
        run = await stage.start(doomed)
        await stalled.wait()
        await temporal.get_workflow_handle(run.id).terminate("somebody did")
        result = (await stage.ask(eager)).result
        state = await read(ledger_name)
        go.set()
    assert (result.status, result.turns, state.spent.turns) == (Status.COMPLETED, 10, 20)
    assert nothing_held(state)


async def test_what_a_chat_told_before_it_continued_as_new_is_not_charged_again(
    serve: Serve, impatient: TemporalClient, task_queue: str
) -> None:
    """It is terminated in the middle of a turn of a later execution."""
    stall, stalled, go = stalling()
    name = f"team:{task_queue}"
    one = agent("one", stall, budget=Budget(ledger=Ledger(name, turns=40), on_exhausted=Stop()))
    eager = agent("eager", look, budget=Budget(ledger=Ledger(name, turns=40), on_exhausted=Stop()), max_turns=100)
    script = [*[DONE] * 15, turn("stall"), DONE]
    async with serve(App(one, eager), {"one": script, "eager": looks(60)}, temporal=impatient) as stage:
        client = Client(impatient, task_queue=stage.task_queue, redis_url="")
        chat = await client.chat(one)
        for number in range(15):
            await chat.send(f"Question {number}")
        handle = impatient.get_workflow_handle(chat.id)
        executions = (await handle.describe()).raw_info
        assert executions.first_run_id != executions.execution.run_id
        turn_under_way = asyncio.ensure_future(chat.send("And now?").accepted())
        await stalled.wait()
        await turn_under_way
        await handle.terminate("somebody did")
        result = (await stage.ask(eager)).result
        state = await client.ledgers.get(name)
        go.set()
    assert (result.status, result.turns) == (Status.EXHAUSTED, 40 - 16)
    assert state.spent.turns == 40
    assert nothing_held(state)


async def test_nobody_waits_longer_than_they_may_for_what_others_have(
    serve: Serve, limit: SetLedger, read: ReadLedger, ledger_name: str
) -> None:
    asked, go = asyncio.Event(), asyncio.Event()

    class Slow(ScriptedAdapter):
        async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
            if request.model.model == "slow":
                asked.set()
                await go.wait()
            return await super().complete(request, on_delta)

    slow = agent("slow", budget=Budget(ledger=ledger_name, on_exhausted=Stop()))
    late = agent("late", budget=Budget(ledger=ledger_name, seconds=2, on_exhausted=Stop()))
    async with serve(App(slow, late), Slow({"slow": [DONE], "late": [DONE]})) as stage:
        await limit(ledger_name, turns=1)
        held = await stage.start(slow)
        await asked.wait()
        outcome = await stage.ask(late)
        assert (await read(ledger_name)).waiting == 0
        go.set()
        await stage.outcome(held)
        state = await read(ledger_name)
    assert (outcome.result.status, outcome.result.turns) == (Status.EXHAUSTED, 0)
    assert len([event for event in outcome.history.events if event.event_type == SENT]) <= 6
    assert nothing_held(state)
