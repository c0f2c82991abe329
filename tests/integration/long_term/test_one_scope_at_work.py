"""What is asked of a scope while others ask of it, too: each is answered for what has come to be."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sostenuto import Agent, App, Client, Collection, LongTerm
from sostenuto.activities.knowledge.store.vector_store import StoreUnavailable
from sostenuto.activities.memory.sending import ask_scope
from sostenuto.clients.ingest import CollectionFailed
from tests.integration.long_term.conftest import FlakyStore, Served

CODE = "The gate code is 1234."


@pytest.fixture
def at_work(store: FlakyStore, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set, it lets searches end that hold the workflow of a scope open until then."""
    ends, real = asyncio.Event(), store._call

    async def slow(method: str, **arguments: Any) -> Any:
        if method == "search":
            await ends.wait()
        return await real(method, **arguments)

    monkeypatch.setattr(store, "_call", slow)
    return ends


async def looking(client: Client, people: Collection) -> asyncio.Task[Any]:
    memory = client.memory(people, "user:anna")
    await memory.remember("I like figs")
    return asyncio.create_task(memory.recall("figs"))


async def test_what_was_forgotten_is_remembered_anew_under_its_id(
    serving: Served, people: Collection, at_work: asyncio.Event
) -> None:
    async with serving(App(collections=[people])) as client:
        looks = await looking(client, people)
        memory = client.memory(people, "user:anna")
        first = await memory.remember(CODE, id="note-1")
        assert (await memory.forget(first.id)).deleted == 1
        again = await memory.remember(CODE, id="note-1")
        assert not again.forgotten
        assert CODE in [one.text for one in await memory.list()]
        at_work.set()
        await looks


async def test_what_failed_is_done_under_its_id_once_it_can_be(
    serving: Served, people: Collection, store: FlakyStore, at_work: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(App(collections=[people])) as client:
        looks = await looking(client, people)
        memory = client.memory(people, "user:anna")

        async def down(*_: Any, **__: Any) -> None:
            raise StoreUnavailable("the store is down")

        with monkeypatch.context() as patched:
            patched.setattr(store, "upsert", down)
            with pytest.raises(CollectionFailed, match="the store is down"):
                await memory.remember(CODE, id="note-1")
        assert not (await memory.remember(CODE, id="note-1")).known
        assert CODE in [one.text for one in await memory.list()]
        at_work.set()
        await looks


async def test_what_was_said_later_is_written_later(
    serving: Served, people: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no turn waits for the one before it, and the first attempt of the first write fails."""
    agent = Agent(name="assistant", model="scripted/m", long_term=LongTerm(people, recall=0))
    real, asked = ask_scope, list[Any]()

    async def late_at_first(*given: Any, **named: Any) -> Any:
        asked.append(named)
        if len(asked) == 1:
            raise TimeoutError
        return await real(*given, **named)

    monkeypatch.setattr("sostenuto.activities.memory.remembering.ask_scope", late_at_first)
    async with serving(App(agent), {"m": "Ok."}) as client:
        chat = await client.chat(agent, context={"user": "anna"})
        await chat.send("I live in Berlin")
        await chat.send("I moved to Munich")
        await chat.end()
        await client.temporal.get_workflow_handle(chat.id).result()
        found = await client.memory(people, "user:anna").list()
    assert [(one.text, one.source.turn) for one in found] == [("The user lives in Munich.", 2)]
    assert len(asked) == 3


async def test_the_newest_are_listed(serving: Served, people: Collection) -> None:
    async with serving(App(collections=[people])) as client:
        memory = client.memory(people, "user:anna")
        for number in range(8):
            await memory.remember(f"Note {number}", key=f"note {number}")
        assert [one.text for one in await memory.list(limit=3)] == ["Note 7.", "Note 6.", "Note 5."]
