"""A conversation of many turns: what each is told, what comes of it, and what is kept."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from sostenuto import Agent, App, Chain, Prompt, Result, Status
from sostenuto.contracts.wire.chats.chat_event import ChatStarted, TurnFinished, TurnQueued, TurnStarted
from sostenuto.contracts.wire.event import ModelRequested, ModelResponded, RunFinished
from sostenuto.contracts.wire.live import Token
from tests.integration.chats.echo import Echo

if TYPE_CHECKING:
    from sostenuto.workers.stack.valkey_server import ValkeyServer
    from tests.integration.live.conftest import Serve

ANNA = Agent(name="anna", model="scripted/m", instructions="Chat.")


async def test_an_agent_goes_on_in_one_transcript(serve: Serve, valkey: ValkeyServer, task_queue: str) -> None:
    echo = Echo()
    async with serve(App(ANNA), echo, valkey.url.get_secret_value()) as client:
        chat = await client.chat(ANNA, id=task_queue)
        first = await chat.send("Hello there.")
        items = [item async for item in chat.send("How are you?")]
        same = await client.chat(ANNA, id=task_queue)
        third = await same.send("And now?")
        history = await same.history()
        transcript = await same.transcript()
        summary = await same.describe()
        await same.end()
        events = [event async for event in chat.events()]
    assert (first.status, first.output, first.turns) == (Status.COMPLETED, "1: Hello there.", 1)
    assert third.output == "3: And now?"
    assert (third.turns, third.cost_usd) == (1, 0.001)
    assert echo.told[2] == ["Hello there.", "1: Hello there.", "How are you?", "2: How are you?", "And now?"]
    assert isinstance(items[0], TurnStarted)
    assert isinstance(items[-1], TurnFinished)
    assert items[-1].output == "2: How are you?"
    tokens = "".join(item.text for item in items if isinstance(item, Token))
    assert tokens == "2: How are you?"
    assert [turn.output for turn in history] == ["1: Hello there.", "2: How are you?", "3: And now?"]
    assert [message.text for message in transcript] == [*echo.told[2], "3: And now?"]
    assert (summary.title, summary.runnable, summary.is_open) == ("Hello there.", "anna", True)
    assert summary.cost_usd == 0.003
    kinds = [type(event) for event in events]
    turn = [TurnStarted, ModelRequested, ModelResponded, TurnFinished]
    assert kinds == [ChatStarted, *turn, *turn, *turn, RunFinished]
    assert isinstance(events[-1], RunFinished)
    assert (events[-1].status, events[-1].turns) == (Status.COMPLETED, 3)


async def test_messages_at_once_are_answered_in_their_order(
    serve: Serve, valkey: ValkeyServer, task_queue: str
) -> None:
    async with serve(App(ANNA), Echo(), valkey.url.get_secret_value()) as client:
        chat = await client.chat(ANNA, id=task_queue)
        turns = [chat.send(f"Number {number}.") for number in range(20)]
        results: list[Result] = await asyncio.gather(*turns)
        history = await chat.history()
    assert [str(turn.output).partition(":")[0] for turn in history] == [str(number) for number in range(1, 21)]
    assert {turn.id: turn.output for turn in history} == {
        turn.id: result.output for turn, result in zip(turns, results, strict=True)
    }


async def test_a_message_of_the_same_id_is_answered_once(serve: Serve, valkey: ValkeyServer, task_queue: str) -> None:
    echo = Echo()
    async with serve(App(ANNA), echo, valkey.url.get_secret_value()) as client:
        chat = await client.chat(ANNA, id=task_queue)
        first = await chat.send("Hello.", id="m1")
        again = await chat.send("Hello.", id="m1")
        items = [item async for item in chat.send("Hello.", id="m1")]
    assert first == again
    assert len(echo.asked) == 1
    assert isinstance(items[0], TurnStarted)
    assert isinstance(items[-1], TurnFinished)


async def test_an_interrupted_turn_keeps_what_it_said(serve: Serve, valkey: ValkeyServer, task_queue: str) -> None:
    echo = Echo(hangs_at=["Tell me a long story."])
    async with serve(App(ANNA), echo, valkey.url.get_secret_value()) as client:
        chat = await client.chat(ANNA, id=task_queue, when_busy="interrupt")
        first = chat.send("Tell me a long story.")
        await first.accepted()
        await echo.is_hanging.wait()
        second = await chat.send("Stop.")
        cut = await first
        items = []
        await chat.end()
        async with aclosing(chat.stream()) as stream:
            items = [item async for item in stream]
    assert (cut.status, cut.output) == (Status.CANCELLED, "1: Tell")
    assert cut.unpriced_calls == 1
    assert second.output == "2: Stop."
    assert echo.told[-1] == ["Tell me a long story.", "1: Tell", "Stop."]
    assert [item.message.text for item in items if isinstance(item, ModelResponded)] == ["1: Tell", "2: Stop."]
    assert [type(item) for item in items if isinstance(item, TurnQueued | TurnStarted | TurnFinished)] == [
        TurnStarted,
        TurnQueued,
        TurnFinished,
        TurnStarted,
        TurnFinished,
    ]


async def test_what_other_runnables_see_of_earlier_turns(serve: Serve, valkey: ValkeyServer, task_queue: str) -> None:
    echo = Echo()
    prompt = Prompt(name="desk", template="{history}\n\nNow: {input}", model="scripted/m")
    chain = Chain(
        name="pipe",
        steps=[Prompt(name="one", template="{history}|{input}", model="scripted/m"), ANNA],
        inputs=["history"],
    )
    async with serve(App(prompt, chain), echo, valkey.url.get_secret_value()) as client:
        chat = await client.chat(prompt, id=task_queue)
        assert (await chat.send("Hello.")).output == "1: \n\nNow: Hello."
        await chat.send("And then?")
        piped = await client.chat(chain, id=f"{task_queue}-chain")
        result = await piped.send("Hello.")
        events = [item async for item in piped.send("Again.")]
    assert echo.told[1] == ["User: Hello.\nAssistant: 1: \n  \n  Now: Hello.\n\nNow: And then?"]
    assert result.output == "1: 1: |Hello."
    assert {event.path for event in events} == {
        "pipe",
        "pipe/turn#2/one",
        "pipe/turn#2/anna",
    }
