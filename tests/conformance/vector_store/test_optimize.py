"""A large embedded set is made fast while it is searched, and its worker goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sostenuto.activities.adapters.qdrant import edge
from sostenuto.activities.adapters.qdrant.edge import EdgeShards
from sostenuto.activities.adapters.qdrant.embedded import EdgeStore
from sostenuto.activities.knowledge.store.vector_store import Layout, Leg, Point, StoreError, StoreUnavailable
from sostenuto.activities.knowledge.store.vectors import vector_text
from tests.patience import PATIENCE_SECONDS

LAYOUT = Layout(dimensions=2, indexes={"number": "integer"})


@pytest.fixture(autouse=True)
def _large_at_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "_SMALL", 10)


def points(count: int, first: int = 1) -> list[Point]:
    return [
        Point(id=f"00000000-0000-0000-0000-{number:012}", payload={"number": number}, dense=vector_text([1, number]))
        for number in range(first, first + count)
    ]


def copies(directory: Path) -> list[str]:
    return [path.name for path in directory.glob("*.copy")]


async def test_searches_go_on_and_writes_wait(tmp_path: Path) -> None:
    owner, guest = EdgeStore(tmp_path), EdgeStore(tmp_path)
    await owner.create("s", LAYOUT)
    await owner.upsert("s", points(60))
    done = asyncio.Event()
    found: list[int] = []

    async def read(store: EdgeStore) -> None:
        while not done.is_set():
            (hits,) = await store.search("s", [Leg(dense=vector_text([1, 0]), limit=50)], ())
            found.append(len(hits))

    readers = [asyncio.create_task(read(store)) for store in (owner, guest)]
    writing = asyncio.create_task(guest.optimize("s"))
    await asyncio.gather(writing, owner.upsert("s", points(5, first=100)))
    done.set()
    await asyncio.gather(*readers)
    assert set(found) == {50}
    assert await guest.count("s", ()) == 65
    assert copies(tmp_path) == []
    await guest.close()
    await owner.close()
    again = EdgeStore(tmp_path)
    assert await again.count("s", ()) == 65
    await again.close()


async def test_a_worker_that_ends_gives_it_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take minutes; the one that takes its place finds the set as it was."""
    monkeypatch.setattr("sostenuto.activities.adapters.qdrant.optimizing._PROGRAM", "import time; time.sleep(600)")
    store = EdgeStore(tmp_path)
    await store.create("s", LAYOUT)
    await store.upsert("s", points(20))
    optimizing = asyncio.create_task(store.optimize("s"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if copies(tmp_path):
                break
            await asyncio.sleep(0.01)
        await store.close()
        with pytest.raises(StoreUnavailable, match="is closed: its worker ends"):
            await optimizing
    again = EdgeStore(tmp_path)
    assert await again.count("s", ()) == 20
    await again.close()


def test_what_cannot_be_made_fast_is_told_and_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sostenuto.activities.adapters.qdrant.optimizing._PROGRAM", "raise SystemExit('no room')")
    shards = EdgeShards(tmp_path)
    shards.create("s", LAYOUT)
    shards.upsert("s", points(20))
    with pytest.raises(StoreError, match="cannot be built: no room"):
        shards.optimize("s")
    assert shards.count("s", ()) == 20
    assert [path.name for path in tmp_path.iterdir()] == ["s.shard"]
    shards.close()
