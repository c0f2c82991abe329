"""What the server refuses is never sent to it: the workflow task would be tried for ever, and the run never end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from pydantic import BaseModel, Field
from temporalio import workflow

from sostenuto import App, Chain, Client, SpecError, Status, Team, tool
from sostenuto import workflows as flows
from sostenuto.contracts import limits
from sostenuto.contracts.specs.runnable import Runnable
from sostenuto.workers.worker import replayer
from tests.fakes.cast import turn
from tests.integration.agent.stage import Outcome, calls
from tests.integration.patterns.conftest import agent, prompt

if TYPE_CHECKING:
    from tests.integration.patterns.conftest import Play, Serve

_AT_WORK = [0, 0]
"""How many calls of `count` run now, and the most that did."""


@tool(effect="read")
async def count(at: int) -> int:
    """Count what runs at once."""
    _AT_WORK[0] += 1
    _AT_WORK[1] = max(_AT_WORK)
    await asyncio.sleep(0.05)
    _AT_WORK[0] -= 1
    return at


def _failed_tasks(outcome: Outcome) -> int:
    return len(outcome.history.failed_tasks)


async def test_a_refusal_as_long_as_a_book(play: Play) -> None:
    """The words of a model that declines are its last words and the reason: both together fit no event."""
    outcome = await play(prompt("p"), {"p": {"text": "x" * 1_200_000, "stop": "refusal"}})
    result = outcome.result
    assert (result.status, len(result.output)) == (Status.REFUSED, 1_200_000)
    assert len(result.reason) < 10_100
    assert _failed_tasks(outcome) == 0


async def test_a_place_that_is_too_deep(play: Play) -> None:
    """Ids of activities are made of places, and the server takes none of more than 1,000 bytes."""
    tree: Runnable = prompt("p")
    for level in range(17):
        tree = Chain(name=f"{'level' * 11}{level}", steps=[prompt(f"first{level}"), tree])
    outcome = await play(tree)
    assert outcome.failed
    assert "has more than 900 bytes" in outcome.result.reason
    assert (outcome.result.turns, _failed_tasks(outcome)) == (15, 0)


@workflow.defn
class Deep:
    """Returns what cannot be written."""

    @workflow.run
    async def run(self) -> Any:
        value: Any = "leaf"
        for _ in range(300):
            value = [value]
        return value


async def test_a_code_first_workflow_that_returns_what_is_too_deep(serve: Serve) -> None:
    async with serve(App(workflows=[Deep]), {}) as stage:
        run = await Client(stage.temporal, task_queue=stage.task_queue, redis_url="").start(Deep)
        result = await run.result()
    assert (result.status, result.reason) == (Status.FAILED, "a value is nested so deeply that it cannot be written")


class Clocked(BaseModel):
    """Has a default that a workflow may not make."""

    at: datetime = Field(default_factory=datetime.now)


@workflow.defn
class Wrong:
    """Calls what cannot be called, and says why."""

    @workflow.run
    async def run(self) -> list[str]:
        told = []
        wrong: tuple[Callable[[], Awaitable[Any]], ...] = (
            lambda: flows.run(prompt("p"), "\ud800"),
            lambda: flows.run(prompt("p"), {"x": "\ud800"}),
            lambda: flows.ask("scripted/p", "q", instructions="\ud800"),
            lambda: flows.call_tool(count, at="\ud800"),  # type: ignore[call-overload]
            lambda: flows.run(agent("p", instructions="Hi {name}"), "x"),
            lambda: flows.ask("scripted/p", "q", instructions="Hi {name}"),
            lambda: asyncio.sleep(0, flows.context(Clocked)),
        )
        for call in wrong:
            try:
                told.append(str(getattr(await call(), "reason", "")))
            except SpecError as error:
                told.append(str(error))
        return told


async def test_what_a_code_first_workflow_cannot_call(serve: Serve) -> None:
    async with serve(App(workflows=[Wrong]), {"p": ["Hi."]}) as stage:
        client = Client(stage.temporal, task_queue=stage.task_queue, redis_url="")
        run = await client.start(Wrong, context={"user": "anna"})
        result = await run.result()
        history = await client.history(run.id)
    await replayer([Wrong]).replay_workflow(history)
    assert [words.partition(": write")[0] for words in result.output[:-1]] == [
        *[f"the input: {limits.NOT_UNICODE}"] * 2,
        *[limits.NOT_UNICODE] * 2,
        *["Agent 'p': instructions: nothing fills {name}", "Agent 'ask': instructions: nothing fills {name}"],
    ]
    assert "context: a Clocked cannot be made of it: RestrictedWorkflowAccessError" in result.output[-1]


async def test_a_nested_run_whose_id_would_be_too_long(serve: Serve) -> None:
    team = Team(name="t", members=[agent("writer")], model="scripted/lead")
    cast: dict[str, Any] = {"lead": [calls(("writer", {"task": "write"})), "none came"]}
    async with serve(App(team), cast) as stage:
        client = Client(stage.temporal, task_queue=stage.task_queue)
        outcome = await stage.outcome(await client.start(team, "go", id=uuid4().hex + "i" * 965))
    told, is_error = outcome.tool_results[0]
    assert (outcome.result.output, is_error, _failed_tasks(outcome)) == ("none came", True, 0)
    assert told.endswith("has more than 1,000 bytes: start the run with a shorter one")


async def test_a_reply_that_asks_for_more_calls_than_may_wait(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """As models do that repeat themselves until their output limit: the server takes 2,000 calls at once."""
    monkeypatch.setattr(limits, "AT_ONCE", 3)
    _AT_WORK[:] = [0, 0]
    many = calls(*(("count", {"at": at}) for at in range(10)))
    outcome = await play(agent("a", tools=[count]), {"a": lambda request: "done" if turn(request) else many})
    assert (outcome.result.output, _AT_WORK[1]) == ("done", 3)
    assert outcome.tool_results == [(str(at), False) for at in range(10)]
