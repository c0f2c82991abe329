"""Budgets that wait for a top-up, and the same step then goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import (
    Agent,
    App,
    Ask,
    Budget,
    BudgetSpent,
    BudgetToppedUp,
    Chain,
    Client,
    Degrade,
    Finish,
    Model,
    Parallel,
    PendingTopUp,
    Price,
    SpecError,
    Status,
    Stop,
    tool,
)
from sostenuto.clients import waiting as patient
from sostenuto.clients.approvals.how_to_decide import least_top_up
from sostenuto.clients.approvals.top_up_calls import TopUpCalls
from sostenuto.contracts import names
from tests.integration.agent.stage import calls, eventually, stalling
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Serve

MODEL = Model("scripted/model", price=Price(input=1, output=10), max_output_tokens=1_000)


@tool(effect="read")
async def look(at: str) -> str:
    """Look at a thing."""
    return f"a {at}"


def looks(count: int) -> list[Any]:
    """Turns that each look at something."""
    used = {"input_tokens": 1_000, "output_tokens": 500}
    return [{**calls(("look", {"at": str(n)}), text=f"Turn {n}."), "usage": used} for n in range(count)]


async def waiting(run: TopUpCalls, count: int = 1) -> tuple[PendingTopUp, ...]:
    """What waits in a run, once so much does."""
    found: tuple[PendingTopUp, ...] = ()

    async def there() -> bool:
        nonlocal found
        found = await run.top_ups()
        return len(found) == count

    await eventually(there)
    return found


async def test_a_top_up_that_is_sent_again_is_taken_once(serve: Serve, impatient: TemporalClient) -> None:
    """Also by the next execution of a run that continues as new."""
    stall, stalled, go = stalling()
    agent = Agent(
        name="tester",
        model=MODEL,
        tools=[look, stall],
        max_turns=99,
        budget=Budget(turns=2, on_exhausted=(Ask(expires=60), Stop())),
    )
    async with serve(App(agent), [*looks(20), calls(("stall", {})), *looks(9)], temporal=impatient) as stage:
        run = await stage.start(agent)
        await waiting(run)
        await run.top_up(turns=20, by="ada", id="t1")
        await stalled.wait()
        described = (await impatient.get_workflow_handle(run.id).describe()).raw_info
        assert described.first_run_id != described.execution.run_id
        again = await run.top_up(turns=20, by="ada", id="t1")
        assert (again.path, again.still) == ("tester", "")
        go.set()
        (asked,) = await waiting(run)
        assert "22 of 22 model calls are made" in asked.reason
        await run.cancel()


async def test_a_run_waits_and_the_same_step_goes_on_once_there_is_enough(
    serve: Serve, temporal: TemporalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patient, "_ANSWER_SECONDS", PATIENCE_SECONDS)
    agent = Agent(name="tester", model=MODEL, tools=[look], budget=Budget(usd=0.02, on_exhausted=Ask()))
    async with serve(App(agent), [*looks(3), "Done."]) as stage:
        run = await stage.start(agent)
        (asked,) = await waiting(run)
        assert (asked.path, asked.limit, asked.run_id, asked.expires) == ("tester", "usd", run.id, None)
        assert "$0.0120 of $0.0200 is spent" in asked.reason
        description = await temporal.get_workflow_handle(run.id).describe()
        assert names.TOP_UPS_MEMO in await description.memo()

        async def listed() -> bool:
            found = await Client(temporal, redis_url="").top_ups(f"WorkflowId = '{run.id}'")
            return [one.missing for one in found] == [asked.missing]

        await eventually(listed)
        trace = (await run.trace()).run
        assert [(step.kind, step.awaits) for step in trace.walk() if step.awaits] == [
            ("run", f"a top-up: {asked.reason}")
        ]
        least = least_top_up(asked)
        with pytest.raises(TimeoutError) as raised:
            await run.result(timeout=0.01)
        assert str(raised.value).endswith(
            f"{asked.reason}: it waits for a top-up: `sostenuto top-up {run.id} {least}`, or "
            f"run.top_up(usd={least}, by=...)"
        )
        for wrong, why in (
            ({"tokens": 5}, "the budget of 'tester' limits usd, and is given none of that"),
            ({}, "a top-up says how much more"),
            ({"usd": -1.0}, "usd: Input should be greater than or equal to 0"),
            ({"usd": float("nan")}, "usd: Input should be a finite number"),
            ({"usd": 1.0, "by": " "}, "by= says who decides"),
            ({"usd": 1.0, "path": "nobody"}, "there is no budget at 'nobody': those there are at 'tester'$"),
        ):
            with pytest.raises(SpecError, match=why):
                await run.top_up(**{"by": "ada", **wrong})  # type: ignore[arg-type]
        assert (await run.top_up(usd=1e-320, by="ada")).still == asked.reason
        too_little = await run.top_up(usd=0.0001, by="ada")
        assert "of $0.0201 is spent" in too_little.still
        (asked,) = await waiting(run)
        came = await run.top_up(usd=asked.missing.usd, by="ada", note="one more")
        assert (came.path, came.still) == ("tester", "")
        await waiting(run)
        assert not (await run.top_up(usd=1.0, by="bob")).still
        outcome = await stage.outcome(run)
        assert (outcome.result.status, outcome.result.output, outcome.result.turns) == (Status.COMPLETED, "Done.", 4)
        events = [event async for event in run.events() if isinstance(event, BudgetSpent | BudgetToppedUp)]
        told = [event.by if isinstance(event, BudgetToppedUp) else event.then for event in events]
        assert told == ["ask", "ada", "ada", "ada", "ask", "bob"]
        assert events[-1].words == "bob topped the budget up by $1"
        description = await temporal.get_workflow_handle(run.id).describe()
        assert names.TOP_UPS_MEMO not in await description.memo()
        assert not await run.top_ups()
        with pytest.raises(SpecError, match="the run has ended"):
            await run.top_up(usd=1.0, by="late")


async def test_where_nobody_tops_it_up_in_time_the_next_step_is_taken(serve: Serve) -> None:
    budget = Budget(turns=3, on_exhausted=[Ask(expires=0.2), Finish()])
    agent = Agent(name="tester", model=MODEL, tools=[look], budget=budget)
    async with serve(App(agent), [*looks(2), "At last."]) as stage:
        outcome = await stage.ask(agent)
        told = [event.then async for event in outcome.run.events() if isinstance(event, BudgetSpent)]
    assert (outcome.result.status, outcome.result.output, outcome.result.turns) == (Status.EXHAUSTED, "At last.", 3)
    assert told == ["ask", "finish"]


async def test_time_can_be_topped_up(serve: Serve) -> None:
    agent = Agent(name="tester", model=MODEL, tools=[look], budget=Budget(seconds=0.001, on_exhausted=Ask()))
    async with serve(App(agent), [*looks(1), "Done."]) as stage:
        run = await stage.start(agent)
        (asked,) = await waiting(run)
        assert (asked.limit, asked.missing.usd) == ("seconds", 0.0)
        await run.top_up(seconds=timedelta(minutes=10), by="ada")
        assert (await stage.outcome(run)).result.output == "Done."


async def test_nested_runs_wait_for_the_budget_above_them(serve: Serve) -> None:
    helpers = [Agent(name=f"helper_{n}", model=MODEL, tools=[look]) for n in range(3)]
    tree = Chain(name="job", steps=[Parallel(name="all", branches=helpers)], budget=Budget(turns=4, on_exhausted=Ask()))
    async with serve(App(tree), [*looks(1), "Done."]) as stage:
        run = await stage.start(tree)
        (asked,) = await waiting(run)
        assert (asked.run_id, asked.path, asked.missing.turns) == (run.id, "job", 1)
        await run.top_up(turns=2, by="ada")
        outcome = await stage.outcome(run)
    assert (outcome.result.status, outcome.result.turns) == (Status.COMPLETED, 6)


async def test_what_was_allowed_beside_holds_when_it_continues_as_new(serve: Serve, impatient: TemporalClient) -> None:
    budget = Budget(turns=1, on_exhausted=Ask())
    agent = Agent(name="tester", model=MODEL, tools=[look], budget=budget, max_turns=40)
    async with serve(App(agent), [*looks(12), "Done."], temporal=impatient) as stage:
        run = await stage.start(agent)
        await waiting(run)
        await run.top_up(turns=12, by="ada")
        outcome = await stage.outcome(run)
    assert (outcome.result.status, outcome.result.turns) == (Status.COMPLETED, 13)
    started = outcome.history.first("workflow_execution_started").workflow_execution_started_event_attributes
    assert started.continued_execution_run_id, "it was to continue as new"


@pytest.mark.parametrize("in_a_chain", [False, True])
async def test_a_chat_takes_a_top_up_while_a_question_waits_for_it_alone(serve: Serve, in_a_chain: bool) -> None:
    budget = Budget(turns=1, on_exhausted=Ask())
    agent = Agent(name="tester", model=MODEL, tools=[look], budget=None if in_a_chain else budget)
    desk = Chain(name="desk", steps=[agent], budget=budget) if in_a_chain else agent
    async with serve(App(desk), [*looks(1), "Done.", *looks(1), "Done again."]) as stage:
        chat = await Client(stage.temporal, task_queue=stage.task_queue, redis_url="").chat(desk, id=stage.task_queue)
        for _ in range(2):
            with pytest.raises(SpecError, match="there is no budget: a chat's is of one question, and none is being"):
                await chat.top_up(turns=5, by="ada")
            turn = chat.send("Go.")
            await turn.accepted()
            (asked,) = await waiting(chat)
            assert "1 of 1 model calls" in asked.reason
            await chat.top_up(turns=1, by="ada")
            result = await turn
            assert (result.status, result.turns) == (Status.COMPLETED, 2)
        with pytest.raises(SpecError, match="there is no budget at 'desk': a chat's is of one question"):
            await chat.top_up(turns=5, by="ada", path="desk")
        await chat.end()


async def test_what_waits_can_be_cancelled(serve: Serve) -> None:
    agent = Agent(name="tester", model=MODEL, budget=Budget(usd=0.0001, on_exhausted=Ask()))
    async with serve(App(agent), ["unused"]) as stage:
        run = await stage.start(agent)
        await waiting(run)
        await run.cancel()
        outcome = await stage.outcome(run)
        assert outcome.result.status is Status.CANCELLED
        assert not await run.top_ups()


def test_nothing_comes_after_what_waits_as_long_as_it_takes() -> None:
    with pytest.raises(SpecError, match="say until when by expires="):
        Budget(usd=1, on_exhausted=[Ask(), Finish()])
    with pytest.raises(SpecError, match="expires"):
        Ask(expires=0)
    assert Budget(usd=1, on_exhausted=[Degrade("a/b"), Ask(expires=60), Finish()]).keep == 0.1
