"""Each test serves its own app with models that play parts, and every workflow task replays the whole history."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Prompt
from sostenuto.contracts.specs.runnable import Runnable
from tests.fakes.cast import Cast, Part
from tests.integration.agent.stage import Outcome, Stage, served

Serve = Callable[..., AbstractAsyncContextManager[Stage]]
Play = Callable[..., Awaitable[Outcome]]


@pytest.fixture
def cached_runs(request: pytest.FixtureRequest) -> int:
    """How many runs the worker keeps. None, but where a test is parametrised by it."""
    return int(getattr(request, "param", 0))


@pytest.fixture
def serve(temporal: TemporalClient, task_queue: str, cached_runs: int) -> Serve:
    """Serves an app while its block lasts. Options are those of `build_worker`."""

    @asynccontextmanager
    async def serving(app: App, cast: Cast | Mapping[str, Part], **options: Any) -> AsyncIterator[Stage]:
        on = options.pop("temporal", temporal)
        adapter = cast if isinstance(cast, Cast) else Cast(cast)
        async with served(on, task_queue, app, adapter, max_cached_runs=cached_runs, **options) as stage:
            yield stage

    return serving


@pytest.fixture
def play(serve: Serve) -> Play:
    """Runs a runnable to its end: `await play(runnable, cast, message)`."""

    async def playing(
        runnable: Runnable, cast: Cast | Mapping[str, Part] | None = None, message: Any = "go"
    ) -> Outcome:
        async with serve(App(runnable), cast or {}) as stage:
            return await stage.ask(runnable, message)

    return playing


def prompt(name: str, template: str = "{input}", **fields: Any) -> Prompt:
    """A prompt to the model of its name."""
    return Prompt(**{"name": name, "template": template, "model": f"scripted/{name}", **fields})


def agent(name: str, **fields: Any) -> Agent:
    """An agent of the model of its name."""
    return Agent(**{"name": name, "model": f"scripted/{name}", **fields})
