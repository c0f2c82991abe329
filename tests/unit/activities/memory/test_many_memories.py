"""Memories by the hundred on a real store, and what is said twice: nothing of it stays behind."""

from __future__ import annotations

import pytest

from sostenuto.activities.knowledge.store.vector_store import StoreUnavailable
from sostenuto.activities.memory.memories import Memories
from sostenuto.contracts.wire.memory.calls import ForgetCall
from sostenuto.contracts.wire.memory.record import NewMemory
from tests.unit.activities.memory.test_memories import ANNA, home, memories, texts, write

__all__ = ["memories"]


async def written(memories: Memories, count: int) -> list[str]:
    """Write so many memories, each about a subject of its own; return their ids."""
    ids: list[str] = []
    for share, start in enumerate(range(0, count, 50)):
        new = [
            NewMemory(text=f"Number {index} was drawn.", key=f"number {index}")
            for index in range(start, min(start + 50, count))
        ]
        ids += [outcome.id for outcome in await write(memories, *new, step=f"s:{share}")]
    return ids


async def test_more_than_one_page_of_ids_is_forgotten(memories: Memories) -> None:
    ids = await written(memories, 620)
    gone = await memories.forget(ForgetCall(place=ANNA, ids=tuple(ids)))
    assert (gone.deleted, gone.unknown, gone.left) == (620, (), 0)
    assert await texts(memories, superseded=True) == set()


async def test_the_whole_past_of_many_is_forgotten(memories: Memories) -> None:
    old = await written(memories, 600)
    newest: list[str] = []
    for start in range(0, 600, 100):
        new = [
            NewMemory(text=f"Nothing of {index} stands.", replaces=(old[index], old[index + 1]))
            for index in range(start, start + 100, 2)
        ]
        newest += [outcome.id for outcome in await write(memories, *new, step=f"new:{start}")]
    gone = await memories.forget(ForgetCall(place=ANNA, ids=tuple(newest)))
    assert (gone.deleted, gone.unknown, gone.left) == (900, (), 0)
    assert await texts(memories, superseded=True) == set()


@pytest.mark.parametrize("first", ["Rome", "Bonn"], ids=["twice", "later"])
async def test_a_late_repeat_brings_nothing_back_however_often_it_was_said(memories: Memories, first: str) -> None:
    """The same step said it twice, or said it anew at another place of what it said."""
    await write(memories, home("Rome"))
    await write(memories, home(first), home("Rome"))
    await memories.forget(ForgetCall(place=ANNA))
    outcomes = await write(memories, home(first), home("Rome"))
    assert [one.forgotten for one in outcomes] == [True, True]
    assert await texts(memories, superseded=True) == set()


async def test_a_half_written_memory_takes_no_place_again_that_another_one_has_since(
    memories: Memories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store fails between a memory and what it replaces, somebody says the old again, and the write is repeated."""
    await write(memories, home("Rome"))
    with monkeypatch.context() as patched:
        patched.setattr(memories, "_supersede", _is_down)
        with pytest.raises(StoreUnavailable):
            await write(memories, home("Bonn"), step="b:1")
    await write(memories, home("Rome"), step="c:1")
    assert await texts(memories) == {"The user lives in Rome."}
    [late] = await write(memories, home("Bonn"), step="b:1")
    assert await texts(memories) == {"The user lives in Rome."}
    gone = await memories.forget(ForgetCall(place=ANNA, ids=(late.id,)))
    assert (gone.deleted, gone.left) == (1, 0)
    assert await texts(memories, superseded=True) == {"The user lives in Rome."}


async def _is_down(*_: object) -> None:
    raise StoreUnavailable("the store is down")
