"""Memories on a real store: what is new, the same, or takes the place of another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sostenuto.activities.knowledge.store.stored import CollectionError
from sostenuto.activities.knowledge.store.vector_store import StoreUnavailable, Where
from sostenuto.activities.memory import ranking
from sostenuto.activities.memory.memories import Memories
from sostenuto.contracts.memory.long_term import MemoryKind
from sostenuto.contracts.wire.memory.calls import ForgetCall, MemoryListCall, RecallCall, WriteCall, WriteOutcome
from sostenuto.contracts.wire.memory.record import MemoryPlace, MemorySource, NewMemory
from tests.fakes.knowledge import WORDS, WordEncoder, knowledge

AT = datetime(2026, 11, 30, tzinfo=UTC)
ANNA = MemoryPlace(collection="people", scope="user:anna", embedding=WORDS)
BORIS = MemoryPlace(collection="people", scope="user:boris", embedding=WORDS)


def free(_: Any) -> None:
    """It costs nothing."""


@pytest.fixture
async def memories(tmp_path: Path) -> AsyncIterator[Memories]:
    async with knowledge(tmp_path / "store") as services:
        assert services.knowledge
        yield Memories(services.knowledge)


async def write(
    memories: Memories, *new: NewMemory, step: str = "a:1", place: MemoryPlace = ANNA, at: datetime = AT
) -> list[WriteOutcome]:
    source = MemorySource(run_id="run", execution="e", step=step, at=at)
    return await memories.write(WriteCall(place=place, source=source, memories=new), free)


async def texts(memories: Memories, place: MemoryPlace = ANNA, *, superseded: bool = False) -> set[str]:
    page = await memories.page(MemoryListCall(place=place, superseded=superseded))
    return {memory.text for memory in page.memories}


async def recalled(memories: Memories, query: str, place: MemoryPlace = ANNA, **asked: Any) -> list[str]:
    found = await memories.recall(RecallCall(place=place, query=query, now=AT, **asked), free)
    return [memory.text for memory in found.memories]


def home(city: str) -> NewMemory:
    return NewMemory(text=f"The user lives in {city}.", key="home", importance=0.8)


async def test_a_scope_that_nobody_wrote_to(memories: Memories) -> None:
    assert await texts(memories) == set()
    assert await recalled(memories, "anything") == []
    assert (await memories.forget(ForgetCall(place=ANNA))).deleted == 0


async def test_what_is_written_is_found_at_once_and_by_its_scope_alone(memories: Memories) -> None:
    [outcome] = await write(memories, home("Berlin"))
    assert not outcome.known
    assert await recalled(memories, "where does the user live") == ["The user lives in Berlin."]
    assert await recalled(memories, "where does the user live", BORIS) == []
    assert await texts(memories, BORIS) == set()


async def test_a_write_that_is_repeated_writes_once(memories: Memories) -> None:
    first = await write(memories, home("Berlin"), home("Munich"))
    assert await write(memories, home("Berlin"), home("Munich")) == first
    assert await texts(memories, superseded=True) == {"The user lives in Berlin.", "The user lives in Munich."}
    assert await texts(memories) == {"The user lives in Munich."}


async def test_what_contradicts_takes_the_place_and_the_past_is_kept(memories: Memories) -> None:
    [old] = await write(memories, home("Berlin"))
    [new] = await write(memories, home("Munich"), step="b:1", at=AT + timedelta(days=1))
    assert [one.text for one in new.replaced] == ["The user lives in Berlin."]
    assert await recalled(memories, "Berlin") == ["The user lives in Munich."]
    records = {one.id: one for one in (await memories.page(MemoryListCall(place=ANNA, superseded=True))).memories}
    assert records[new.id].supersedes == (old.id,)
    past = records[old.id]
    assert (past.superseded_by, past.superseded_at, past.source.step) == (new.id, AT + timedelta(days=1), "a:1")


async def test_the_same_in_other_letters_is_known(memories: Memories) -> None:
    [first] = await write(memories, home("Berlin"))
    [second] = await write(memories, home("Berlin").model_copy(update={"text": "the user lives in BERLIN"}), step="b:1")
    assert (second.id, second.known) == (first.id, True)
    assert len(await texts(memories)) == 1


async def test_a_late_repeat_of_what_was_known_does_not_undo_what_came_since(memories: Memories) -> None:
    """A run says what is known, another one says otherwise, and the first one's write is asked for again."""
    await write(memories, home("Berlin"))
    await write(memories, home("Berlin"), step="b:1")
    await write(memories, home("Munich"), step="c:1")
    [late] = await write(memories, home("Berlin"), step="b:1")
    assert late.known
    assert await texts(memories) == {"The user lives in Munich."}


