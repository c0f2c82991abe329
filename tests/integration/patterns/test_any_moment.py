"""A tree of runs is cancelled somewhere among its steps: it ends as cancelled, whole, and nothing of it goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowExecutionStatus

from sostenuto import App, Chain, Parallel, Status, Step, Team
from sostenuto.workers.worker import replayer
from tests.fakes.cast import turn
from tests.integration.agent.stage import calls
from tests.integration.patterns.conftest import agent, prompt
from tests.integration.patterns.nested import begun, status

if TYPE_CHECKING:
    from tests.integration.patterns.conftest import Serve

WRITER = Chain(
    name="writer",
    steps=[
        prompt("s"),
        Parallel(name="pp", branches=[prompt("x"), agent("y")], limit=1),
        Parallel(name="race", branches=[prompt("u"), agent("v")], join="first"),
        Step(Parallel(name="m", each=agent("w"), limit=2), input="[1, 2, 3]"),
        Team(name="d", members=[agent("x"), prompt("y")], style="debate", model="scripted/j", max_rounds=2, limit=1),
    ],
)
TREE = Team(name="t", model="scripted/lead", members=[WRITER])
CAST: dict[str, Any] = {
    "lead": lambda request: calls(("writer", {"task": "a"}), ("writer", {"task": "b"})) if turn(request) < 3 else "end"
}


@pytest.mark.parametrize("cached_runs", [0, 100], ids=["replayed", "cached"], indirect=True)
async def test_cancelled_at_any_moment(serve: Serve, temporal: TemporalClient, task_queue: str) -> None:
    async def cancelled(milliseconds: int) -> None:
        run = await stage.start(TREE)
        await asyncio.sleep(milliseconds / 1000)
        await run.cancel()
        outcome = await stage.outcome(run)
        assert outcome.result.status is Status.CANCELLED
        assert outcome.result.usage.total_tokens == 15 * outcome.result.turns
        nested = [row.id async for row in temporal.list_workflows(f"TaskQueue = '{task_queue}'")]
        below = [workflow_id for workflow_id in nested if workflow_id.startswith(f"{run.id}/")]
        for workflow_id in (run.id, *below):
            # What is nested hands on what it has, which Temporal takes of one that returns.
            ends = WorkflowExecutionStatus.CANCELED if workflow_id == run.id else WorkflowExecutionStatus.COMPLETED
            assert await status(temporal, workflow_id) is ends, workflow_id
            recorded = await begun(temporal, workflow_id)
            assert recorded
            assert recorded.failed_tasks == []
            assert (await replayer().replay_workflow(recorded.history)).replay_failure is None

    async with serve(App(), CAST) as stage:
        await asyncio.gather(*(cancelled(moment) for moment in range(0, 1000, 125)))
