"""A worker per test, for an app whose model is scripted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from temporalio.client import Client as TemporalClient
from temporalio.testing import WorkflowEnvironment

from sostenuto import App, Client
from sostenuto.activities.adapters.providers.scripted import Script, ScriptedAdapter
from sostenuto.workers.worker import build_worker
from tests.dev_server import dev_server
from tests.integration.clients.shell import Shell
from tests.integration.live.conftest import start_valkey, valkey

__all__ = ["start_valkey", "valkey"]

Serve = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture(scope="module")
async def hasty() -> AsyncIterator[TemporalClient]:
    """A server that suggests to continue as new after few events."""
    async with await dev_server(
        limit__historyCount__suggestContinueAsNew=60, history__transferProcessorMaxPollRPS=2000
    ) as env:
        yield env.client


@pytest.fixture
def serve(temporal: TemporalClient, task_queue: str, cached_runs: int) -> Serve:
    """Serves an app while its block lasts, and gives a client for it."""

    @asynccontextmanager
    async def serving(app: App, script: Script) -> AsyncIterator[Client]:
        adapters = {"scripted": ScriptedAdapter(script)}
        worker = build_worker(
            temporal, app, adapters, lambda *_: 0.001, task_queue=task_queue, max_cached_runs=cached_runs
        )
        async with worker:
            yield Client(temporal, task_queue=task_queue)

    return serving


@pytest.fixture
def shell(environment: WorkflowEnvironment, tmp_path: Path, task_queue: str) -> Shell:
    return Shell(tmp_path, environment.client.service_client.config.target_host, task_queue)
