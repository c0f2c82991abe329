"""What a chat does not take is told at once, in a line, and leaves no trace in it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowUpdateFailedError

from sostenuto import Agent, App, ChatBusy, Client, Prompt, SpecError, Status
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.contracts import names
from sostenuto.contracts.errors import ContentFiltered
from sostenuto.workers.worker import build_worker
from tests.integration.chats.echo import Echo

if TYPE_CHECKING:
    from sostenuto.workers.stack.valkey_server import ValkeyServer
    from tests.integration.live.conftest import Serve

ANNA = Agent(name="anna", model="scripted/m")


async def test_a_chat_that_has_ended(serve: Serve, valkey: ValkeyServer, task_queue: str) -> None:
    async with serve(App(ANNA), Echo(), valkey.url.get_secret_value()) as client:
        chat = await client.chat(ANNA, id=task_queue)
        await chat.send("Hello.")
        await chat.end()
        async for _ in chat.events():
            pass
        ended = rf"chat '{task_queue}' has ended and takes no more messages: begin another one, or fork it"
        for found in (chat, await client.chat(ANNA, id=task_queue), await client.chat(id=task_queue)):
            with pytest.raises(SpecError, match=ended):
                await found.send("Are you there?")
            with pytest.raises(SpecError, match=ended):
                async for _ in found.send("Are you there?"):
                    pass
            with pytest.raises(SpecError, match=ended):
                await found.end()
            with pytest.raises(SpecError, match=ended):
                await found.interrupt()
            with pytest.raises(SpecError, match=ended):
                await found.rename("Over")
        assert [turn.output for turn in await chat.history()] == ["1: Hello."]
        assert not (await chat.describe()).is_open


async def test_a_chat_that_is_at_work(serve: Serve, valkey: ValkeyServer, task_queue: str) -> None:
    echo = Echo(hangs_at=["One two three."])
    async with serve(App(ANNA), echo, valkey.url.get_secret_value()) as client:
        chat = await client.chat(ANNA, id=task_queue, when_busy="reject")
        first = chat.send("One two three.")
        await first.accepted()
        await echo.is_hanging.wait()
        busy = rf"chat '{task_queue}': it answers another message: send this one when that is done"
        with pytest.raises(ChatBusy, match=busy):
            await chat.send("Four.")
        with pytest.raises(ChatBusy, match=busy):
            async for _ in chat.send("Four."):
                pass
        with pytest.raises(ChatBusy, match=busy):
            await chat.send("Four.").accepted()
        await chat.interrupt()
        assert (await first).status is Status.CANCELLED
        assert (await chat.send("Four.")).output == "2: Four."
        assert len(await chat.history()) == 2


async def test_what_was_written_wrongly(serve: Serve, valkey: ValkeyServer, task_queue: str) -> None:
    fields = Prompt(name="desk", template="{history} {order}", model="scripted/m")
    async with serve(App(ANNA, fields), Echo(), valkey.url.get_secret_value()) as client:
        chat = await client.chat(fields, id=task_queue)
        with pytest.raises(SpecError, match=r"\{order\}: no such field in the input"):
            await chat.send("Hello.")
        assert (await chat.send({"order": 7})).output == "1:  7"
        for wrong, words in (("", "the input is empty"), (b"x", "which no run can be asked")):
            with pytest.raises(SpecError, match=words):
                await chat.send(wrong)
        with pytest.raises(SpecError, match=r"has 3,000,0\d\d bytes and the limit is 2,000,000"):
            await chat.send("x" * 3_000_000)
        for bad in ("", "x" * 300, "\ud800"):
            with pytest.raises(SpecError, match="is no id of a message"):
                await chat.send("Hello.", id=bad)
        with pytest.raises(SpecError, match="a title has at least one character"):
            await chat.rename(" ")
        await chat.rename("Order\n7")
        assert (await chat.describe()).title == "Order 7"
        with pytest.raises(SpecError, match=f"'{task_queue}' is a chat with 'desk' already"):
            await client.chat(ANNA, id=task_queue)
        with pytest.raises(SpecError, match="is a chat of another tenant already"):
            await client.chat(fields, id=task_queue, tenant="acme")
        with pytest.raises(SpecError, match="is no chat but a run already"):
            await client.chat(ANNA, id=(await client.start(ANNA, "Hello.")).id)
        with pytest.raises(SpecError, match="when_busy='panic' is none of queue, interrupt, reject"):
            await client.chat(ANNA, when_busy="panic")
        with pytest.raises(SpecError, match="chat: 7 cannot be run"):
            await client.chat(7)  # type: ignore[call-overload]
        with pytest.raises(SpecError, match="pass a runnable to begin one, or the id"):
            await client.chat()  # type: ignore[call-overload]
        with pytest.raises(SpecError, match="there is no such"):
            await client.chat(id=f"{task_queue}-nobody")
        with pytest.raises(SpecError, match="'/' stands between"):
            await client.chat(ANNA, id="a/b")
        with pytest.raises(SpecError, match="cannot be one of 'anna'"):
            await client.start(ANNA, "Hello.", id=task_queue)


async def test_a_message_that_no_model_takes_is_taken_back(serve: Serve, valkey: ValkeyServer, task_queue: str) -> None:
    class Picky(Echo):
        async def complete(self, request, on_delta=None):  # type: ignore[no-untyped-def]
            if any("poison" in message.text for message in request.messages):
                raise ContentFiltered("not this")
            return await super().complete(request, on_delta)

    echo = Picky()
    async with serve(App(ANNA), echo, valkey.url.get_secret_value()) as client:
        chat = await client.chat(ANNA, id=task_queue)
        await chat.send("Hello.")
        failed = await chat.send("poison")
        after = await chat.send("And now?")
        history = await chat.history()
    assert failed.status is Status.FAILED
    assert not failed.output
    assert "ContentFiltered" in failed.reason
    assert after.output == "2: And now?"
    assert [turn.status for turn in history] == [Status.COMPLETED, Status.FAILED, Status.COMPLETED]


async def test_what_another_client_sends_raw(serve: Serve, valkey: ValkeyServer, task_queue: str) -> None:
    """Anybody may send updates: none may hold the chat up."""
    async with serve(App(ANNA), Echo(), valkey.url.get_secret_value()) as client:
        chat = await client.chat(ANNA, id=task_queue)
        handle = client.temporal.get_workflow_handle(chat.id)
        for name, args in (
            (names.CHAT_SEND_UPDATE, [7]),
            (names.CHAT_SEND_UPDATE, []),
            (names.CHAT_SEND_UPDATE, [{"role": "user", "parts": [{"kind": "nothing"}]}]),
            (names.CHAT_RENAME_UPDATE, [None]),
            ("nothing", []),
        ):
            with pytest.raises(WorkflowUpdateFailedError):
                await asyncio.wait_for(handle.execute_update(name, args=args), 30)
        assert (await chat.send("Hello.")).output == "1: Hello."


async def test_a_chat_whose_workflow_is_cancelled_or_terminated(
    serve: Serve, valkey: ValkeyServer, task_queue: str
) -> None:
    echo = Echo(hangs_at=["One two three."])
    async with serve(App(ANNA), echo, valkey.url.get_secret_value()) as client:
        for how in ("cancel", "terminate"):
            chat = await client.chat(ANNA, id=f"{task_queue}-{how}")
            turns = [chat.send("One two three."), chat.send("Four.")]
            for turn in turns:
                await turn.accepted()
            await echo.is_hanging.wait()
            handle = client.temporal.get_workflow_handle(chat.id)
            await (handle.cancel() if how == "cancel" else handle.terminate())
            async with asyncio.timeout(60):
                results = [await turn for turn in turns] if how == "cancel" else []
                if how == "terminate":
                    for turn in turns:
                        with pytest.raises(SpecError, match="was ended before this was answered"):
                            await turn
                    with pytest.raises(SpecError, match="was ended before this was answered"):
                        async for _ in turns[0]:
                            pass
                events = [event async for event in chat.events()]
            assert [result.status for result in results] == [Status.CANCELLED] * len(results)
            last = events[-1]
            assert last.type == "run.finished"
            assert last.status is (Status.CANCELLED if how == "cancel" else Status.FAILED)


async def test_the_list_of_chats(temporal: TemporalClient, task_queue: str) -> None:
    client = Client(temporal, task_queue=task_queue, redis_url="")
    adapters = {"scripted": ScriptedAdapter(["Hi."])}
    async with build_worker(temporal, App(ANNA), adapters, lambda *_: 0.0, task_queue=task_queue):
        chat = await client.chat(ANNA, tenant="acme", title="Mine", id=f"{task_queue}-{uuid4().hex[:6]}")
        await chat.send("Hello.")
        for _ in range(100):
            found = await client.chats("SostenutoTenant = 'acme'")
            if found and found[0].cost_usd == 0.0:
                break
            await asyncio.sleep(0.1)
        assert chat.id in [one.id for one in found]
        with pytest.raises(SpecError, match="the list of chats"):
            await client.chats("nonsense =")
        assert chat.id not in [row.id for row in await client.list()]
