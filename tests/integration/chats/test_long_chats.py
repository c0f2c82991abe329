"""Chats that outlive an execution: nothing is lost where one continues as new, and every prompt can be proven."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Chat, Client, ModelResponded, Prompt, Role, SpecError, Status, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.activities.model_adapter import ModelAdapter
from sostenuto.contracts.wire.chats.chat_event import ChatStarted, TurnFinished
from sostenuto.history.events.projection import Projection
from sostenuto.history.reading.executions import executions_until
from sostenuto.history.reading.follow import follow
from sostenuto.workers.worker import build_worker
from tests.integration.agent.stage import calls
from tests.integration.chats.echo import Echo

ANNA = Agent(name="anna", model="scripted/m")
TURNS = 25


@asynccontextmanager
async def served(
    temporal: TemporalClient, app: App, model: ModelAdapter, queue: str, *, cached: int = 100
) -> AsyncIterator[Client]:
    worker = build_worker(
        temporal, app, {"scripted": model}, lambda *_: 0.001, task_queue=queue, max_cached_runs=cached
    )
    async with worker:
        yield Client(temporal, task_queue=queue, redis_url="")


async def executions_of(temporal: TemporalClient, chat: Chat) -> tuple[str, ...]:
    newest = await temporal.get_workflow_handle(chat.id).describe()
    return await executions_until(temporal, chat.id, newest.run_id)


async def prove(temporal: TemporalClient, chat: Chat, executions: tuple[str, ...]) -> int:
    """Rebuild every prompt from the history alone; how many there are."""
    projection, proven = Projection(temporal.data_converter), 0
    for execution in executions:
        async for recorded in follow(temporal, chat.id, execution, wait=False):
            for event in projection.feed(recorded, execution):
                if isinstance(event, ModelResponded):
                    assert projection.prompt(event.turn).hash == event.prompt_hash
                    proven += 1
    return proven


@pytest.mark.parametrize("cached", [0, 100])
async def test_an_agent_over_executions(impatient: TemporalClient, task_queue: str, cached: int) -> None:
    echo = Echo()
    async with served(impatient, App(ANNA), echo, task_queue, cached=cached) as client:
        chat = await client.chat(ANNA, id=task_queue)
        results = [await chat.send(f"Number {number}.", id=f"m{number}") for number in range(1, TURNS + 1)]
        executions = await executions_of(impatient, chat)
        again = await chat.send("Number 2.", id="m2")
        items = [item async for item in chat.send("Number 3.", id="m3")]
        history = await chat.history()
        summary = await chat.describe()
        proven = await prove(impatient, chat, executions)
        await chat.end()
        events = [event async for event in chat.events()]
        late = [event async for event in chat.events(events[40].position)]
    assert len(executions) > 3
    assert [result.output for result in results] == [f"{number}: Number {number}." for number in range(1, TURNS + 1)]
    assert echo.told[-1][-1] == f"Number {TURNS}."
    assert len(echo.told[-1]) == 2 * TURNS - 1
    assert len(echo.asked) == proven == TURNS
    assert (again.status, again.output) == (Status.COMPLETED, "2: Number 2.")
    assert [type(item) for item in items] == [TurnFinished]
    assert [(turn.id, turn.output) for turn in history] == [
        (f"m{number}", f"{number}: Number {number}.") for number in range(1, TURNS + 1)
    ]
    assert summary.title == "Number 1."
    assert summary.cost_usd == pytest.approx(TURNS * 0.001)
    assert sum(isinstance(event, ChatStarted) for event in events) == 1
    assert late == events[41:]


async def test_what_is_no_agent_over_executions(impatient: TemporalClient, task_queue: str) -> None:
    desk = Prompt(name="desk", template="{history}\n>{input}", model="scripted/m")
    echo = Echo(says="word " * 100)
    async with served(impatient, App(desk), echo, task_queue) as client:
        chat = await client.chat(desk, id=task_queue)
        for number in range(1, TURNS + 1):
            await chat.send(f"Number {number}.")
        executions = await executions_of(impatient, chat)
        history = await chat.history()
    assert len(executions) > 3
    assert [turn.message.text for turn in history] == [f"Number {number}." for number in range(1, TURNS + 1)]
    [prompt] = echo.told[-1]
    assert len(prompt) < 9_000
    assert prompt.endswith(f"User: Number {TURNS - 1}.\nAssistant: {echo.says}\n>Number {TURNS}.")


async def test_a_large_message_stands_in_the_history_once(impatient: TemporalClient, task_queue: str) -> None:
    echo = Echo(says="ok")
    text = "word " * 20_000
    async with served(impatient, App(ANNA), echo, task_queue) as client:
        chat = await client.chat(ANNA, id=task_queue)
        await chat.send("Hello.")
        await chat.send(text)
        assert await prove(impatient, chat, await executions_of(impatient, chat)) == 2
        description = await impatient.get_workflow_handle(chat.id).describe()
    assert echo.told[-1][-1] == text
    assert description.raw_info.history_size_bytes < 1.2 * len(text)


async def test_what_a_full_prompt_refers_to_can_be_proven(temporal: TemporalClient, task_queue: str) -> None:
    """Beside much that was not answered, a prompt refers to a short message, too."""
    echo = Echo(says="It is as it is.", hangs_at=["Wait for me."])
    # The first two together are more than one prompt can be sent with.
    long = [f"{number} " + "word " * words for number, words in enumerate((240_000, 240_000, *[3_000] * 6))]
    async with served(temporal, App(ANNA), echo, task_queue) as client:
        chat = await client.chat(ANNA, id=task_queue, when_busy="interrupt")
        turns = [chat.send(text) for text in ("Wait for me.", *long, "And now?")]
        await turns[0].accepted()
        await echo.is_hanging.wait()
        for turn in turns:
            await turn.accepted()
        last = await turns[-1]
        assert await prove(temporal, chat, await executions_of(temporal, chat)) > 0
        messages = await chat.transcript()
    assert (last.status, last.output) == (Status.COMPLETED, "It is as it is.")
    assert [message.text for message in messages if message.role is Role.USER] == ["Wait for me.", *long, "And now?"]


async def test_forks_go_on_from_any_turn(impatient: TemporalClient, task_queue: str) -> None:
    echo = Echo()
    async with served(impatient, App(ANNA), echo, task_queue) as client:
        chat = await client.chat(ANNA, id=task_queue, title="Numbers")
        for number in range(1, 8):
            await chat.send(f"Number {number}.", id=f"m{number}")
        fork = await chat.fork(at="m3", id=f"{task_queue}-fork")
        answer = await fork.send("And then?")
        again = await fork.send("Number 2.", id="m2")
        history = await fork.history()
        whole = await chat.fork()
        await whole.send("On.")
        assert len(echo.told[-1]) == 15
        await chat.end()
        late = await chat.fork(at="m1")
        assert (await late.send("Late.")).output == "2: Late."
        with pytest.raises(SpecError, match="no turn of a message 'm9' has ended in this chat"):
            await chat.fork(at="m9")
        with pytest.raises(SpecError, match="is a chat with 'anna' already"):
            await chat.fork(id=fork.id)
        other = await chat.fork(Agent(name="otto", model="scripted/m", instructions="Be short."), at="m2")
        assert (await other.send("You?")).output == "3: You?"
        assert (await other.describe()).runnable == "otto"
        assert (await fork.describe()).title == "Numbers"
        events = await asyncio.wait_for(_first(fork), 60)
    assert answer.output == "4: And then?"
    assert again.output == "2: Number 2."
    assert [turn.id for turn in history][:3] == ["m1", "m2", "m3"]
    assert isinstance(events, ChatStarted)
    assert events.forked_from == chat.id


async def _first(chat: Chat) -> object:
    return await anext(aiter(chat.events()))


async def test_tools_of_earlier_turns_are_remembered(impatient: TemporalClient, task_queue: str) -> None:
    @tool(effect="read")
    async def look(at: str) -> str:
        return f"nothing at {at}"

    agent = Agent(name="anna", model="scripted/m", tools=[look], max_turns=2)
    script = [step for number in range(8) for step in (calls(("look", {"at": f"{number}"})), f"done {number}")]
    async with served(impatient, App(agent), ScriptedAdapter(script), task_queue) as client:
        chat = await client.chat(agent, id=task_queue)
        results = [await chat.send(f"Look {number}.") for number in range(8)]
        executions = await executions_of(impatient, chat)
        assert await prove(impatient, chat, executions) == 16
        messages = await chat.transcript()
    assert len(executions) > 2
    assert [(result.output, result.turns) for result in results] == [(f"done {number}", 2) for number in range(8)]
    assert len(messages) == 8 * 4


async def test_what_waits_goes_along(impatient: TemporalClient, task_queue: str) -> None:
    """Also when it is sent again meanwhile, by a client that has read nothing."""
    echo = Echo(seconds_per_word=0.01)
    async with served(impatient, App(ANNA), echo, task_queue) as client:
        chat = await client.chat(ANNA, id=task_queue)
        turns = [chat.send(f"Number {number}.", id=f"m{number}") for number in range(TURNS)]
        for turn in turns:
            await turn.accepted()
        other = await client.chat(id=task_queue)
        late = [await other.send(f"Number {number}.", id=f"m{number}") for number in range(TURNS)]
        results = [await turn for turn in turns]
        executions = await executions_of(impatient, chat)
        assert await prove(impatient, chat, executions) == TURNS
    expected = [f"{number + 1}: Number {number}." for number in range(TURNS)]
    assert [result.output for result in results] == expected
    assert [result.output for result in late] == expected
    assert len(echo.asked) == TURNS
    assert len(executions) > 3


async def test_ending_a_chat_whose_history_is_long(impatient: TemporalClient, task_queue: str) -> None:
    async with served(impatient, App(ANNA), Echo(), task_queue) as client:
        chat = await client.chat(ANNA, id=task_queue)
        turns = [chat.send(f"Number {number}.") for number in range(10)]
        for turn in turns:
            await turn.accepted()
        await chat.end()
        results = [await turn for turn in turns]
        kinds = [event.type async for event in chat.events()]
    assert [result.output for result in results] == [f"{number + 1}: Number {number}." for number in range(10)]
    assert kinds[-1] == "run.finished"
    assert kinds.count("turn.started") == kinds.count("turn.finished") == 10
