"""Each test serves its own app, once with every step replayed from the history and once as in production."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App
from sostenuto.activities.adapters.scripted import Script, ScriptedAdapter
from sostenuto.activities.provider import ModelAdapter
from sostenuto.workers.worker import build_worker
from tests.dev_server import dev_server
from tests.integration.agent.stage import PRICE_USD, Outcome, Stage

Serve = Callable[..., AbstractAsyncContextManager[Stage]]
Play = Callable[..., Awaitable[Outcome]]


@pytest.fixture
def serve(temporal: TemporalClient, task_queue: str, cached_runs: int) -> Serve:
    """Serves an app while its block lasts. Options are those of `build_worker`."""

    @asynccontextmanager
    async def serving(app: App, script: Script | ModelAdapter, **options: Any) -> AsyncIterator[Stage]:
        on = options.pop("temporal", temporal)
        adapter = ScriptedAdapter(script) if isinstance(script, Sequence | Mapping) else script
        worker = build_worker(
            on,
            app,
            {"scripted": adapter},
            lambda *_: PRICE_USD,
            task_queue=task_queue,
            max_cached_runs=cached_runs,
            **options,
        )
        async with worker:
            yield Stage(on, task_queue)

    return serving


@pytest.fixture(scope="session")
async def impatient() -> AsyncIterator[TemporalClient]:
    """A server that suggests to continue as new after 50 events already."""
    async with await dev_server(limit__historyCount__suggestContinueAsNew=50) as environment:
        yield environment.client


@pytest.fixture
def play(serve: Serve) -> Play:
    """Runs one agent to its end: `await play(script, tools=[...])`, with any other field of the agent."""

    async def playing(script: Script, message: Any = "Go.", **fields: Any) -> Outcome:
        agent = Agent(**{"name": "tester", "model": "scripted/model", **fields})
        async with serve(App(agent), script) as stage:
            return await stage.ask(agent, message)

    return playing
