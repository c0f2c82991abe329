"""Turns of a chat that ended before the model was told what its tools returned may leave the prompt."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Client, Memory, Message, Role, Status, ToolResponded, tool
from sostenuto.contracts.errors import ContextOverflow
from sostenuto.contracts.memory.conversation import MemoryStrategy
from sostenuto.contracts.message import ToolResultPart
from sostenuto.workers.worker import build_worker
from tests.fakes.conversations import is_whole
from tests.fakes.counting_model import Answer, CountingModel, Sent
from tests.integration.memory.test_chats import executions_of, prove

WINDOW = 2_000
HANGS: dict[str, asyncio.Event] = {}
STRATEGIES: list[list[MemoryStrategy]] = [["window"], ["summary"], ["clear_tools", "summary"]]


@tool(effect="read")
async def save(text: str) -> str:
    """Save a text."""
    return f"saved {len(text)}"


@tool(effect="read")
async def hang(key: str) -> str:
    """Never return."""
    HANGS[key].set()
    await asyncio.Event().wait()
    return "never"


def answers(sent: Sent) -> Answer:
    """Writes as much as it is asked to, by tools, and is out of order once they have."""
    last = sent.messages[-1]
    if last.role is Role.TOOL:
        return ContextOverflow("out of order")
    word, _, rest = last.text.partition(" ")
    if word == "HANG":
        return [("save", {"text": "short"}), ("hang", {"key": rest.split()[0]})]
    return ("save", {"text": "word " * int(rest)}) if word == "WRITE" else "fine"


@asynccontextmanager
async def served(temporal: TemporalClient, agent: Agent, model: CountingModel, queue: str) -> AsyncIterator[Client]:
    async with build_worker(temporal, App(agent), {"scripted": model}, lambda *_: 0.001, task_queue=queue):
        yield Client(temporal, task_queue=queue, redis_url="")


def writer(strategy: list[MemoryStrategy]) -> Agent:
    memory = Memory(window=WINDOW, strategy=strategy)
    return Agent(name="writer", model="scripted/m", tools=[save, hang], memory=memory)


def results_of(messages: tuple[Message, ...]) -> list[str]:
    parts = [part for message in messages for part in message.parts]
    return [part.content for part in parts if isinstance(part, ToolResultPart)]


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_a_call_longer_than_the_window_ends_no_chat(
    temporal: TemporalClient, task_queue: str, strategy: list[MemoryStrategy]
) -> None:
    model, agent = CountingModel(answers), writer(strategy)
    async with served(temporal, agent, model, task_queue) as client:
        chat = await client.chat(agent, id=task_queue)
        said = ["Hello.", "WRITE 3000", "Hi.", "Are you there?", "WRITE 3000", "And now?"]
        results = [await chat.send(text, id=f"m{number}") for number, text in enumerate(said)]
        forks = [await chat.fork(), await chat.fork(at="m1"), await chat.fork(at="m4")]
        forked = [await fork.send("Hi.") for fork in forks]
        whole = await chat.transcript()
        proven, _ = await prove(temporal, chat, await executions_of(temporal, chat))
        for fork in forks:
            await prove(temporal, fork, await executions_of(temporal, fork))
    assert [result.status.value for result in results] == [
        *("completed", "failed", "completed", "completed", "failed", "completed")
    ]
    assert "does not fit its window of 2,000 tokens, whatever leaves it. By an estimate" in results[1].reason
    assert re.search(r"what is new about \d+,", results[1].reason), "it is measured by nobody"
    assert re.search(r"of which about 3,[78]\d\d are the arguments of a call of save: give", results[1].reason)
    assert {result.status for result in forked} == {Status.COMPLETED}
    assert max(sent.tokens for sent in model.sent) <= WINDOW
    assert all(is_whole([*sent.messages]) for sent in model.sent)
    assert proven >= 6
    assert results_of(whole) == ["saved 15000"] * 2, "the history has all of it"
    assert [message.text for message in whole if message.role is Role.USER] == said


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_a_turn_that_failed_is_summed_up_with_what_no_reply_knows(
    impatient: TemporalClient, task_queue: str, strategy: list[MemoryStrategy]
) -> None:
    """Also where the chat continues as new meanwhile, and where its first turns have left it."""
    model, agent = CountingModel(answers), writer(strategy)
    async with served(impatient, agent, model, task_queue) as client:
        chat = await client.chat(agent, id=task_queue)
        said = [text for number in range(9) for text in ("WRITE 400", f"So {number}? " + "Is it? " * 300)]
        results = [await chat.send(text, id=f"m{number}") for number, text in enumerate(said)]
        whole, executions = await chat.transcript(), await executions_of(impatient, chat)
        proven, _ = await prove(impatient, chat, executions)
        early = await chat.fork(at="m2")
        begun = await early.transcript()
        forked = await early.send("Hi.")
        await prove(impatient, early, await executions_of(impatient, early))
    assert [result.status.value for result in results] == ["failed", "completed"] * 9
    assert len(executions) > 1
    assert max(sent.tokens for sent in model.sent) <= WINDOW
    assert all(is_whole([*sent.messages]) for sent in model.sent)
    assert proven == len([sent for sent in model.sent if sent.messages[-1].role is not Role.TOOL][:-1])
    assert results_of(whole) == ["saved 2000"] * 9
    assert [message.text for message in whole if message.role is Role.USER] == said
    assert [message.text for message in begun if message.role is Role.USER] == said[:3]
    assert is_whole([*begun])
    assert forked.status is Status.COMPLETED
    if "summary" in strategy:
        assert any("saved 2000" in sent.text for sent in model.summaries), "what came of the call is summed up, too"


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_what_was_cut_off_leaves_and_is_told_of(
    temporal: TemporalClient, task_queue: str, strategy: list[MemoryStrategy]
) -> None:
    """That it was stands in no history but where it leaves."""
    model, agent = CountingModel(answers), writer(strategy)
    hangs = HANGS[task_queue] = asyncio.Event()
    async with served(temporal, agent, model, task_queue) as client:
        chat = await client.chat(agent, id=task_queue)
        await chat.send("Hello.")
        turn = asyncio.ensure_future(_sent(chat.send(f"HANG {task_queue} " + "Is it? " * 700)))
        await hangs.wait()
        await chat.interrupt()
        assert await turn is Status.CANCELLED
        result = await chat.send("So? " * 800)
        whole = await chat.transcript()
        await prove(temporal, chat, await executions_of(temporal, chat))
        await chat.end()
        events = [event async for event in chat.events()]
    assert result.status is Status.COMPLETED
    assert "call_3_0" not in model.turns[-1].text, "it has left"
    assert is_whole([*whole])
    saved, cut_off = results_of(whole)
    assert saved == "saved 5"
    assert cut_off.startswith("It was stopped before it ended")
    assert [event.is_error for event in events if isinstance(event, ToolResponded)] == [False, True]


async def _sent(sending: object) -> Status:
    return (await sending).status  # type: ignore[misc, no-any-return]
