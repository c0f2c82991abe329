"""A turn that somebody goes on past ends soon, and the next one goes on from all that was said and done."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sostenuto import Agent, App, Chat, Event, Status, ToolResponded, tool
from sostenuto.activities.adapters.providers.scripted import Script, ScriptedAdapter
from sostenuto.contracts.message import ToolResultPart
from sostenuto.contracts.wire.chats.chat_event import TurnFinished, TurnQueued, TurnStarted
from tests.integration.agent.stage import calls, eventually
from tests.integration.chats.echo import Echo

if TYPE_CHECKING:
    from temporalio.client import Client as TemporalClient

    from sostenuto.workers.stack.valkey_server import ValkeyServer
    from tests.integration.live.conftest import Serve

ANNA = Agent(name="anna", model="scripted/m")


async def results_told(chat: Chat) -> list[tuple[str, bool]]:
    parts = [part for message in await chat.transcript() for part in message.parts]
    return [(part.content, part.is_error) for part in parts if isinstance(part, ToolResultPart)]


async def test_in_the_middle_of_tools(serve: Serve, valkey: ValkeyServer, task_queue: str) -> None:
    """What had ended is kept, what had not is told to be unknown, and the model can be asked again."""
    hangs = asyncio.Event()

    @tool(effect="read")
    async def quick() -> str:
        return "quick as a flash"

    @tool(effect="read")
    async def slow() -> str:
        hangs.set()
        await asyncio.Event().wait()
        return "never"

    @tool(effect="once")
    async def pay() -> str:
        await asyncio.Event().wait()
        return "never"

    agent = Agent(name="anna", model="scripted/m", tools=[quick, slow, pay])
    script: Script = [calls(("quick", {}), ("slow", {}), ("pay", {})), "Fine.", "And fine."]
    async with serve(App(agent), ScriptedAdapter(script), valkey.url.get_secret_value()) as client:
        chat = await client.chat(agent, id=task_queue, when_busy="interrupt")
        first = chat.send("Do it all.")
        await first.accepted()
        await hangs.wait()
        responded = []
        async for event in chat.events():
            responded += [event] * isinstance(event, ToolResponded)
            if responded:
                break
        second = await chat.send("Leave it.")
        cut = await first
        third = await chat.send("And now?")
        told = await results_told(chat)
    assert (cut.status, cut.reason) == (Status.CANCELLED, "it was interrupted")
    assert (second.status, second.output) == (Status.COMPLETED, "Fine.")
    assert third.output == "And fine."
    unknown = "It was stopped before it ended, because somebody went on. Whether it took effect is unknown."
    paid = "pay was stopped by the cancel. Whether it took effect is unknown."
    assert sorted(told) == sorted([("quick as a flash", False), (unknown, True), (paid, True)])


async def test_several_messages_past_a_turn(serve: Serve, valkey: ValkeyServer, task_queue: str) -> None:
    """The last one is answered, and the model is told all of them."""
    echo = Echo(hangs_at=["One two three."])
    async with serve(App(ANNA), echo, valkey.url.get_secret_value()) as client:
        chat = await client.chat(ANNA, id=task_queue, when_busy="interrupt")
        turns = [chat.send("One two three.")]
        await turns[0].accepted()
        await echo.is_hanging.wait()
        for text in ("Four.", "Five."):
            turns.append(chat.send(text))
            await turns[-1].accepted()
        results = [await turn for turn in turns]
        await chat.end()
        events = [event async for event in chat.events()]
    assert [result.status for result in results] == [Status.CANCELLED, Status.CANCELLED, Status.COMPLETED]
    assert results[1].reason == "it was not begun: another message came"
    assert echo.told[-1] == ["One two three.", "1: One", "Four.", "Five."]
    of_turns = [event for event in events if isinstance(event, TurnQueued | TurnStarted | TurnFinished)]
    one, two, three = (turn.id for turn in turns)
    assert [(event.type, event.message_id) for event in of_turns] == [
        ("turn.started", one),
        ("turn.queued", two),
        ("turn.queued", three),
        ("turn.finished", one),
        ("turn.started", two),
        ("turn.finished", two),
        ("turn.started", three),
        ("turn.finished", three),
    ]


async def test_interrupting_by_hand(serve: Serve, valkey: ValkeyServer, task_queue: str) -> None:
    echo = Echo(hangs_at=["One two three."])
    async with serve(App(ANNA), echo, valkey.url.get_secret_value()) as client:
        chat = await client.chat(ANNA, id=task_queue)
        await chat.interrupt()
        first, second = chat.send("One two three."), chat.send("Four.")
        await first.accepted()
        await second.accepted()
        await echo.is_hanging.wait()
        await chat.interrupt()
        assert ((await first).status, (await second).output) == (Status.CANCELLED, "2: Four.")
        await chat.end()


async def test_ending_answers_what_waits(serve: Serve, valkey: ValkeyServer, task_queue: str) -> None:
    async with serve(App(ANNA), Echo(seconds_per_word=0.2), valkey.url.get_secret_value()) as client:
        chat = await client.chat(ANNA, id=task_queue)
        turns = [chat.send(f"Number {number}.") for number in range(3)]
        for turn in turns:
            await turn.accepted()
        await chat.end()
        results = [await turn for turn in turns]
        assert [result.output for result in results] == ["1: Number 0.", "2: Number 1.", "3: Number 2."]

        async def over() -> bool:
            return not (await chat.describe()).is_open

        await eventually(over)


async def test_a_hundred_at_once_over_executions(
    impatient: TemporalClient, task_queue: str, serve: Serve, valkey: ValkeyServer
) -> None:
    echo = Echo()
    async with serve(App(ANNA), echo, valkey.url.get_secret_value(), on=impatient) as client:
        chat = await client.chat(ANNA, id=task_queue)
        turns = [chat.send(f"Number {number}.", id=f"m{number}") for number in range(100)]
        watching = asyncio.create_task(_events(chat))
        results = await asyncio.gather(*turns)
        history = await chat.history()
        await chat.end()
        # Workflow tasks for updates may be taken back, and others come under the ids of their events.
        assert await watching == await _events(chat)
    assert len(echo.asked) == 100
    assert [str(turn.output).partition(":")[0] for turn in history] == [str(number) for number in range(1, 101)]
    said = {turn.id: turn.output for turn in history}
    assert [said[f"m{number}"] for number in range(100)] == [result.output for result in results]
    assert all(str(result.output).endswith(f": Number {number}.") for number, result in enumerate(results))


async def _events(chat: Chat) -> list[Event]:
    return [event async for event in chat.events()]
