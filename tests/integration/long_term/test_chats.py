"""Chats that remember across chats: a turn's end waits for nothing that is written after it."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Client, Collection, LongTerm, MemoryRecalled, MemoryWritten, ModelResponded, Status
from sostenuto.activities.model_adapter import ModelRequest
from sostenuto.history.events.projection import Projection
from sostenuto.history.reading.executions import executions_until
from sostenuto.history.reading.follow import follow
from tests.fakes.cast import Cast
from tests.integration.long_term.conftest import FlakyStore, Served

ANNA = {"user": "anna"}


def assistant(people: Collection, **said: Any) -> Agent:
    return Agent(name="assistant", model="scripted/m", long_term=LongTerm(people, **said))


def told(cast: Cast) -> list[str]:
    return [message.text for message in cast.requests[-1].messages]


async def test_a_chat_knows_what_another_one_was_told(serving: Served, people: Collection, cached_runs: int) -> None:
    agent, cast = assistant(people), Cast({"m": "Ok."})
    async with serving(App(agent), cast, max_cached_runs=cached_runs) as client:
        first = await client.chat(agent, context=ANNA)
        for text in ("I live in Berlin", "Where do I live?", "And where again?"):
            result = await first.send(text)
            assert result.status is Status.COMPLETED
        # A turn reads what the one before it wrote, and is told each memory once.
        assert sum("The user lives in Berlin." in text for text in told(cast)) == 1
        await first.end()
        second = await client.chat(agent, context=ANNA)
        await second.send("Where do I live?")
        assert "The user lives in Berlin." in told(cast)[0]
        assert told(cast)[-1] == "Where do I live?"
        await second.end()
        found = [event async for event in first.events() if isinstance(event, MemoryRecalled | MemoryWritten)]
        assert [event.type for event in found] == [
            "memory.recalled",
            "memory.written",
            "memory.recalled",
            "memory.recalled",
        ]
        [memory] = await client.memory(people, "user:anna").list()
        assert (memory.source.run_id, memory.source.turn) == (first.id, 1)


async def test_a_chat_that_ends_at_once_has_written(serving: Served, people: Collection) -> None:
    agent = assistant(people, recall=0)
    async with serving(App(agent), {"m": "Ok."}) as client:
        chat = await client.chat(agent, context=ANNA)
        await chat.send("I live in Berlin")
        await chat.end()
        await client.temporal.get_workflow_handle(chat.id).result()
        assert [one.text for one in await client.memory(people, "user:anna").list()] == ["The user lives in Berlin."]


async def test_the_model_that_extracts_is_shown_what_the_chat_was_told_before(
    serving: Served, people: Collection
) -> None:
    agent, learned = assistant(people, extract="scripted/e"), {"text": "The user lives in Bonn.", "kind": "fact"}

    def extracts(request: ModelRequest) -> Any:
        text = request.messages[0].text
        if "We are in Bonn" not in text:
            return json.dumps({"memories": []})
        [old] = re.findall(r"(\w{8}): The user lives in Rome\.", text)
        return json.dumps({"memories": [{**learned, "about": "", "importance": 0.5, "replaces": [old]}]})

    async with serving(App(agent), {"m": "Ok.", "e": extracts}) as client:
        await client.memory(people, "user:anna").remember("I live in Rome")
        chat = await client.chat(agent, context=ANNA)
        for text in ("Where do I live?", "We are in Bonn these days."):
            assert (await chat.send(text)).status is Status.COMPLETED
        await chat.end()
        await client.temporal.get_workflow_handle(chat.id).result()
        assert [one.text for one in await client.memory(people, "user:anna").list()] == ["The user lives in Bonn."]


async def test_a_turn_ends_before_it_is_written(serving: Served, people: Collection, store: FlakyStore) -> None:
    agent, cast = assistant(people), Cast({"m": "Ok."})
    async with serving(App(agent), cast) as client:
        await client.memory(people, "user:anna").remember("I like figs")
        store.gate = asyncio.Event()
        chat = await client.chat(agent, context=ANNA)
        assert (await chat.send("I live in Berlin")).output == "Ok."
        await store.waits.wait()
        # The next turn recalls, and waits for it.
        asking = asyncio.ensure_future(chat.send("Where do I live?"))
        store.gate.set()
        assert (await asking).output == "Ok."
        assert any("The user lives in Berlin." in text for text in told(cast))
        await chat.end()


async def test_over_many_executions(serving: Served, people: Collection, impatient: TemporalClient) -> None:
    agent, cast = assistant(people), Cast({"m": "Ok."})
    async with serving(App(agent), cast, temporal=impatient) as client:
        chat = await client.chat(agent, context=ANNA)
        for number in range(12):
            await chat.send(f"My box{number} is number {number}")
        await chat.end()
        await _ended(client, chat.id)
        assert len(await client.memory(people, "user:anna").list()) == 12
        # Each was told at most once, over all executions.
        for number in range(12):
            assert sum(f"box{number} is" in text for text in told(cast) if "<memories>" in text) <= 1
        assert len({row.run_id async for row in impatient.list_workflows(f"WorkflowId = '{chat.id}'")}) >= 1


async def _ended(client: Client, chat_id: str) -> None:
    await client.temporal.get_workflow_handle(chat_id).result()


async def test_an_interrupt_while_a_turn_waits_for_the_one_before_loses_nothing(
    serving: Served, people: Collection, store: FlakyStore
) -> None:
    agent, cast = assistant(people), Cast({"m": "Ok."})
    async with serving(App(agent), cast) as client:
        await client.memory(people, "user:anna").remember("I like figs")
        store.gate = asyncio.Event()
        chat = await client.chat(agent, context=ANNA)
        await chat.send("I live in Berlin")
        await store.waits.wait()
        waiting = chat.send("My cat is called Tom")
        await waiting.accepted()
        await chat.interrupt()
        assert (await waiting).status is Status.CANCELLED
        store.gate.set()
        assert (await chat.send("What is my cat called?")).status is Status.COMPLETED
        assert "My cat is called Tom" in told(cast)
        assert await proven(client, chat.id) == 2
        await chat.end()


async def test_a_turn_that_is_written_late_is_written_before_the_chat_ends(
    serving: Served, people: Collection, store: FlakyStore
) -> None:
    """Also where the turn after it is written before it."""
    agent, cast = assistant(people, recall=0), Cast({"m": "Ok."})
    async with serving(App(agent), cast) as client:
        await client.memory(people, "user:anna").remember("I like figs")
        store.gate = asyncio.Event()
        chat = await client.chat(agent, context=ANNA)
        await chat.send("I live in Berlin")
        await store.waits.wait()
        await chat.send("I like tea")
        ending = asyncio.ensure_future(chat.end())
        store.gate.set()
        await ending
        await _ended(client, chat.id)
        texts = {one.text for one in await client.memory(people, "user:anna").list()}
    assert {"The user lives in Berlin.", "The user likes tea."} <= texts


async def proven(client: Client, chat_id: str) -> int:
    """Rebuild every prompt from the history alone; return how many there are."""
    projection, found = Projection(client.temporal.data_converter), 0
    newest = (await client.temporal.get_workflow_handle(chat_id).describe()).run_id
    for execution in await executions_until(client.temporal, chat_id, newest or ""):
        async for recorded in follow(client.temporal, chat_id, execution, wait=False):
            for event in projection.feed(recorded, execution):
                if isinstance(event, ModelResponded):
                    assert projection.prompt(event.turn, event.path).hash == event.prompt_hash
                    found += 1
    return found