async def test_moving_back_counts_again(memories: Memories) -> None:
    await write(memories, home("Berlin"))
    await write(memories, home("Munich"), step="b:1")
    [back] = await write(memories, home("Berlin"), step="c:1")
    assert [one.text for one in back.replaced] == ["The user lives in Munich."]
    assert await texts(memories) == {"The user lives in Berlin."}


async def test_without_a_key_only_the_same_words_are_known(memories: Memories) -> None:
    """Whatever lies close may be another fact, and none is to be lost: here the vectors of both texts are the same."""
    await write(memories, NewMemory(text="Tom likes Anna"))
    [same] = await write(memories, NewMemory(text="tom  likes Anna."), step="b:1")
    [other] = await write(memories, NewMemory(text="Anna likes Tom"), step="c:1")
    assert (same.known, other.known) == (True, False)


async def test_without_a_key_what_says_that_it_changed_takes_the_place_of_the_closest(memories: Memories) -> None:
    await write(memories, NewMemory(text="The gate code is 1234"), NewMemory(text="The shop closes at six"))
    [changed] = await write(memories, NewMemory(text="The gate code is 9999", updates=True), step="b:1")
    assert [one.text for one in changed.replaced] == ["The gate code is 1234"]
    [far] = await write(memories, NewMemory(text="Whales sing", updates=True), step="c:1")
    assert far.replaced == ()


async def test_what_a_model_says_is_replaced(memories: Memories) -> None:
    [old] = await write(memories, NewMemory(text="Anna's cat is grey"))
    [foreign] = await write(memories, NewMemory(text="Boris has no cat"), place=BORIS)
    new = NewMemory(text="Anna's cat is ginger", replaces=(old.id[:8], foreign.id, "no-such-id"))
    [outcome] = await write(memories, new, step="b:1")
    assert [one.id for one in outcome.replaced] == [old.id]
    assert await texts(memories, BORIS) == {"Boris has no cat"}


