"""What was said in a chat is told whole by its histories, and its forks begin with it, whatever its prompts tell."""

from __future__ import annotations

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Budget, Chat, Finish, Memory, Model, Role, Shorten, SpecError, Status, Stop
from sostenuto.contracts.memory.conversation import MemoryStrategy
from sostenuto.contracts.message import ToolResultPart
from tests.fakes.conversations import is_whole
from tests.fakes.counting_model import Answer, CountingModel, Sent
from tests.integration.memory.test_after_failed_questions import Waiting, answers, load, said, served
from tests.integration.memory.test_chats import executions_of


def loads(sent: Sent) -> Answer:
    """Loads as much as it is asked to."""
    word, _, size = sent.messages[-1].text.partition(" ")
    return ("load", {"size": int(size)}) if word == "LOAD" else "fine"


async def lengths(chat: Chat) -> list[int]:
    """How many characters each tool returned."""
    parts = [part for message in await chat.transcript() for part in message.parts]
    return [len(part.content) for part in parts if isinstance(part, ToolResultPart)]


@pytest.mark.parametrize("strategy", ["clear_tools", "window", "summary"])
async def test_results_that_left_are_told_after_it_continues(
    impatient: TemporalClient, task_queue: str, strategy: MemoryStrategy
) -> None:
    model = CountingModel(loads)
    agent = Agent(name="w", model="scripted/m", tools=[load], memory=Memory(window=3_000, strategy=strategy))
    async with served(impatient, App(agent), model, task_queue) as client:
        chat = await client.chat(agent, id=task_queue)
        sizes = [3_000 + 5 * number for number in range(14)]
        for size in sizes:
            assert (await chat.send(f"LOAD {size}")).status is Status.COMPLETED
        assert len(await executions_of(impatient, chat)) > 1
        assert await lengths(chat) == sizes


async def test_a_result_that_was_cut_is_told_after_it_continues(impatient: TemporalClient, task_queue: str) -> None:
    model = CountingModel(lambda sent: ("load", {"size": 40_000}) if sent.messages[-1].text == "Load." else "fine")
    agent = Agent(name="w", model="scripted/m", tools=[load], memory=Memory(window=6_000))
    async with served(impatient, App(agent), model, task_queue) as client:
        chat = await client.chat(agent, id=task_queue)
        await chat.send("Load.")
        for number in range(12):
            await chat.send(f"Hi {number}.")
        assert len(await executions_of(impatient, chat)) > 1
        assert await lengths(chat) == [40_000]


@pytest.mark.parametrize("last", [[Shorten(), Finish()], [Stop()]])
async def test_a_question_beyond_its_budget_ends_no_chat(
    temporal: TemporalClient, task_queue: str, last: list[Shorten | Finish | Stop]
) -> None:
    model = CountingModel(answers)
    budget = Budget(tokens=4_000, on_exhausted=last)
    agent = Agent(
        name="w", model=Model("scripted/m", max_output_tokens=500), memory=Memory(window=100_000), budget=budget
    )
    async with served(temporal, App(agent), model, task_queue) as client:
        chat = await client.chat(agent, id=task_queue)
        ends = [(await chat.send(text)).status for text in ("Hello.", "Large. " + "word " * 6_000, "One.", "Two.")]
        assert await said(chat) == ["Hello.", "One.", "Two."]
    assert ends == [Status.COMPLETED, Status.EXHAUSTED, Status.COMPLETED, Status.COMPLETED]


async def test_a_fork_tells_whole_what_it_began_with(temporal: TemporalClient, task_queue: str) -> None:
    model = Waiting()
    small = Agent(name="small", model="scripted/m", memory=Memory(window=2_000, strategy="window"))
    large = Agent(name="large", model="scripted/m", memory=Memory(window=100_000))
    async with served(temporal, App(large, small), model, task_queue) as client:
        chat = await client.chat(large, id=task_queue)
        texts = [f"wait {number} " + "lorem ipsum dolor " * 170 for number in range(3)]
        for text in texts:
            await model.interrupted(chat, text, text[:6])
        fork = await chat.fork(small)
        assert (await fork.send("Hi.")).status is Status.COMPLETED
        assert "left out here" in model.sent[-1].text
        whole = await fork.transcript()
    assert [message.text for message in whole if message.role is Role.USER] == [*texts, "Hi."]


async def test_a_fork_of_a_fork_begins_at_any_turn_of_its_own(temporal: TemporalClient, task_queue: str) -> None:
    model = CountingModel(answers)
    agent = Agent(name="w", model="scripted/m", memory=Memory(window=1_200, strategy="window"))
    async with served(temporal, App(agent), model, task_queue) as client:
        chat = await client.chat(agent, id=task_queue)
        for number in range(8):
            await chat.send(f"{number} " + "word " * 150, id=f"m{number}")
        fork = await chat.fork()
        for number in range(8):
            await fork.send(f"f{number} " + "word " * 150, id=f"f{number}")
        second = await fork.fork(at="f0")
        assert (await second.send("Go on.")).status is Status.COMPLETED
        asked = [message.text for message in model.sent[-1].messages if message.role is Role.USER]
        assert asked[-2].startswith("f0 ")
        assert is_whole([*model.sent[-1].messages])
        with pytest.raises(SpecError, match="or the chat that it was forked from"):
            await fork.fork(at="m0")
