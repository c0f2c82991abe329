"""Each test serves its own app, once with every step replayed from the history and once as in production."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App
from sostenuto.activities.adapters.providers.scripted import Script, ScriptedAdapter
from sostenuto.activities.model_adapter import ModelAdapter
from tests.integration.agent.stage import Outcome, Stage, served

Serve = Callable[..., AbstractAsyncContextManager[Stage]]
Play = Callable[..., Awaitable[Outcome]]


@pytest.fixture
def serve(temporal: TemporalClient, task_queue: str, cached_runs: int) -> Serve:
    """Serves an app while its block lasts. Options are those of `build_worker`."""

    @asynccontextmanager
    async def serving(app: App, script: Script | ModelAdapter, **options: Any) -> AsyncIterator[Stage]:
        on = options.pop("temporal", temporal)
        adapter = ScriptedAdapter(script) if isinstance(script, Sequence | Mapping) else script
        async with served(on, task_queue, app, adapter, max_cached_runs=cached_runs, **options) as stage:
            yield stage

    return serving


@pytest.fixture
def play(serve: Serve) -> Play:
    """Runs one agent to its end: `await play(script, tools=[...])`, with any other field of the agent."""

    async def playing(script: Script, message: Any = "Go.", **fields: Any) -> Outcome:
        agent = Agent(**{"name": "tester", "model": "scripted/model", **fields})
        async with serve(App(agent), script) as stage:
            return await stage.ask(agent, message)

    return playing
