"""An attempt that was taken for dead goes on late: it takes nothing from the one that has its place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, cast

import pytest

from sostenuto.activities.adapters.qdrant.embedded import EdgeStore
from sostenuto.activities.knowledge.store.collections import Collections
from sostenuto.activities.knowledge.store.stored import CollectionError
from sostenuto.activities.knowledge.store.vector_store import StoreError, StoreUnavailable, VectorStore
from tests.conformance.vector_store.test_collections import HANDBOOK, put, seen, stage, three

Attempt = Callable[[Collections], Coroutine[Any, Any, Any]]

BEGINS: dict[str, Attempt] = {
    "first": lambda collections: collections.begin(HANDBOOK),
    "next": lambda collections: collections.begin(HANDBOOK),
    "anew": lambda collections: collections.begin(HANDBOOK, rebuild=True),
}


class Stalling:
    """A store that stands still before a method is called for the nth time."""

    def __init__(self, store: EdgeStore, method: str, nth: int = 1) -> None:
        self._store = store
        self._method, self._left = method, nth
        self.stalls, self.goes_on = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        async def called(*args: Any, **kwargs: Any) -> Any:
            self._left -= name == self._method
            if not self._left and not self.stalls.is_set():
                self.stalls.set()
                await self.goes_on.wait()
            return await getattr(self._store, name)(*args, **kwargs)

        return called


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EdgeStore]:
    made = EdgeStore(tmp_path)
    yield made
    await made.close()


async def stalled(store: EdgeStore, attempt: Attempt, method: str, nth: int = 1) -> tuple[Stalling, asyncio.Task[Any]]:
    stalling = Stalling(store, method, nth)
    late = asyncio.create_task(attempt(Collections(cast(VectorStore, stalling))))
    await stalling.stalls.wait()
    return stalling, late


@pytest.mark.parametrize(
    ("kind", "method", "nth"),
    [
        *(("first", method, nth) for method, nth in (("sets", 1), ("create", 2), ("read", 2), ("delete", 1))),
        *(("next", method, nth) for method, nth in (("sets", 1), ("read", 2), ("delete", 1))),
        *(("anew", method, nth) for method, nth in (("read", 2), ("read", 3))),
    ],
)
async def test_a_late_begin_leaves_what_its_successor_stages(
    store: EdgeStore, kind: str, method: str, nth: int
) -> None:
    attempt, collections = BEGINS[kind], Collections(store)
    if kind != "first":
        await put(collections, old="old")
    else:
        await collections.catalogue.make()
    stalling, late = await stalled(store, attempt, method, nth)
    writing = await attempt(collections)
    key = await stage(collections, writing, "new", "new")
    stalling.goes_on.set()
    await asyncio.wait([late])
    # Where it stood before its last step it has changed the catalogue before its successor, and is given up by that.
    assert isinstance(late.exception(), StoreUnavailable) or method == "delete"
    await collections.show(writing, [key])
    assert set(three("new")) <= set(await seen(collections))


async def test_a_late_drop_leaves_the_collection_that_was_made_since(store: EdgeStore) -> None:
    collections = Collections(store)
    await put(collections, a="old")
    stalling, late = await stalled(store, lambda late: late.drop("handbook"), "read")
    await collections.drop("handbook")
    await put(collections, a="new")
    stalling.goes_on.set()
    await late
    assert await seen(collections) == three("new")


async def test_a_set_that_is_missing_is_told_with_the_remedy(store: EdgeStore) -> None:
    collections = Collections(store)
    await put(collections, a="old")
    await store.drop("handbook.1")
    for call in (seen(collections), collections.begin(HANDBOOK)):
        with pytest.raises(CollectionError, match=r"no set 'handbook\.1', .* tells of 1 documents: .* --rebuild`"):
            await call
    writing = await collections.begin(HANDBOOK, rebuild=True)
    await collections.show(writing, [await stage(collections, writing, "a", "new")])
    await collections.finish(writing)
    assert await seen(collections) == three("new")


async def test_an_ingest_is_done_although_no_indexes_can_be_built(
    store: EdgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_: str) -> None:
        raise StoreError("no room")

    collections = Collections(store)
    writing = await put(collections, a="all")
    monkeypatch.setattr(store, "optimize", refuse)
    assert await collections.finish(writing) == "it is searched without new indexes, and more slowly: no room"
    assert await seen(collections) == three("all")
