"""What a nested run spent that was ended from outside, and so told nobody."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Budget, Model, Price, Status
from sostenuto.activities.adapters.providers.scripted import Script, ScriptedAdapter
from sostenuto.activities.model_adapter import Completion, ModelRequest, OnDelta
from tests.integration.agent.stage import calls, stalling

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Serve

PRICE = Price(input=1, output=10)
USED = {"input_tokens": 1_000, "output_tokens": 500}
COST = 0.006


def agent(name: str, *tools: Any, **fields: Any) -> Agent:
    """An agent with a model of its name."""
    return Agent(
        name=name, model=Model(f"scripted/{name}", price=PRICE, max_output_tokens=1_000), tools=tools, **fields
    )


def turn(*asked: str) -> dict[str, Any]:
    """A turn that calls tools, and costs something."""
    return {**calls(*((name, {"task": "go"} if name != "stall" else {}) for name in asked)), "usage": USED}


@pytest.mark.parametrize("deep_stalls", [False, True], ids=["itself", "with what is nested in it"])
async def test_what_a_terminated_run_did_not_spend_comes_back(
    serve: Serve, temporal: TemporalClient, *, deep_stalls: bool
) -> None:
    stall, stalled, go = stalling()
    deep = agent("deep", stall)
    lead = agent("lead", agent("helper", deep, stall), budget=Budget(usd=1.0))
    script = {
        "lead": [turn("helper"), {"text": "Done.", "usage": USED}],
        "helper": [turn("deep"), turn("stall")],
        "deep": [turn("stall")] if deep_stalls else [{"text": "Deep.", "usage": USED}],
    }
    async with serve(App(lead, tools=[stall]), script) as stage:
        run = await stage.start(lead)
        await stalled.wait()
        await temporal.get_workflow_handle(f"{run.id}/helper").terminate("somebody did")
        outcome = await stage.outcome(run)
        go.set()
    result = outcome.result
    assert (result.status, result.output, result.unsettled) == (Status.COMPLETED, "Done.", None)
    # Of the lead, of what it called, and of what that called.
    made = 2 + (1 if deep_stalls else 2) + 1
    assert (result.turns, round(result.cost_usd, 6)) == (made, round(made * COST, 6))


class Hanging(ScriptedAdapter):
    """Lets one model answer nothing until it is told to."""

    def __init__(self, script: Script, model: str) -> None:
        super().__init__(script)
        self.model = model
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        if request.model.model == self.model:
            self.asked.set()
            await self.go.wait()
        return await super().complete(request, on_delta)


async def test_a_call_that_was_under_way_then_is_charged_as_all_that_was_held_for_it(
    serve: Serve, temporal: TemporalClient
) -> None:
    lead = agent("lead", agent("helper"), budget=Budget(usd=1.0))
    adapter = Hanging({"lead": [turn("helper"), {"text": "Done.", "usage": USED}], "helper": ["unused"]}, "helper")
    async with serve(App(lead), adapter) as stage:
        run = await stage.start(lead)
        await adapter.asked.wait()
        await temporal.get_workflow_handle(f"{run.id}/helper").terminate("somebody did")
        result = (await stage.outcome(run)).result
        adapter.go.set()
    assert (result.status, result.turns, round(result.cost_usd, 6)) == (Status.COMPLETED, 2, 2 * COST)
    assert result.unsettled is not None
    assert result.unsettled.calls == 1
    assert 0.01 < result.unsettled.usd < 0.02


async def test_a_call_whose_worker_stops_is_charged_and_made_again(serve: Serve) -> None:
    lead = agent("lead", budget=Budget(usd=0.04))
    script = {"lead": [{"text": "Done.", "usage": USED}]}
    stopping = Hanging(script, "lead")
    async with serve(App(lead), stopping) as stage:
        run = await stage.start(lead)
        await stopping.asked.wait()
    async with serve(App(lead), script) as stage:
        result = (await stage.outcome(run)).result
    assert (result.status, result.output, round(result.cost_usd, 6)) == (Status.COMPLETED, "Done.", COST)
    assert result.unsettled is not None
    assert (result.unsettled.calls, result.unsettled.usd > 0.01) == (1, True)
