"""What is deleted of memories on a real store, and what is known of that."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sostenuto.activities.knowledge.store.vector_store import Where
from sostenuto.activities.memory import forgetting
from sostenuto.activities.memory.memories import Memories
from sostenuto.contracts.wire.memory.calls import ForgetCall
from sostenuto.contracts.wire.memory.record import NewMemory
from tests.unit.activities.memory.test_memories import ANNA, AT, BORIS, home, memories, recalled, texts, write

__all__ = ["memories"]


async def test_forgetting_one_takes_its_past_with_it(memories: Memories) -> None:
    await write(memories, home("Berlin"))
    [new] = await write(memories, home("Munich"), step="b:1")
    await write(memories, NewMemory(text="Tea it is"), step="c:1")
    gone = await memories.forget(ForgetCall(place=ANNA, ids=(new.id[:8], "nothing")))
    assert (gone.deleted, gone.left, gone.unknown) == (2, 0, ("nothing",))
    assert await texts(memories, superseded=True) == {"Tea it is"}


async def test_forgetting_a_scope(memories: Memories) -> None:
    await write(memories, home("Berlin"))
    await write(memories, home("Munich"), step="b:1")
    await write(memories, home("Rome"), place=BORIS)
    gone = await memories.forget(ForgetCall(place=ANNA))
    assert (gone.deleted, gone.left, [one.run_id for one in gone.sources]) == (2, 0, ["run"])
    assert await texts(memories, superseded=True) == set()
    assert await recalled(memories, "Munich") == []
    assert await texts(memories, BORIS) == {"The user lives in Rome."}


async def test_ids_of_another_scope_are_unknown(memories: Memories) -> None:
    [of_boris] = await write(memories, home("Rome"), place=BORIS)
    gone = await memories.forget(ForgetCall(place=ANNA, ids=(of_boris.id,)))
    assert (gone.deleted, gone.unknown) == (0, (of_boris.id,))
    assert await texts(memories, BORIS) == {"The user lives in Rome."}


async def gone_points(memories: Memories) -> list[dict[str, Any]]:
    found = await memories._store.scroll("memories@people", [Where(key="point", any_of=("gone",))], limit=500)
    return [one.payload for one in found]


async def test_more_than_one_record_takes_is_forgotten_and_known_as_forgotten(memories: Memories) -> None:
    new = [[NewMemory(text=f"number {n}", key=str(n)) for n in range(first, first + 50)] for first in range(0, 250, 50)]
    for n, some in enumerate(new):
        await write(memories, *some, step=f"{n}:1")
    gone = await memories.forget(ForgetCall(place=ANNA, forget_id="f"))
    assert (gone.deleted, gone.left) == (250, 0)
    assert len(await gone_points(memories)) == 2
    assert await memories.forget(ForgetCall(place=ANNA, forget_id="f")) == gone
    for n, some in enumerate(new):
        assert all(one.forgotten for one in await write(memories, *some, step=f"{n}:1"))
    assert await texts(memories, superseded=True) == set()


async def test_what_is_known_of_a_deletion_is_deleted_after_a_day(
    memories: Memories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "KEPT", timedelta(seconds=-1))
    monkeypatch.setattr(forgetting, "_SWEPT_EVERY_SECONDS", 0.0)
    await write(memories, home("Berlin"))
    await memories.forget(ForgetCall(place=ANNA))
    assert len(await gone_points(memories)) == 1
    await write(memories, home("Rome"), place=BORIS)
    assert await gone_points(memories) == []


async def test_a_write_that_was_asked_for_anew_before_a_deletion_is_not_done_after_it(memories: Memories) -> None:
    await write(memories, home("Berlin"))
    later = AT + timedelta(hours=1)
    await write(memories, home("Berlin"), at=later)
    await memories.forget(ForgetCall(place=ANNA))
    assert [one.forgotten for one in await write(memories, home("Berlin"), at=later)] == [True]
    assert [one.forgotten for one in await write(memories, home("Berlin"), at=later + timedelta(hours=1))] == [False]


async def test_another_deletion_under_the_same_id_is_another(memories: Memories) -> None:
    [rome, figs] = await write(memories, home("Rome"), NewMemory(text="The user likes figs"))
    gone = await memories.forget(ForgetCall(place=ANNA, ids=(rome.id, "no-such-id"), forget_id="f"))
    assert (gone.deleted, gone.unknown) == (1, ("no-such-id",))
    assert (await memories.forget(ForgetCall(place=ANNA, ids=(figs.id,), forget_id="f"))).deleted == 1
    assert await memories.forget(ForgetCall(place=ANNA, ids=(rome.id, "no-such-id"), forget_id="f")) == gone


async def test_of_two_that_are_told_alike_none_is_meant(memories: Memories) -> None:
    [rome, figs] = await write(memories, home("Rome"), NewMemory(text="The user likes figs"))
    mine = [Where(key="memory", any_of=(figs.id,))]
    await memories._store.set_payload("memories@people", mine, {"shown": rome.id[:8]})
    gone = await memories.forget(ForgetCall(place=ANNA, ids=(rome.id[:8],)))
    assert (gone.deleted, gone.unknown) == (0, (rome.id[:8],))
    assert (await memories.forget(ForgetCall(place=ANNA, ids=(rome.id,)))).deleted == 1


async def test_who_wrote_it_stays_known_however_often_it_is_said(memories: Memories) -> None:
    await write(memories, home("Berlin"))
    for number in range(60):
        await write(memories, home("Berlin"), step=f"b:{number}")
    await write(memories, home("Munich"), step="c:1")
    assert [one.known for one in await write(memories, home("Berlin"))] == [False]
    assert await texts(memories) == {"The user lives in Munich."}
    await memories.forget(ForgetCall(place=ANNA))
    assert [one.forgotten for one in await write(memories, home("Berlin"))] == [True]
