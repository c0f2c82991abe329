"""Chats go on, and are told whole, after questions that no model answered, whatever left the prompt for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import (
    Agent,
    App,
    Budget,
    Chat,
    Client,
    Memory,
    MemoryCompacted,
    Model,
    Result,
    Role,
    Status,
    Stop,
    ToolResponded,
    tool,
)
from sostenuto.activities.model_adapter import Completion, ModelRequest, OnDelta
from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.errors import InvalidRequest
from sostenuto.contracts.memory.conversation import MemoryStrategy
from sostenuto.contracts.message import ToolResultPart
from sostenuto.workers.worker import build_worker
from tests.fakes.conversations import is_whole
from tests.fakes.counting_model import Answer, CountingModel, Sent
from tests.integration.memory.steps import look, walks
from tests.integration.memory.test_chats import executions_of, prove
from tests.integration.memory.test_failed_turns import HANGS, hang, save

WINDOW = 2_000
MOST_QUESTIONS = 14


@tool(effect="read")
async def load(size: int) -> str:
    """Load so many bytes."""
    return "data " * (size // 5)


def answers(sent: Sent) -> Answer:
    """Takes no large question, no large result, and none that waits."""
    last = sent.messages[-1]
    word, _, rest = last.text.partition(" ")
    if word in ("LARGE", "FAIL") or (last.role is Role.TOOL and sent.tokens > WINDOW):
        return InvalidRequest("out of order")
    if word == "HANG":
        return [("save", {"text": "short"}), ("hang", {"key": rest})]
    return [("load", {"size": int(size)}) for size in rest.split()] if word == "LOAD" else f"fine {last.text}"


class Waiting(CountingModel):
    """Never answers what begins with `wait`."""

    def __init__(self) -> None:
        super().__init__(lambda _: "fine")
        self.waits = asyncio.Event()

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        if request.messages[-1].text.startswith("wait"):
            self.waits.set()
            await asyncio.Event().wait()
        return await super().complete(request, on_delta)

    async def interrupted(self, chat: Chat, text: str, id: str) -> Result:
        """What comes of a message that is interrupted once the model is asked."""
        self.waits.clear()
        turn = asyncio.ensure_future(chat.send(text, id=id))
        await self.waits.wait()
        await chat.interrupt()
        return await turn


class Uncounted(CountingModel):
    """Tells no usage."""

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        return replace(await super().complete(request, on_delta), usage=Usage())


@asynccontextmanager
async def served(temporal: TemporalClient, app: App, model: CountingModel, queue: str) -> AsyncIterator[Client]:
    async with build_worker(temporal, app, {"scripted": model}, lambda *_: 0.001, task_queue=queue):
        yield Client(temporal, task_queue=queue, redis_url="")


def writer(window: int = WINDOW) -> Agent:
    memory = Memory(window=window, strategy="window")
    return Agent(name="writer", model="scripted/m", tools=[load, save, hang], memory=memory)


async def until_it_continues(temporal: TemporalClient, chat: Chat, text: Callable[[int], str]) -> None:
    for number in range(MOST_QUESTIONS):
        assert (await chat.send(text(number), id=f"d{number}")).status is Status.FAILED
        if len(await executions_of(temporal, chat)) > 1:
            return
    pytest.fail("it did not continue as new")


async def proven(temporal: TemporalClient, chat: Chat) -> int:
    return (await prove(temporal, chat, await executions_of(temporal, chat)))[0]


async def said(chat: Chat) -> list[str]:
    """What a user said, by the beginning of each message."""
    return [message.text[:8].strip() for message in await chat.transcript() if message.role is Role.USER]


@pytest.mark.parametrize("pin", ["My name is Ada.", "My names: " + "x y z " * 620], ids=["small", "large"])
async def test_the_last_reply_leaves_for_a_question_that_fails(
    impatient: TemporalClient, task_queue: str, pin: str
) -> None:
    """And the chat continues as new after that."""
    model, agent = CountingModel(answers), writer()
    async with served(impatient, App(agent), model, task_queue) as client:
        chat = await client.chat(agent, id=task_queue)
        for text, pinned in (("Hello.", False), (pin, True), ("More.", False)):
            await chat.send(text, pinned=pinned)
        await until_it_continues(impatient, chat, lambda _: "LARGE " + "word " * 550)
        ends = [await chat.send(text, id=text) for text in ("One", "LOAD 100", "Two", "Three")]
        assert [end.status for end in ends] == [Status.COMPLETED] * 4
        assert await proven(impatient, chat) >= 7
        assert await said(chat) == ["Hello.", pin[:8].strip(), "More.", "One", "LOAD 100", "Two", "Three"]
        for at in ("One", "LOAD 100", "Two"):
            fork = await chat.fork(at=at)
            assert (await fork.send("Go on.")).output == "fine Go on."
            assert is_whole([*model.sent[-1].messages])
            assert model.sent[-1].messages[-2].text == f"fine {at}" or at == "LOAD 100"


async def test_forks_begin_where_they_are_to(temporal: TemporalClient, task_queue: str) -> None:
    """A pin stands between what left for a question that failed."""
    model, agent = CountingModel(answers), writer()
    async with served(temporal, App(agent), model, task_queue) as client:
        chat = await client.chat(agent, id=task_queue)
        texts = ["Hello.", "PIN", "LOAD 100 200", "LOAD 50", "LARGE " + "word " * 1_150, "LOAD 300 400", "LOAD 5"]
        for number, text in enumerate(texts):
            await chat.send(text, id=f"m{number}", pinned=text == "PIN")
        whole = await chat.transcript()
        calls = [call.id for message in whole for call in message.tool_calls]
        assert len(calls) == len({*calls}) == 6
        assert is_whole([*whole])
        for at, last in (("m2", "LOAD 100 200"), ("m3", "PIN"), ("m5", "LOAD 300 400"), ("m6", "LOAD 5")):
            fork = await chat.fork(at=at)
            assert (await fork.send("Go on.")).status is Status.COMPLETED
            asked = [message.text for message in model.sent[-1].messages if message.role is Role.USER]
            assert asked[-2:] == [last, "Go on."]


async def test_dozens_of_messages_without_an_answer_end_no_chat(temporal: TemporalClient, task_queue: str) -> None:
    model, agent = Waiting(), writer(window=500)
    async with served(temporal, App(agent), model, task_queue) as client:
        chat = await client.chat(agent, id=task_queue)
        await chat.send("Hello.")
        texts = [f"wait {number}" for number in range(10, 26)]
        for text in texts:
            assert (await model.interrupted(chat, text + "\n" + "abc " * 12, text)).status is Status.CANCELLED
        for text in ("Hi.", "And now?"):
            assert (await chat.send(text)).status is Status.COMPLETED
        assert max(sent.tokens for sent in model.sent) <= 500
        assert await proven(temporal, chat) == 3
        assert await said(chat) == ["Hello.", *texts, "Hi.", "And now?"]
        fork = await chat.fork(at="wait 17")
        assert (await fork.send("Go on.")).status is Status.COMPLETED


async def test_a_budget_that_is_not_enough_for_a_while_ends_no_chat(temporal: TemporalClient, task_queue: str) -> None:
    model = CountingModel(answers)
    agent = writer(window=1_000).model_copy(update={"budget": Budget(tokens=900, on_exhausted=Stop())})
    async with served(temporal, App(agent), model, task_queue) as client:
        chat = await client.chat(agent, id=task_queue)
        ends = {(await chat.send(f"{number} Are you there?" + " abc" * 12)).status for number in range(40)}
    assert ends == {Status.EXHAUSTED}
    assert model.sent == []


async def test_errors_of_a_failed_turn_are_told_after_all(impatient: TemporalClient, task_queue: str) -> None:
    """They left the prompt for a question that no model was asked, and the chat continued as new."""
    model, agent = CountingModel(answers), writer()
    hangs = HANGS[task_queue] = asyncio.Event()
    async with served(impatient, App(agent), model, task_queue) as client:
        chat = await client.chat(agent, id=task_queue)
        await chat.send("Hello.")
        turn = asyncio.ensure_future(chat.send(f"HANG {task_queue}", id="h"))
        await hangs.wait()
        await chat.interrupt()
        await turn
        await until_it_continues(impatient, chat, lambda _: "Large " + "word " * 2_000)
        assert (await chat.send("Hi.")).status is Status.COMPLETED
        whole = await chat.transcript()
        await proven(impatient, chat)
        fork = await chat.fork(at="h")
        assert (await fork.send("Go on.")).status is Status.COMPLETED
        assert is_whole([*model.sent[-1].messages])
        await chat.end()
        events = [event async for event in chat.events()]
    assert is_whole([*whole])
    assert [event.is_error for event in events if isinstance(event, ToolResponded)] == [False, True]
    assert any(isinstance(event, MemoryCompacted) for event in events)


async def test_what_was_cut_is_proven_after_it_continues(impatient: TemporalClient, task_queue: str) -> None:
    """A fallback of a small window was told less of a result, and failed."""
    model = CountingModel(answers, windows={"large": 200_000, "small": 30_000})
    choices = Model("scripted/large", fallbacks=["scripted/small"])
    agent = Agent(name="writer", model=choices, tools=[load], memory=Memory(strategy="window"))
    async with served(impatient, App(agent), model, task_queue) as client:
        chat = await client.chat(agent, id=task_queue)
        await chat.send("Hello.")
        await chat.send("LOAD 200000")
        await until_it_continues(impatient, chat, lambda _: "FAIL")
        assert [(await chat.send(text)).status for text in ("One", "Two")] == [Status.COMPLETED] * 2
        assert await proven(impatient, chat) == 4
        results = [part for message in await chat.transcript() for part in message.parts]
    assert [len(part.content) for part in results if isinstance(part, ToolResultPart)] == [200_000]


async def test_a_question_that_was_cut_is_told_whole(temporal: TemporalClient, task_queue: str) -> None:
    model, agent = Waiting(), writer()
    async with served(temporal, App(agent), model, task_queue) as client:
        chat = await client.chat(agent, id=task_queue)
        texts = ["Hello.", *(f"wait {number} " + "lorem ipsum dolor " * 170 for number in range(3)), "Hi."]
        await chat.send(texts[0])
        for text in texts[1:4]:
            await model.interrupted(chat, text, text[:6])
        assert (await chat.send(texts[4])).status is Status.COMPLETED
        assert "left out here" in model.sent[-1].text
        whole = await chat.transcript()
    assert [message.text for message in whole if message.role is Role.USER] == texts


async def test_each_question_may_find_that_the_prompt_is_too_long(temporal: TemporalClient, task_queue: str) -> None:
    """Of a model that tells no window: one step is not enough, and no answer comes in between."""
    model = CountingModel(lambda _: "fine " * 120, windows={"small": 3_000}, tells_windows=False)
    large = Agent(name="large", model="scripted/large")
    small = Agent(name="small", model="scripted/small", memory=Memory(strategy="window"))
    async with served(temporal, App(large, small), model, task_queue) as client:
        chat = await client.chat(large, id=task_queue)
        for number in range(30):
            await chat.send(f"{number} " + "please " * 60)
        fork = await chat.fork(small)
        ends = [(await fork.send(f"Hi {number}.")).status for number in range(3)]
    assert ends == [Status.FAILED, Status.COMPLETED, Status.COMPLETED]


@pytest.mark.parametrize("strategy", ["clear_tools", "window"])
async def test_a_provider_that_counts_nothing(
    temporal: TemporalClient, task_queue: str, strategy: MemoryStrategy
) -> None:
    memory = Memory(window=4_000, strategy=strategy)
    agent = Agent(name="walker", model="scripted/m", tools=[look], max_turns=30, memory=memory)
    async with served(temporal, App(agent), Uncounted(walks(20)), task_queue) as client:
        run = await client.start(agent, "Walk.")
        result = await run.result()
        events = [event async for event in run.events() if isinstance(event, MemoryCompacted)]
    assert (result.status, result.reason) == (Status.COMPLETED, "")
    assert events


async def test_a_fork_that_nobody_has_counted_is_shortened(temporal: TemporalClient, task_queue: str) -> None:
    model = CountingModel(lambda sent: ("load", {"size": 4_000}) if sent.messages[-1].text == "Load." else "fine")
    large = Agent(name="large", model="scripted/large", tools=[load])
    small = Agent(name="small", model="scripted/m", tools=[load], memory=Memory(window=8_000))
    async with served(temporal, App(large, small), model, task_queue) as client:
        chat = await client.chat(large, id=task_queue)
        for _ in range(12):
            await chat.send("Load.")
        fork = await chat.fork(small)
        assert (await fork.send("Hi.")).status is Status.COMPLETED
        assert model.sent[-1].tokens < 8_000
