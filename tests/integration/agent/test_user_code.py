"""One harms no other: what a tool, validator or price function does to its loop or thread stays its own affair."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client

from sostenuto import Agent, App, Status, tool
from sostenuto.activities import model as model_activity
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.workers.worker import build_worker
from tests.integration.agent.conftest import Serve
from tests.integration.agent.stage import Stage, calls
from tests.patience import PATIENCE_SECONDS

# Longer than a heartbeat timeout and what the server adds to it.
_BLOCKED_SECONDS = 7.0


@tool(effect="once")
async def greedy() -> str:
    """Hold the loop up."""
    time.sleep(_BLOCKED_SECONDS)  # noqa: ASYNC251 - as people do
    return "done"


@tool(effect="once", name="greedy")
def greedy_thread() -> str:
    """Hold a thread up."""
    time.sleep(_BLOCKED_SECONDS)
    return "done"


@tool(effect="once")
def pay() -> str:
    """Pay."""
    return "paid"


def slow_check(answer: str) -> None:
    """Hold a validator up."""
    if answer == "Checked.":
        time.sleep(_BLOCKED_SECONDS)


async def greedy_check(answer: str) -> None:
    """Hold the loop up in a validator."""
    if answer == "Checked.":
        time.sleep(_BLOCKED_SECONDS)  # noqa: ASYNC251 - as people do


def _script(culprit_answers: str) -> dict[str, Any]:
    return {
        "greedy": [calls(("greedy", {})), culprit_answers],
        "bystander": [calls(("pay", {})), {"text": "Paid.", "delay_seconds": 6}],
    }


@pytest.mark.parametrize("culprit", ["async tool", "sync tool", "sync validator", "async validator"])
async def test_bystanders_go_on(serve: Serve, culprit: str, caplog: pytest.LogCaptureFixture) -> None:
    checks: dict[str, list[Any]] = {"sync validator": [slow_check], "async validator": [greedy_check]}
    tools: dict[str, list[Any]] = {"async tool": [greedy], "sync tool": [greedy_thread]}
    script = _script("Done.")
    if culprit in checks:
        script["greedy"] = ["Checked."]
    harmful = Agent(
        name="harmful", model="scripted/greedy", tools=tools.get(culprit, [pay]), validators=checks.get(culprit, [])
    )
    bystander = Agent(name="bystander", model="scripted/bystander", tools=[pay])
    with caplog.at_level(logging.WARNING):
        async with serve(App(harmful, bystander), script) as stage:
            runs = [await stage.start(agent) for agent in (harmful, bystander, bystander, bystander)]
            outcomes = await asyncio.gather(*(stage.outcome(run) for run in runs))
    for outcome in outcomes:
        assert outcome.result.status is Status.COMPLETED, outcome.result.reason
        assert set(outcome.history.attempts.values()) == {1}
    for outcome in outcomes[1:]:
        assert outcome.tool_results == [("paid", False)]
    if culprit.startswith("async"):
        name = "greedy" if culprit == "async tool" else "greedy_check"
        assert f"{name} has held up all async functions of this worker" in caplog.text


async def test_a_price_function_that_blocks_or_raises_costs_the_run_its_price_alone(
    serve: Serve, temporal: Client, task_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = Agent(name="a", model="scripted/model")

    async with serve(App(agent), ["Hello."]) as stage:
        assert (await stage.ask(agent)).result.unpriced_calls == 0

    go_on = threading.Event()

    def blocks(*_: Any) -> float:
        go_on.wait(PATIENCE_SECONDS)
        return 1.0

    def fails(*_: Any) -> float:
        raise KeyError("no such model")

    monkeypatch.setattr(model_activity, "_LEAST_CHECK", timedelta(seconds=0.3))
    for price in (fails, blocks):
        async with build_worker(
            temporal, App(agent), {"scripted": ScriptedAdapter(["Hello."])}, price, task_queue=task_queue
        ):
            outcome = await Stage(temporal, task_queue).ask(agent)
        assert outcome.result.status is Status.COMPLETED
        assert outcome.result.unpriced_calls == 1
        assert set(outcome.history.attempts.values()) == {1}
    assert not go_on.is_set()
    go_on.set()


async def test_a_blocked_loop_is_named_in_what_it_makes_late(serve: Serve) -> None:
    @tool(effect="once", timeout=timedelta(seconds=3))
    async def late() -> str:
        """Wait a moment."""
        await asyncio.sleep(0.5)
        return "never seen"

    harmful = Agent(name="harmful", model="scripted/greedy", tools=[greedy])
    victim = Agent(name="victim", model="scripted/victim", tools=[late])
    script = {"greedy": [calls(("greedy", {})), "Done."], "victim": [calls(("late", {})), "Well."]}
    async with serve(App(harmful, victim), script) as stage:
        runs = [await stage.start(agent) for agent in (harmful, victim)]
        outcomes = await asyncio.gather(*(stage.outcome(run) for run in runs))
    told, is_error = outcomes[1].tool_results[0]
    assert is_error
    assert "late took longer than 3 s and was stopped" in told
    assert "On its worker greedy holds up all async functions" in told


async def test_a_sync_tool_that_finds_no_thread_was_not_run(serve: Serve) -> None:
    go_on = threading.Event()
    ran: list[int] = []

    @tool(effect="read", timeout=timedelta(seconds=0.5))
    def occupy() -> None:
        """Take a thread for longer than it is waited for."""
        go_on.wait(30)

    @tool(effect="once", timeout=timedelta(seconds=1))
    def pay_late() -> str:
        """Pay."""
        ran.append(1)
        return "paid"

    agent = Agent(name="a", model="scripted/model", tools=[occupy, pay_late])
    script = [calls(("occupy", {}), ("occupy", {})), calls(("pay_late", {})), "Well."]
    async with serve(App(agent), script, max_concurrent_calls=2) as stage:
        outcome = await stage.ask(agent)
        go_on.set()
    assert outcome.tool_results[2] == (
        "pay_late was not run: other sync functions take all 2 threads of its worker",
        True,
    )
    assert outcome.result.unpriced_calls == 0
    assert not ran
