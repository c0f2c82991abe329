"""Each test has a collection, documents and a store of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import App, Client, Collection
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.contracts.collection import patience
from sostenuto.workers.worker import build_worker
from tests.fakes.knowledge import WORDS, WordEncoder, knowledge

Served = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """A folder for documents."""
    directory = tmp_path / "documents"
    directory.mkdir()
    return directory


@pytest.fixture
def handbook(task_queue: str) -> Collection:
    """A collection that no other test has: an ingest goes by its name."""
    return Collection(task_queue, embedding=WORDS, fields={"team": str, "year": int}, limit=3)


@pytest.fixture
def encoder() -> WordEncoder:
    """Embeds, and keeps what it embedded."""
    return WordEncoder()


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What may pass is tried again as often as ever, and soon."""
    soon = timedelta(milliseconds=5)
    pauses = {"first_pause": soon, "longest_pause": soon, "first_busy_pause": soon, "longest_busy_pause": soon}
    for name in ("SEARCH", "INGEST"):
        monkeypatch.setattr(patience, name, replace(getattr(patience, name), **pauses))


@pytest.fixture
def serving(temporal: TemporalClient, task_queue: str, tmp_path: Path, encoder: WordEncoder) -> Served:
    """Serves an app with collections while its block lasts, and gives a client.

    Options are those of `build_worker`, and `price`, `settings` and `store`.
    """

    @asynccontextmanager
    async def serve(app: App, script: Any = (), **options: Any) -> AsyncIterator[Client]:
        on = options.pop("temporal", temporal)
        settings, price = options.pop("settings", None), options.pop("price", lambda *_: 0.001)
        adapters = {"scripted": ScriptedAdapter(script)}
        store = options.pop("store", None)
        known = knowledge(tmp_path / "store", encoder, store, settings=settings, adapters=adapters)
        async with known as services:
            worker = build_worker(on, app, adapters, price, task_queue=task_queue, services=services, **options)
            async with worker:
                yield Client(on, task_queue=task_queue)

    return serve
