"""A real Valkey, and workers that speak over it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import App, Client
from sostenuto.activities.adapters.providers.scripted import Script, ScriptedAdapter
from sostenuto.activities.call.live import Live
from sostenuto.activities.model_adapter import ModelAdapter
from sostenuto.connection.live_channel import RedisChannel
from sostenuto.workers.served.activities import Services
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import find_port
from sostenuto.workers.stack.valkey_server import ValkeyServer, find_valkey, new_password
from sostenuto.workers.worker import build_worker

Serve = Callable[..., AbstractAsyncContextManager[Client]]
Start = Callable[[], AbstractAsyncContextManager[ValkeyServer]]


@pytest.fixture
def start_valkey(tmp_path: Path) -> Start:
    """Starts a server while the block lasts: the same one again, each time."""
    program, port, password = find_valkey(), find_port(0, "", ""), new_password()
    assert program

    @asynccontextmanager
    async def starting() -> AsyncIterator[ValkeyServer]:
        async with ProcessGroup() as group:
            yield await ValkeyServer.start(group, program, tmp_path, port=port, password=password)

    return starting


@pytest.fixture
async def valkey(start_valkey: Start) -> AsyncIterator[ValkeyServer]:
    """A server that is up."""
    async with start_valkey() as server:
        yield server


@pytest.fixture
def serve(temporal: TemporalClient, task_queue: str) -> Serve:
    """Serves an app while its block lasts, and gives a client for it."""

    @asynccontextmanager
    async def serving(
        app: App, script: Script | ModelAdapter, url: str, *, on: TemporalClient | None = None
    ) -> AsyncIterator[Client]:
        adapter = ScriptedAdapter(script) if isinstance(script, Sequence | Mapping) else script
        async with aclosing(RedisChannel(url)) as channel:
            live = Live(channel)
            worker = build_worker(
                on or temporal,
                app,
                {"scripted": adapter},
                lambda *_: 0.001,
                task_queue=task_queue,
                services=Services(live=live),
            )
            async with worker:
                yield Client(on or temporal, task_queue=task_queue, redis_url=url)
            await live.close()

    return serving