async def test_an_attempt_that_ended_half_way(memories: Memories, monkeypatch: pytest.MonkeyPatch) -> None:
    [old] = await write(memories, home("Berlin"))
    store, set_payload = memories._store, memories._store.set_payload

    async def down(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("down")

    monkeypatch.setattr(store, "set_payload", down)
    with pytest.raises(StoreUnavailable):
        await write(memories, home("Munich"), step="b:1")
    monkeypatch.setattr(store, "set_payload", set_payload)
    [again] = await write(memories, home("Munich"), step="b:1")
    assert ([one.id for one in again.replaced], again.known) == ([old.id], False)
    assert await texts(memories) == {"The user lives in Munich."}


async def test_recent_and_important_ones_come_first_where_all_fit_alike(memories: Memories) -> None:
    year = AT - timedelta(days=365)
    await write(memories, NewMemory(text="fact one zebra", importance=0.2), at=year)
    await write(memories, NewMemory(text="fact two zebra", importance=0.2), step="b:1")
    await write(memories, NewMemory(text="fact six zebra", importance=1.0), step="c:1", at=year)
    assert await recalled(memories, "zebra fact") == ["fact six zebra", "fact two zebra", "fact one zebra"]


async def test_no_more_is_told_than_there_is_room_for(memories: Memories) -> None:
    new = [NewMemory(text=f"{word} " * 40, key=word) for word in ("alpha", "beta", "gamma")]
    await write(memories, *new, NewMemory(text="delta", key="delta"))
    assert len(await recalled(memories, "alpha", limit=2)) == 2
    few = await recalled(memories, "alpha", tokens=180)
    assert few[0].startswith("alpha")
    assert "delta" in few
    assert len(few) == 2


async def test_what_the_conversation_was_told_is_not_told_again(memories: Memories) -> None:
    [one] = await write(memories, home("Berlin"))
    assert await recalled(memories, "Berlin", told=(one.id,)) == []


async def test_what_was_told_before_is_known_where_that_is_wanted(memories: Memories) -> None:
    [berlin] = await write(memories, home("Berlin"))
    await write(memories, NewMemory(text="The user likes tea"), NewMemory(text="Whales sing"))
    call = RecallCall(place=ANNA, query="the user lives in Berlin", now=AT, told=(berlin.id,), limit=1, known=2)
    found = await memories.recall(call, free)
    assert [one.text for one in found.memories] == ["The user likes tea"]
    assert [one.text for one in found.known] == ["The user lives in Berlin."]
    # Nothing is told twice of what is told now.
    found = await memories.recall(call.model_copy(update={"told": ()}), free)
    assert [one.text for one in (*found.memories, *found.known)] == ["The user lives in Berlin.", "The user likes tea"]
    found = await memories.recall(call.model_copy(update={"limit": 0}), free)
    assert [len(found.memories), len(found.known)] == [0, 2]


async def test_a_memory_is_told_with_what_it_took_the_place_of(memories: Memories) -> None:
    cities = ("Rome", "Pisa", "Turin", "Berlin", "Munich")
    for day, city in enumerate(cities):
        await write(memories, home(city), step=f"{city}:1", at=AT + timedelta(days=day))
    await write(memories, NewMemory(text="The user likes tea"), step="z:1")
    call = RecallCall(place=ANNA, query="the user lives in", now=AT)
    [munich, tea] = (await memories.recall(call, free)).memories
    assert [(one.text, one.until) for one in munich.past] == [
        (f"The user lives in {city}.", AT + timedelta(days=day))
        for city, day in (("Berlin", 4), ("Turin", 3), ("Pisa", 2))
    ]
    assert "The user lives in Munich. (Formerly, until 2026-12-04: The user lives in Berlin.)" in munich.told
    assert tea.past == ()
    # What is forgotten is no past either.
    await memories.forget(ForgetCall(place=ANNA, ids=(munich.id,)))
    assert await recalled(memories, "the user lives in") == ["The user likes tea"]


async def test_kinds(memories: Memories) -> None:
    await write(memories, home("Berlin"), NewMemory(kind=MemoryKind.PREFERENCE, text="The user likes tea."))
    assert await recalled(memories, "user", kinds=(MemoryKind.PREFERENCE,)) == ["The user likes tea."]


async def test_pages(memories: Memories) -> None:
    await write(memories, *(NewMemory(text=f"number {n}", key=str(n)) for n in range(5)))
    first = await memories.page(MemoryListCall(place=ANNA, limit=3))
    rest = await memories.page(MemoryListCall(place=ANNA, limit=3, after=first.cursor))
    assert (len(first.memories), len(rest.memories), rest.cursor) == (3, 2, "")
    assert {one.key for one in (*first.memories, *rest.memories)} == set("01234")


async def test_a_page_and_a_recall_go_into_one_answer(memories: Memories, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = [NewMemory(text=f"zebra {n} {'😀' * 985}") for n in range(150)]
    for n in range(0, 150, 50):
        await write(memories, *wide[n : n + 50], step=f"{n}:1")
    found, after = list[str](), ""
    while True:
        page = await memories.page(MemoryListCall(place=ANNA, limit=1_000, after=after))
        assert len(page.model_dump_json().encode()) < 600_000
        found += [one.text for one in page.memories]
        if not (after := page.cursor):
            break
    assert sorted(found) == sorted(one.text for one in wide)
    monkeypatch.setattr(ranking, "ANSWER_BYTES", 100_000)
    call = RecallCall(place=ANNA, query="zebra", now=AT, limit=50, known=50)
    recalled = await memories.recall(call, free)
    assert [len(recalled.memories), len(recalled.known)] == [24, 24]


async def test_another_embedding_is_refused(tmp_path: Path) -> None:
    async with knowledge(tmp_path / "store") as services:
        assert services.knowledge
        encoders = {WORDS: WordEncoder(), "fake/other": WordEncoder()}
        memories = Memories(replace(services.knowledge, encoders=encoders))
        await write(memories, home("Berlin"))
        other = ANNA.model_copy(update={"embedding": "fake/other"})
        with pytest.raises(CollectionError, match="are embedded by fake/words, and are to be by fake/other here"):
            await recalled(memories, "Berlin", other)


async def test_the_same_words_about_another_subject_are_another_memory(memories: Memories) -> None:
    code = NewMemory(text="The code is 1234", key="front door")
    await write(memories, code)
    [back] = await write(memories, code.model_copy(update={"key": "back door"}), step="b:1")
    assert not back.known
    [plain] = await write(memories, code.model_copy(update={"key": ""}), step="c:1")
    assert plain.known
    await write(memories, code.model_copy(update={"text": "The code is 9999"}), step="d:1")
    page = await memories.page(MemoryListCall(place=ANNA))
    assert {(one.key, one.text) for one in page.memories} == {
        ("front door", "The code is 9999"),
        ("back door", "The code is 1234"),
    }


async def test_what_is_known_already_takes_the_place_of_what_it_replaces(
    memories: Memories, monkeypatch: pytest.MonkeyPatch
) -> None:
    berlin, home_of = NewMemory(text="The user is in Berlin."), NewMemory(text="The user is in Pisa", key="home")
    [known, rome, pisa] = await write(memories, berlin, NewMemory(text="They reside in Rome"), home_of)
    again = berlin.model_copy(update={"replaces": (rome.id[:8],), "key": "home"})
    store, set_payload, calls = memories._store, memories._store.set_payload, list[Any]()

    async def down_after_one(*given: Any, **named: Any) -> None:
        calls.append(given)
        if len(calls) == 2:
            raise StoreUnavailable("down")
        await set_payload(*given, **named)

    monkeypatch.setattr(store, "set_payload", down_after_one)
    with pytest.raises(StoreUnavailable):
        await write(memories, again, step="b:1")
    [outcome] = await write(memories, again, step="b:1")
    assert (outcome.id, outcome.known) == (known.id, True)
    assert {one.id for one in outcome.replaced} == {rome.id, pisa.id}
    assert await write(memories, again, step="b:1") == [outcome]
    assert await texts(memories) == {"The user is in Berlin."}


async def test_what_another_version_wrote_breaks_no_recall(memories: Memories) -> None:
    [old] = await write(memories, home("Berlin"))
    await write(memories, home("Munich"), NewMemory(text="The user likes tea"), step="b:1")
    [odd] = await write(memories, NewMemory(text="The user likes figs"), step="c:1")
    mine = [Where(key="memory", any_of=(odd.id, old.id))]
    await memories._store.set_payload("memories@people", mine, {"kind": "procedure"})
    assert set(await recalled(memories, "the user likes")) == {"The user lives in Munich.", "The user likes tea"}
    assert (await memories.forget(ForgetCall(place=ANNA))).deleted == 4


async def test_one_text_about_two_subjects_is_two_memories_of_one_write(memories: Memories) -> None:
    code = NewMemory(text="The code is 1234", key="front door")
    first = await write(memories, code, code.model_copy(update={"key": "back door"}), code)
    assert [one.known for one in first] == [False, False, True]
    assert first[0].id == first[2].id
    page = await memories.page(MemoryListCall(place=ANNA))
    assert {one.key for one in page.memories} == {"front door", "back door"}


async def test_what_is_so_again_in_one_write_is_so(memories: Memories) -> None:
    there_and_back = [home("Rome"), home("Bonn"), home("Rome")]
    first = await write(memories, *there_and_back)
    assert await texts(memories) == {"The user lives in Rome."}
    assert await write(memories, *there_and_back) == first
    assert await texts(memories) == {"The user lives in Rome."}


async def test_nothing_is_its_own_past(memories: Memories) -> None:
    [rome, bonn] = await write(memories, home("Rome"), home("Bonn"))
    # As two workers may leave it of which one was taken for dead.
    mine = [Where(key="memory", any_of=(rome.id,))]
    await memories._store.set_payload("memories@people", mine, {"supersedes": [bonn.id]})
    found = await memories.recall(RecallCall(place=ANNA, query="where", now=AT), free)
    assert [[past.text for past in one.past] for one in found.memories] == [["The user lives in Rome."]]
