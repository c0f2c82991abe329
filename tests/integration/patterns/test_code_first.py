"""Code-first workflows: results with types, failures that end them, and cancels that reach all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError

from sostenuto import App, Usage
from sostenuto.activities.prices.list_price import list_price
from sostenuto.workers.worker import build_worker, replayer
from sostenuto.workflows import policy
from tests.fakes.cast import Cast
from tests.integration.agent.recorded import Recorded
from tests.integration.patterns import flows
from tests.integration.patterns.nested import at_work, children, status
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from tests.integration.patterns.conftest import Serve

APP = App(
    flows.A,
    flows.B,
    flows.TYPED,
    flows.WAITS,
    tools=[flows.stock, flows.shelves, flows.order, flows.broken],
    validators=[flows.not_bad],
    workflows=[flows.Pipeline, flows.Mistaken, flows.Careful, flows.Tidy, flows.Hasty, flows.Waiting],
)
CAST: dict[str, Any] = {
    "kind": '{"value": "yes"}',
    "again": ["bad", "good"],
    "typed": '{"days": [1, 2]}',
    "waits": {"text": ".", "hangs": True},
    "fails": {"error": "QuotaExceeded"},
}


@pytest.mark.parametrize("cached_runs", [0, 100], ids=["replayed", "cached"], indirect=True)
async def test_a_pipeline(serve: Serve, temporal: TemporalClient, task_queue: str) -> None:
    async with serve(APP, CAST):
        handle = await temporal.start_workflow(flows.Pipeline.run, "hello", id=task_queue, task_queue=task_queue)
        done = await handle.result()
    assert done == {
        "kind": "yes",
        "left": 3,
        "shelves": ["a", "b"],
        "runs": ["a<hello>", "a<p<hello>>"],
        "steps": {"p": "p<hello>", "a": "a<p<hello>>"},
        "again": ["good", ["bad"], 0],
        "ordered": 6,
        "days": [1, 2],
    }
    recorded = await Recorded.of(temporal, task_queue)
    assert recorded.failed_tasks == []
    assert recorded.activity_ids == [
        "Pipeline/kind:turn-1",
        "Pipeline:call",
        "Pipeline/ask:turn-1",
        "Pipeline/ask:turn-2",
        "Pipeline:call_3",
    ]
    assert await children(temporal, task_queue) == [f"{task_queue}/{name}" for name in ("a", "b", "typed")]
    replayed = await replayer([flows.Pipeline]).replay_workflow(recorded.history)
    assert replayed.replay_failure is None


@pytest.mark.parametrize(
    ("mistake", "kind", "message"),
    [
        (
            "no such tool",
            "SpecError",
            "'stock' is not a tool: write 'mcp:server' or 'mcp:server/tool', or pass a funct",
        ),
        ("a whole server", "SpecError", "'mcp:shop' is a whole server: name one of its tools"),
        ("no such server", "SpecError", "tools: 'mcp:shop': "),
        ("a bad name", "SpecError", "Agent 'not a name': name: 'not a name' is not a name"),
        ("a missing field", "SpecError", "Prompt 'p': template: {x}: no such field in the input"),
        (
            "an unknown price",
            "SpecError",
            "scripted/a: a budget counts US dollars, and the price of this model is not known: write Model(",
        ),
        ("nothing asked", "SpecError", "the input is empty: pass a text"),
        ("a tool that fails", "ToolFailed", "there is enough"),
        ("a fast tool that fails", "ToolFailed", "out of order"),
    ],
)
async def test_a_mistake_ends_the_workflow(
    serve: Serve,
    temporal: TemporalClient,
    task_queue: str,
    monkeypatch: pytest.MonkeyPatch,
    mistake: str,
    kind: str,
    message: str,
) -> None:
    """With the reason, and not in a workflow task that is tried again for ever."""
    monkeypatch.setattr(policy, "NOT_SERVED_PAUSES", ())
    async with serve(APP, CAST):
        handle = await temporal.start_workflow(flows.Mistaken.run, mistake, id=task_queue, task_queue=task_queue)
        with pytest.raises(WorkflowFailureError) as caught:
            await asyncio.wait_for(handle.result(), PATIENCE_SECONDS)
    cause = caught.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == kind
    assert cause.message.startswith(message)
    assert (await Recorded.of(temporal, task_queue)).failed_tasks == []


async def test_prices_are_looked_up_once_and_recorded(temporal: TemporalClient, task_queue: str) -> None:
    """No client sees the models: the list of the worker has their prices, which are written down."""
    app, cast = App(workflows=[flows.Thrifty]), Cast({"gpt-5-mini": "fine"})
    worker = build_worker(temporal, app, {"openai": cast}, lambda *_: 9.0, task_queue=task_queue, max_cached_runs=0)
    async with worker:
        costs = await temporal.execute_workflow(flows.Thrifty.run, id=task_queue, task_queue=task_queue)
    price = list_price("openai/gpt-5-mini")
    assert price
    cost = price.of(Usage(input_tokens=10, output_tokens=5))
    assert costs == pytest.approx([cost, cost, 2 * cost])
    recorded = await Recorded.of(temporal, task_queue)
    assert recorded.markers.count("core_local_activity") == 1
    assert [request.model.price for request in cast.requests] == [price] * 4


async def test_mistakes_and_failures_can_be_caught(serve: Serve, temporal: TemporalClient, task_queue: str) -> None:
    async with serve(APP, CAST):
        told = await temporal.execute_workflow(flows.Careful.run, id=task_queue, task_queue=task_queue)
    assert told[0].startswith("'stock' is not a tool")
    assert told[1:3] == ["ToolFailed: there is enough", "ToolFailed: out of order"]
    assert told[3].startswith("QuotaExceeded: scripted/fails: scripted QuotaExceeded")


async def test_a_cancel_reaches_everything_and_leaves_time_to_tidy_up(
    serve: Serve, temporal: TemporalClient, task_queue: str
) -> None:
    async with serve(APP, CAST):
        handle = await temporal.start_workflow(flows.Tidy.run, id=task_queue, task_queue=task_queue)
        await at_work(temporal, task_queue, f"{task_queue}/waits")
        await handle.cancel()
        assert await asyncio.wait_for(handle.result(), PATIENCE_SECONDS) == "a<tidy> a<and?> 3"
        nested = temporal.get_workflow_handle(f"{task_queue}/waits")
        assert (await nested.result())["status"] == "cancelled"
    recorded = await Recorded.of(temporal, task_queue)
    assert recorded.failed_tasks == []
    assert recorded.counts["activity_task_cancel_requested"] == 1


async def test_a_cancel_that_nobody_catches_cancels_the_workflow(
    serve: Serve, temporal: TemporalClient, task_queue: str
) -> None:
    async with serve(APP, CAST):
        handle = await temporal.start_workflow(flows.Waiting.run, id=task_queue, task_queue=task_queue)
        await at_work(temporal, f"{task_queue}/waits")
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as caught:
            await asyncio.wait_for(handle.result(), PATIENCE_SECONDS)
    assert isinstance(caught.value.cause, CancelledError)
    assert await status(temporal, task_queue) is WorkflowExecutionStatus.CANCELED


async def test_a_timeout_of_its_own(serve: Serve, temporal: TemporalClient, task_queue: str) -> None:
    async with serve(APP, CAST):
        handle = await temporal.start_workflow(flows.Hasty.run, id=task_queue, task_queue=task_queue)
        assert await asyncio.wait_for(handle.result(), PATIENCE_SECONDS) == "a<instead>"
    nested = temporal.get_workflow_handle(f"{task_queue}/waits")
    assert (await nested.result())["status"] == "cancelled"
