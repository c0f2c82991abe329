"""Chats go on for ever in a small window, over any number of executions, and their history has all of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import (
    Agent,
    App,
    Chat,
    Client,
    Memory,
    MemoryCompacted,
    ModelResponded,
    Prompt,
    Result,
    SpecError,
    Status,
)
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.activities.model_adapter import Completion, ModelRequest, OnDelta
from sostenuto.contracts.memory.conversation import MemoryStrategy
from sostenuto.history.events.projection import Projection
from sostenuto.history.reading.executions import executions_until
from sostenuto.history.reading.follow import follow
from sostenuto.workers.worker import build_worker
from tests.fakes.counting_model import CountingModel, Sent

TURNS = 40
WINDOW = 2_000
BOT = Agent(name="bot", model="scripted/m", memory=Memory(window=WINDOW, strategy="summary"))


def echo(sent: Sent) -> str:
    """Says what it was asked, at some length."""
    return f"You said: {sent.messages[-1].text} " + "I do not forget. " * 12


def summary(sent: Sent) -> str:
    """Says what was said first and last."""
    return f"From {sent.messages[0].text[:12]!r} on."


@asynccontextmanager
async def served(temporal: TemporalClient, model: CountingModel, queue: str, cached: int) -> AsyncIterator[Client]:
    worker = build_worker(
        temporal, App(BOT), {"scripted": model}, lambda *_: 0.001, task_queue=queue, max_cached_runs=cached
    )
    async with worker:
        yield Client(temporal, task_queue=queue, redis_url="")


async def executions_of(temporal: TemporalClient, chat: Chat) -> tuple[str, ...]:
    newest = await temporal.get_workflow_handle(chat.id).describe()
    return await executions_until(temporal, chat.id, newest.run_id)


async def prove(temporal: TemporalClient, chat: Chat, executions: tuple[str, ...]) -> tuple[int, Projection]:
    """Rebuild every prompt from the history alone."""
    projection, proven = Projection(temporal.data_converter), 0
    for execution in executions:
        async for recorded in follow(temporal, chat.id, execution, wait=False):
            for event in projection.feed(recorded, execution):
                if isinstance(event, ModelResponded):
                    assert projection.prompt(event.turn, event.path).hash == event.prompt_hash, event.path
                    proven += 1
    return proven, projection


@pytest.mark.parametrize("cached", [0, 100])
async def test_a_chat_goes_on_in_a_small_window(impatient: TemporalClient, task_queue: str, cached: int) -> None:
    model = CountingModel(echo, summary=summary)
    async with served(impatient, model, task_queue, cached) as client:
        chat = await client.chat(BOT, id=task_queue)
        results = [await chat.send(f"Number {number}.", id=f"m{number}") for number in range(1, TURNS + 1)]
        executions = await executions_of(impatient, chat)
        proven, projection = await prove(impatient, chat, executions)
        history = await chat.history()
        again = await chat.send(f"Number {TURNS}.", id=f"m{TURNS}")
        forgotten = await chat.send("Number 2.", id="m2")
        fork = await chat.fork()
        forked = await fork.send("Number x.")
        early = await chat.fork(at="m3")
        begun = await early.transcript()
        earlier = await early.send("Number z.")
        late = await chat.fork(at=f"m{TURNS - 1}")
        later = await late.send("Number y.")
        await chat.end()
        events = [event async for event in chat.events()]
    assert len(executions) > 3
    assert {result.status for result in results} == {Status.COMPLETED}
    assert [str(result.output)[:20] for result in results] == [f"You said: Number {n}. "[:20] for n in range(1, 41)]
    assert max(sent.tokens for sent in model.sent) <= WINDOW
    assert proven == TURNS + len([sent for sent in model.summaries if "x" not in sent.text[-400:]])
    assert [turn.message.text for turn in history] == [f"Number {number}." for number in range(1, TURNS + 1)]
    assert all(turn.output for turn in history)
    whole = projection.transcript()
    assert [message.text for message in whole if message.role == "user"] == [turn.message.text for turn in history]
    assert again.output == results[-1].output
    assert forgotten.status is Status.COMPLETED
    assert len(model.turns) == TURNS + 3, "what was answered is not asked again"
    assert forked.status is earlier.status is later.status is Status.COMPLETED
    assert [message.text for message in begun if message.role == "user"] == ["Number 1.", "Number 2.", "Number 3."]
    assert [m.text for m in model.turns[-2].messages if m.role == "user"][-2:] == ["Number 3.", "Number z."]
    assert "</summary>" in model.turns[-3].text
    assert len([event for event in events if isinstance(event, MemoryCompacted)]) == len(model.summaries)


async def test_a_chat_has_a_memory_of_its_own_and_pinned_messages(temporal: TemporalClient, task_queue: str) -> None:
    model = CountingModel(echo)
    async with served(temporal, model, task_queue, 100) as client:
        plain = Agent(name="bot", model="scripted/m")
        chat = await client.chat(plain, memory=Memory(window=WINDOW, strategy="window"))
        await chat.send("My name is Ada.", pinned=True)
        for number in range(24):
            await chat.send(f"Number {number}.")
        turns = await chat.history()
        forked = await (await chat.fork()).send("And you?")
        with pytest.raises(SpecError, match="keeps the memory that it began with: leave out memory="):
            await client.chat(id=chat.id, memory=Memory())  # type: ignore[call-overload]
        with pytest.raises(SpecError, match=r"Prompt 'ask': memory: only an agent"):
            await client.chat(Prompt(name="ask", template="{input}", model="scripted/m"), memory=Memory())
    assert max(sent.tokens for sent in model.sent) <= WINDOW
    assert "Number 0." not in model.turns[-2].text
    assert all("My name is Ada." in sent.text for sent in model.turns), "what is pinned stays, in a fork too"
    assert [turn.message.pinned for turn in turns] == [True] + [False] * 24
    assert forked.status is Status.COMPLETED


async def test_what_was_interrupted_before_it_was_answered_ends_no_chat(
    temporal: TemporalClient, task_queue: str
) -> None:
    """It was told to no reply, and is told in part from then on."""
    hangs = asyncio.Event()
    model = CountingModel(echo)
    answer = model.complete

    async def complete(request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        if "Doc" in request.messages[-1].text:
            hangs.set()
            await asyncio.Event().wait()
        return await answer(request, on_delta)

    model.complete = complete  # type: ignore[method-assign]
    async with served(temporal, model, task_queue, 100) as client:
        chat = await client.chat(BOT, id=task_queue)
        for number in range(3):
            hangs.clear()
            turn = asyncio.ensure_future(_sent(chat, f"Doc {number}. " + "lorem ipsum dolor " * 170))
            await hangs.wait()
            await chat.interrupt()
            assert (await turn).status is Status.CANCELLED
        result = await chat.send("Hello there.")
        proven, _ = await prove(temporal, chat, await executions_of(temporal, chat))
        history = await chat.history()
    assert result.status is Status.COMPLETED
    assert proven == 1
    assert max(sent.tokens for sent in model.sent) <= WINDOW
    assert "characters are left out here, to save room" in model.sent[-1].text
    assert [len(turn.message.text) > 3_000 for turn in history] == [True, True, True, False]


async def _sent(chat: Chat, text: str) -> Result:
    return await chat.send(text)


@pytest.mark.parametrize("strategy", ["window", "summary"])
async def test_a_script_goes_on_where_some_of_its_answers_have_left_the_prompt(
    impatient: TemporalClient, task_queue: str, strategy: MemoryStrategy
) -> None:
    writer = "scripted/writer" if strategy == "summary" else None
    memory = Memory(window=1_000, strategy=strategy, model=writer)
    bot = Agent(name="bot", model="scripted/m", memory=memory)
    usage = {"input_tokens": 900, "output_tokens": 50}
    script = {
        "m": [{"text": f"Answer {number}. " + "So it is. " * 10, "usage": usage} for number in range(20)],
        "writer": [{"text": "Much was said.", "usage": usage}] * 20,
    }
    async with build_worker(
        impatient, App(bot), {"scripted": ScriptedAdapter(script)}, lambda *_: 0.0, task_queue=task_queue
    ):
        client = Client(impatient, task_queue=task_queue, redis_url="")
        chat = await client.chat(bot, id=task_queue)
        told = [str((await chat.send(f"Number {number}. " + "Is it so? " * 10)).output) for number in range(14)]
        fork = await chat.fork(id=f"{task_queue}-fork")
        told += [str((await fork.send(f"Number {number}.")).output) for number in range(14, 17)]
        for one in (chat, fork):
            await one.end()
        compacted = [event async for event in chat.events() if isinstance(event, MemoryCompacted)]
    assert [one.partition(".")[0] for one in told] == [f"Answer {number}" for number in range(17)]
    assert compacted
