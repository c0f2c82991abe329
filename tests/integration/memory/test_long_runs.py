"""A run in a small window over many executions: complete, proven, and each step of its trace told once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sostenuto import Agent, App, Client, Memory, Status
from sostenuto.contracts.message import ToolResultPart
from sostenuto.workers.worker import build_worker
from tests.fakes.counting_model import CountingModel
from tests.integration.memory.steps import compactions, look, prove, told, walks

if TYPE_CHECKING:
    from temporalio.client import Client as TemporalClient

    from sostenuto.contracts.memory.conversation import MemoryStrategy

STEPS = 40
WINDOW = 2_500


@pytest.mark.parametrize("strategy", [("summary",), ("clear_tools", "summary")])
async def test_a_run_that_continues_as_new(
    impatient: TemporalClient, task_queue: str, strategy: tuple[MemoryStrategy, ...]
) -> None:
    memory = Memory(window=WINDOW, strategy=strategy)
    agent = Agent(
        name="walker", model="scripted/m", instructions="Walk.", tools=[look], memory=memory, max_turns=STEPS + 1
    )
    model = CountingModel(walks(STEPS))
    async with build_worker(impatient, App(agent), {"scripted": model}, lambda *_: 0.001, task_queue=task_queue):
        run = await Client(impatient, task_queue=task_queue, redis_url="").start(agent, "Walk to the end.")
        result, trace = await run.result(), await run.trace()
        proven, events = await prove(run), await told(run)
    assert (result.status, result.turns) == (Status.COMPLETED, len(model.sent))
    assert max(sent.tokens for sent in model.sent) <= WINDOW
    assert proven == len(model.sent)
    parts = [part for message in result.messages for part in message.parts if isinstance(part, ToolResultPart)]
    assert [part.content.split(":")[0] for part in parts] == [f"step {n}" for n in range(1, STEPS + 1)]
    assert all(step.proven for step in trace.run.walk() if step.kind == "model")
    ids = [step.id for step in trace.run.walk()]
    assert len(set(ids)) == len(ids)
    assert len([step for step in trace.run.steps if step.name == "memory.compacted"]) == len(compactions(events)) > 3
