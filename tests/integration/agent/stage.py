"""Starts runs on the worker of a test and waits for what they come to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError

from sostenuto import App, Client, Result, Run, Tool, tool
from sostenuto.activities.model_adapter import ModelAdapter
from sostenuto.clients.client import Input
from sostenuto.contracts import names
from sostenuto.contracts.specs.runnable import Runnable
from sostenuto.workers.worker import build_worker
from tests.integration.agent.recorded import Recorded
from tests.patience import PATIENCE_SECONDS

PRICE_USD = 0.001
"""What every model call costs here."""


@dataclass(frozen=True)
class Outcome:
    """What a run came to, as its history tells it."""

    result: Result
    """As it stands in the history, so without messages."""
    history: Recorded
    """Of the last execution."""
    run: Run
    failed: bool
    """Whether the workflow ended as a failure."""

    @property
    def tool_results(self) -> list[tuple[str, bool]]:
        """What the model was told of its tool calls: content, and whether it was an error."""
        parts = [part for message in self.history.told for part in message.parts if part.kind == "tool_result"]
        return [(part.content, part.is_error) for part in parts]


@dataclass(frozen=True)
class Stage:
    """A task queue on which a worker serves the app of a test."""

    temporal: TemporalClient
    task_queue: str

    async def start(self, runnable: Runnable, message: Input = "Go.") -> Run:
        """A run of the runnable."""
        client = Client(self.temporal, task_queue=self.task_queue)
        return await client.start(runnable, message, id=f"run-{uuid4().hex[:10]}")

    async def ask(self, runnable: Runnable, message: Input = "Go.") -> Outcome:
        """What a run of the runnable comes to."""
        return await self.outcome(await self.start(runnable, message))

    async def outcome(self, run: Run) -> Outcome:
        """What the run comes to."""
        handle = self.temporal.get_workflow_handle(run.id, result_type=Result)
        try:
            result, failed = await handle.result(), False
        except WorkflowFailureError as error:
            if isinstance(error.cause, CancelledError):
                memo = await (await handle.describe()).memo_value(names.RESULT_MEMO, type_hint=Result)
                return Outcome(memo, await Recorded.of(self.temporal, run.id), run, failed=False)
            result, failed = _partial(error), True
        return Outcome(result, await Recorded.of(self.temporal, run.id), run, failed)

    async def recorded(self, run: Run) -> Recorded:
        """The run's history so far."""
        return await Recorded.of(self.temporal, run.id)


@asynccontextmanager
async def served(
    temporal: TemporalClient, task_queue: str, app: App, adapter: ModelAdapter, **options: Any
) -> AsyncIterator[Stage]:
    """A stage on which an app is served while the block lasts. Options are those of `build_worker`."""
    adapters = {"scripted": adapter}
    async with build_worker(temporal, app, adapters, lambda *_: PRICE_USD, task_queue=task_queue, **options):
        yield Stage(temporal, task_queue)


def _partial(error: WorkflowFailureError) -> Result:
    assert isinstance(error.cause, ApplicationError), f"the run ended by {error.cause!r}"
    assert error.cause.type == names.RUN_FAILED, f"the run ended by {error.cause!r}"
    return Result.model_validate(error.cause.details[0])


def calls(*wanted: tuple[str, dict[str, Any]], text: str = "") -> dict[str, Any]:
    """A step of a script that asks for tools, each by name and arguments."""
    return {"text": text, "tool_calls": [{"name": name, "arguments": arguments} for name, arguments in wanted]}


def stalling() -> tuple[Tool[[], Any], asyncio.Event, asyncio.Event]:
    """A tool `stall` that takes until it is let go; what says that it was called, and what lets it go."""
    stalled, go = asyncio.Event(), asyncio.Event()

    @tool(effect="read", retries=0)
    async def stall() -> str:
        """Take for ever."""
        stalled.set()
        await go.wait()
        return "went on"

    return stall, stalled, go


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until the condition holds.

    Raises:
        AssertionError: It does not within that time.
    """
    end = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < end, f"did not come true within {seconds:g} s: {condition}"
        await asyncio.sleep(0.02)
