"""Collections on every vector store: what a search sees while documents change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from sostenuto.activities.knowledge.store.collections import Collections
from sostenuto.activities.knowledge.store.stored import CollectionError, Stored, StoredPassage, Version, document_key
from sostenuto.activities.knowledge.store.vector_store import Leg, SparseVector, Where
from sostenuto.activities.knowledge.store.vectors import vector_text
from sostenuto.contracts.collection.fields import Condition, Field
from sostenuto.contracts.wire.ingest.ingest import Writing
from tests.conformance.vector_store.stores import STORES, opened

# Its client's local mode has no indexes, and says so.
pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")

HANDBOOK = Stored(name="handbook", generation=0, embedding="fake/two", dimensions=2)
EVERYTHING = (Leg(dense=vector_text([1, 0]), limit=500),)


@pytest.fixture(params=STORES)
async def collections(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Collections]:
    async with opened(request.param, tmp_path) as store:
        yield Collections(store)


def passages(text: str, count: int = 3) -> list[StoredPassage]:
    return [
        StoredPassage(
            text=f"{text} {number}",
            start=number * 10,
            end=number * 10 + 9,
            dense=vector_text([1, 0]),
            sparse=SparseVector(indices=(number,), values=(1.0,)),
        )
        for number in range(count)
    ]


async def stage(
    collections: Collections, writing: Writing, uri: str, text: str, count: int = 3, **version: object
) -> str:
    await collections.stage(writing, Version(uri=uri, hash=f"hash of {text}", **version), passages(text, count))  # type: ignore[arg-type]
    return document_key(uri, str(version.get("tenant", "")))


async def put(collections: Collections, wanted: Stored = HANDBOOK, **texts: str) -> Writing:
    writing = await collections.begin(wanted)
    keys = []
    for uri, text in texts.items():
        keys.append(await stage(collections, writing, uri, text))
        # A store in this very process may never wait, and readers would have no turn.
        await asyncio.sleep(0)
    await collections.show(writing, keys)
    await asyncio.sleep(0)
    await collections.sweep(writing)
    await asyncio.sleep(0)
    return writing


async def seen(collections: Collections, *conditions: Condition, tenant: str | None = None) -> list[str]:
    found = await collections.search("handbook", EVERYTHING, conditions, tenant=tenant)
    return sorted(hit.payload["text"] for hit in found.legs[0])


def three(*texts: str) -> list[str]:
    return sorted(f"{text} {number}" for text in texts for number in range(3))


async def test_nothing_is_seen_before_it_is_shown(collections: Collections) -> None:
    writing = await collections.begin(HANDBOOK)
    key = await stage(collections, writing, "a", "old")
    assert await seen(collections) == []
    stored = await collections.show(writing, [key])
    assert await seen(collections) == three("old")
    assert (stored.documents, stored.passages) == (1, 3)
    assert [one.name for one in await collections.catalogue.all()] == ["handbook"]


async def test_a_changed_document_takes_the_place_of_the_old_one_at_once(collections: Collections) -> None:
    await put(collections, a="old", b="stays")
    writing = await collections.begin(HANDBOOK)
    key = await stage(collections, writing, "a", "new")
    assert await seen(collections) == three("old", "stays")
    stored = await collections.show(writing, [key])
    assert await seen(collections) == three("new", "stays")
    await collections.sweep(writing)
    assert await seen(collections) == three("new", "stays")
    assert (stored.documents, stored.passages) == (2, 6)


async def test_a_document_that_is_gone_is_seen_no_more(collections: Collections) -> None:
    await put(collections, a="one", b="two")
    writing = await collections.begin(HANDBOOK)
    stored = await collections.show(writing, [], gone=[document_key("a")])
    assert await seen(collections) == three("two")
    assert (stored.documents, stored.passages) == (1, 3)


async def test_hashes_tell_what_has_changed(collections: Collections) -> None:
    await put(collections, a="old", b="stays")
    await put(collections, a="new")
    writing = await collections.begin(HANDBOOK)
    versions = await collections.versions(writing, ["a", "b", "c"])
    assert versions == {"a": ("hash of new", {}), "b": ("hash of stays", {})}
    await stage(collections, writing, "a", "newest")
    assert await collections.versions(writing, ["a"]) == {"a": ("hash of new", {})}


async def test_what_was_given_up_is_never_seen(collections: Collections) -> None:
    await put(collections, a="old")
    given_up = await collections.begin(HANDBOOK)
    late = await stage(collections, given_up, "a", "half")
    writing = await collections.begin(HANDBOOK)
    # A worker that has not heard of it yet goes on writing.
    await stage(collections, given_up, "b", "late")
    with pytest.raises(CollectionError, match="another change"):
        await collections.show(given_up, [late])
    key = await stage(collections, writing, "a", "new")
    await collections.show(writing, [key])
    assert await seen(collections) == three("new")
    await put(collections, c="more")
    assert await seen(collections) == three("new", "more")


async def test_an_attempt_takes_the_place_of_an_earlier_one(collections: Collections) -> None:
    writing = await collections.begin(HANDBOOK)
    await stage(collections, writing, "a", "first", count=7)
    key = await stage(collections, writing, "a", "second")
    await collections.show(writing, [key])
    await collections.show(writing, [key])
    assert await seen(collections) == three("second")


@pytest.mark.parametrize("late", ["shown", "shown, as it was before"])
async def test_an_attempt_that_comes_late_changes_nothing(collections: Collections, late: str) -> None:
    """Its worker was taken for dead, another one did its work, and the document was shown."""
    writing = await collections.begin(HANDBOOK)
    key = await stage(collections, writing, "a", "shown")
    await collections.show(writing, [key])
    await stage(collections, writing, "a", late)
    assert await seen(collections) == three("shown")
    record = await collections.staged_one(writing, "a")
    assert (record["hash"], record["passages"]) == ("hash of shown", 3)
    assert await collections.staged_one(writing, "b") == {}


async def test_one_change_goes_on_step_by_step(collections: Collections) -> None:
    writing = await collections.begin(HANDBOOK)
    await collections.show(writing, [await stage(collections, writing, "a", "one")])
    after = writing.next_step
    key = await stage(collections, after, "b", "two")
    assert await seen(collections) == three("one")
    await collections.show(after, [key])
    assert await seen(collections) == three("one", "two")


async def test_a_rebuilt_collection_is_seen_when_it_is_whole(collections: Collections) -> None:
    await put(collections, a="old", b="old too")
    other = HANDBOOK.model_copy(update={"embedding": "fake/three", "dimensions": 3})
    with pytest.raises(CollectionError, match="its embedding is fake/two in the store and fake/three here"):
        await collections.begin(other)
    writing = await collections.begin(other, rebuild=True)
    dense = vector_text([1, 0, 0])
    await collections.stage(writing, Version("a", "h"), [StoredPassage(text="new", start=0, end=3, dense=dense)])
    assert await seen(collections) == three("old", "old too")
    await collections.show(writing, [document_key("a")])
    await collections.finish(writing)
    found = await collections.search("handbook", [Leg(dense=dense, limit=9)])
    assert [hit.payload["text"] for hit in found.legs[0]] == ["new"]
    assert (found.stored.embedding, found.stored.dimensions, found.stored.documents) == ("fake/three", 3, 1)


async def test_fields_limit_a_search(collections: Collections) -> None:
    fields = {"team": Field(kind="text"), "year": Field(kind="integer"), "draft": Field(kind="boolean")}
    wanted = HANDBOOK.model_copy(update={"fields": fields})
    writing = await collections.begin(wanted)
    keys = [
        await stage(collections, writing, "a", "core", fields={"team": "core", "year": 2024, "draft": True}),
        await stage(collections, writing, "b", "ops", fields={"team": "ops", "year": 2026, "draft": False}),
    ]
    await collections.show(writing, keys)
    assert await seen(collections, Condition(field="team", any_of=("core",))) == three("core")
    assert await seen(collections, Condition(field="draft", any_of=(False,))) == three("ops")
    assert await seen(collections, Condition(field="year", at_least=2025)) == three("ops")
    assert await seen(collections, Condition(field="year", at_least=2025, at_most=2025)) == []


async def test_tenants_have_documents_of_their_own(collections: Collections) -> None:
    wanted = HANDBOOK.model_copy(update={"partition": "tenant"})
    writing = await collections.begin(wanted)
    keys = [
        await stage(collections, writing, "a", "acme", tenant="acme"),
        await stage(collections, writing, "a", "globex", tenant="globex"),
    ]
    await collections.show(writing, keys)
    assert await seen(collections, tenant="acme") == three("acme")
    assert await seen(collections, tenant="globex") == three("globex")
    assert await seen(collections, tenant="") == []
    writing = await collections.begin(wanted)
    await collections.show(writing, [], gone=[document_key("a", "acme")])
    assert await seen(collections, tenant="acme") == []
    assert await seen(collections, tenant="globex") == three("globex")


async def test_a_dropped_collection_is_gone(collections: Collections) -> None:
    await put(collections, a="old")
    await collections.drop("handbook")
    await collections.drop("handbook")
    assert await collections.catalogue.all() == []
    with pytest.raises(CollectionError, match=r"no collection 'handbook' in the store \(there are: none\)"):
        await seen(collections)
    await put(collections, a="new")
    assert await seen(collections) == three("new")


async def test_what_a_drop_has_left_half_way_is_never_seen(
    collections: Collections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker of a drop ends after its first write: the collection is in no catalogue, and its set is there."""
    await put(collections, a="old", b="old too")
    write = collections._store.delete

    async def last_write(name: str, where: Sequence[Where]) -> None:
        await write(name, where)
        raise asyncio.CancelledError

    monkeypatch.setattr(collections._store, "delete", last_write)
    with pytest.raises(asyncio.CancelledError):
        await collections.drop("handbook")
    monkeypatch.undo()
    assert await collections.catalogue.all() == []
    await put(collections, a="new")
    assert await seen(collections) == three("new")
    (stored,) = await collections.catalogue.all()
    assert (stored.documents, stored.passages) == (1, 3)


async def test_readers_never_see_a_mixture(collections: Collections) -> None:
    """A writer replaces both documents again and again, while readers look."""
    await put(collections, a="0", b="0")
    done = asyncio.Event()
    states: set[str] = set()

    async def read() -> None:
        while not done.is_set():
            texts = await seen(collections)
            moment = texts[0].split()[0]
            assert texts == three(moment, moment), "a mixture of two moments"
            states.add(moment)
            await asyncio.sleep(0)

    readers = [asyncio.create_task(read()) for _ in range(2)]
    for moment in range(1, 9):
        await put(collections, a=str(moment), b=str(moment))
    done.set()
    await asyncio.gather(*readers)
    assert len(states) > 1
