"""Each test has a collection, a store and a task queue of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import App, Client, Collection
from sostenuto.activities.adapters.qdrant.embedded import EdgeStore
from sostenuto.activities.knowledge.store.vector_store import StoreUnavailable
from sostenuto.contracts.collection import patience
from sostenuto.workers.worker import build_worker
from tests.fakes.cast import Cast
from tests.fakes.knowledge import WORDS, knowledge

Served = Callable[..., AbstractAsyncContextManager[Client]]


class FlakyStore(EdgeStore):
    """A real store that can be taken away, or made to wait."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.waits = asyncio.Event()
        """Whether a write has come that waits."""

    is_down = False
    gate: asyncio.Event | None = None
    """Where there is one, writes wait for it."""
    loses = ""
    """The method that does what it is to do the next time, and whose answer gets lost."""

    async def _call(self, method: str, **arguments: Any) -> Any:
        if self.gate and method == "upsert":
            self.waits.set()
            await self.gate.wait()
        if self.is_down:
            raise StoreUnavailable("the store is down")
        answer = await super()._call(method, **arguments)
        if method == self.loses:
            self.loses = ""
            raise StoreUnavailable("the answer got lost")
        return answer


@pytest.fixture
def people(task_queue: str) -> Collection:
    """A collection that no other test has."""
    return Collection(task_queue, embedding=WORDS)


@pytest.fixture
def store(tmp_path: Path) -> FlakyStore:
    directory = tmp_path / "store"
    directory.mkdir()
    return FlakyStore(directory)


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What may pass is tried again as often as ever, and soon."""
    soon = timedelta(milliseconds=5)
    monkeypatch.setattr(patience, "SEARCH", replace(patience.SEARCH, first_pause=soon, longest_pause=soon))


@pytest.fixture
def serving(temporal: TemporalClient, task_queue: str, tmp_path: Path, store: FlakyStore) -> Served:
    """Serves an app while its block lasts, and gives a client. Options are those of `build_worker`, and `temporal`."""

    @asynccontextmanager
    async def serve(app: App, parts: Any = None, **options: Any) -> AsyncIterator[Client]:
        on = options.pop("temporal", temporal)
        adapters = {"scripted": parts if isinstance(parts, Cast) else Cast(parts)}
        async with knowledge(tmp_path / "store", store=store, adapters=adapters) as services:
            worker = build_worker(
                on, app, adapters, lambda *_: 0.001, task_queue=task_queue, services=services, **options
            )
            async with worker:
                yield Client(on, task_queue=task_queue)

    return serve
