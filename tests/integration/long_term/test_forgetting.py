"""What is forgotten stays forgotten, and whoever had it deleted is told so, whatever is repeated."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from temporalio.client import Client as TemporalClient
from temporalio.client import (
    Interceptor,
    ListWorkflowsInput,
    OutboundInterceptor,
    WorkflowExecutionAsyncIterator,
)
from temporalio.service import RPCError, RPCStatusCode

from sostenuto import Agent, App, Client, Collection, LongTerm, MemoryForgotten, MemoryWritten, ToolResponded
from sostenuto.activities.memory.sending import ask_scope
from sostenuto.activities.model_adapter import ModelRequest
from sostenuto.contracts import names
from sostenuto.contracts.contract import Contract
from sostenuto.contracts.memory.long_term import memory_workflow_id
from sostenuto.contracts.wire.memory.calls import ForgetCall, Forgotten, Remembered, WriteCall
from sostenuto.contracts.wire.memory.record import MemoryPlace, MemorySource, NewMemory
from sostenuto.workflows.policy import TASK_TIMEOUT
from tests.integration.agent.stage import eventually
from tests.integration.long_term.conftest import FlakyStore, Served

CameT = TypeVar("CameT", bound=Contract)


async def asked(client: Client, update: str, call: Any, came: type[CameT], id_: str) -> CameT:
    """Have the workflow of a scope do something, once the one before has ended, which knew what it had done."""
    handle = client.temporal.get_workflow_handle(memory_workflow_id(call.place.collection, call.place.scope))

    async def has_ended() -> bool:
        try:
            return (await handle.describe()).close_time is not None
        except RPCError:
            return True

    await eventually(has_ended)
    return await ask_scope(
        client.temporal,
        call.place,
        update,
        call,
        came,
        task_queue=client.task_queue,
        task_timeout=TASK_TIMEOUT,
        update_id=id_,
    )


async def written(client: Client, call: WriteCall) -> Remembered:
    return await asked(client, names.MEMORY_WRITE_UPDATE, call, Remembered, uuid4().hex)


def of_run(people: Collection, *texts: str, step: str = "a:remember-1", run: str = "run-1") -> WriteCall:
    source = MemorySource(run_id=run, execution="e", step=step, at=datetime.now(UTC))
    place = MemoryPlace(collection=people.name, scope="user:anna")
    return WriteCall(place=place, source=source, memories=tuple(NewMemory(text=text) for text in texts))


async def test_a_late_repeat_of_a_write_brings_nothing_back(
    serving: Served, people: Collection, store: FlakyStore, cached_runs: int
) -> None:
    async with serving(App(collections=[people]), max_cached_runs=cached_runs) as client:
        memory = client.memory(people, "user:anna")
        first = of_run(people, "Zebras live in Rome", "Figs are sweet")
        again = of_run(people, "zebras live in ROME", run="run-2")
        [zebras, figs] = (await written(client, first)).outcomes
        assert (await written(client, again)).outcomes[0].known
        assert (await memory.forget(zebras.id)).deleted == 1
        # Whoever wrote it did not hear so, and asks the next workflow of the scope.
        [gone, kept] = (await written(client, first)).outcomes
        assert (gone.forgotten, gone.id, kept.forgotten, kept.id) == (True, zebras.id, False, figs.id)
        assert [one.forgotten for one in (await written(client, again)).outcomes] == [True]
        assert [one.text for one in await memory.list(superseded=True)] == ["Figs are sweet"]
        # What the store keeps of it has no word of it, and nothing by which it is found.
        left = json.dumps([one.payload for one in await store.scroll(f"memories@{people.name}", [], limit=100)])
        assert "ebra" not in left
        assert zebras.id not in left
        assert [one.text for one in await memory.recall("zebras live in Rome")] == ["Figs are sweet"]
        # Said anew by another step, or by the same one after that, it is remembered.
        anew = of_run(people, "Zebras live in Rome")
        assert not (await written(client, anew)).outcomes[0].forgotten
        assert len(await memory.list()) == 2


async def test_what_was_forgotten_may_be_remembered_anew_under_the_same_id(serving: Served, people: Collection) -> None:
    async with serving(App(collections=[people])) as client:
        memory = client.memory(people, "user:anna")
        await memory.remember("the gate code is 1234", id="note-1")
        await memory.forget(everything=True)
        again = await memory.remember("the gate code is 1234", id="note-1")
        assert not again.forgotten
        assert [one.id for one in await memory.list()] == [again.id]


@pytest.mark.usefixtures("short_pauses")
@pytest.mark.parametrize("lost", ["upsert", "delete", "count", "set_payload"])
async def test_a_deletion_whose_answer_is_lost_is_told_as_one(
    serving: Served, people: Collection, store: FlakyStore, lost: str
) -> None:
    agent = Agent(name="a", model="scripted/m", long_term=LongTerm(people))
    async with serving(App(agent), {"m": "Ok."}) as client:
        run = await client.start(agent, "I live in Berlin. I like tea.", context={"user": "anna"})
        await run.result()
        memory = client.memory(people, "user:anna")
        one, other = await memory.list()
        for ids in ((one.id, "ffffffff"), ()):
            store.loses = lost
            gone = await memory.forget(*ids, everything=not ids)
            assert not store.loses
            assert (gone.deleted, gone.left, gone.unknown) == (1, 0, ids[1:])
            assert run.id in [history.workflow_id for history in gone.histories]
            assert [left.id for left in await memory.list()] == ([other.id] if ids else [])


async def test_a_late_repeat_of_a_deletion_tells_the_same_and_deletes_nothing_more(
    serving: Served, people: Collection
) -> None:
    async with serving(App(collections=[people])) as client:
        memory = client.memory(people, "user:anna")
        await written(client, of_run(people, "Zebras live in Rome"))
        call = ForgetCall(place=MemoryPlace(collection=people.name, scope="user:anna"), forget_id="f-1")
        first = await asked(client, names.MEMORY_FORGET_UPDATE, call, Forgotten, "f-1")
        assert (first.deleted, [one.run_id for one in first.sources]) == (1, ["run-1"])
        later = await memory.remember("Figs are sweet")
        assert await asked(client, names.MEMORY_FORGET_UPDATE, call, Forgotten, "f-1") == first
        assert [one.id for one in await memory.list()] == [later.id]


@pytest.mark.usefixtures("short_pauses")
async def test_a_model_is_told_of_a_deletion_whose_answer_is_lost(
    serving: Served, people: Collection, store: FlakyStore
) -> None:
    agent = Agent(name="a", model="scripted/m", long_term=LongTerm(people, recall=0, extract="none", tools=["forget"]))
    ids: list[str] = []
    forgets = {"tool_calls": [{"name": "forget", "arguments": {"ids": ids}}]}
    async with serving(App(agent), {"m": [forgets, "Done."]}) as client:
        memory = client.memory(people, "user:anna")
        ids.append((await memory.remember("I live in Berlin")).id[:8])
        store.loses = "delete"
        run = await client.start(agent, "Forget where I live.", context={"user": "anna"})
        await run.result()
        events = [event async for event in run.events()]
        [told] = [event for event in events if isinstance(event, ToolResponded)]
        assert (told.content, told.is_error) == ("1 memory deleted.", False)
        assert [one.deleted for one in events if isinstance(one, MemoryForgotten)] == [1]
        assert await memory.list() == ()


class _Refusing(OutboundInterceptor):
    def list_workflows(self, input: ListWorkflowsInput) -> WorkflowExecutionAsyncIterator:
        raise RPCError("Request unauthorized.", RPCStatusCode.PERMISSION_DENIED, b"")


class Listless(Interceptor):
    """A server on which somebody may have memories deleted, and may not list workflows."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - as the SDK has it
        return _Refusing(next)


async def test_a_deletion_is_told_where_the_histories_cannot_be(
    serving: Served, people: Collection, temporal: TemporalClient
) -> None:
    async with serving(App(collections=[people])) as client:
        await written(client, of_run(people, "Zebras live in Rome"))
        config = temporal.config() | {"interceptors": [Listless()]}
        bounded = Client(TemporalClient(**config), task_queue=client.task_queue)
        gone = await bounded.memory(people, "user:anna").forget(everything=True)
        assert (gone.deleted, gone.left, gone.histories, gone.runs) == (1, 0, (), ("run-1",))
        assert "denies access" in gone.problem
        assert await client.memory(people, "user:anna").list() == ()


@pytest.mark.usefixtures("short_pauses")
async def test_a_write_of_which_a_part_happened_is_not_told_as_nothing(
    serving: Served, people: Collection, store: FlakyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = Agent(name="a", model="scripted/m", long_term=LongTerm(people, recall=0))
    async with serving(App(agent), {"m": "Ok."}) as client:
        memory = client.memory(people, "user:anna")
        await memory.remember("I like figs")
        upsert = store.upsert

        async def last(*given: Any) -> None:
            await upsert(*given)
            store.is_down = True

        monkeypatch.setattr(store, "upsert", last)
        run = await client.start(agent, "I live in Rome. I like tea.", context={"user": "anna"})
        await run.result()
        store.is_down = False
        [told] = [event async for event in run.events() if isinstance(event, MemoryWritten)]
        assert told.words == "user:anna: nothing, or not all, was remembered (the store is down)"
        assert len(await memory.list()) == 2


@pytest.mark.parametrize("extract", ["messages", "rules"])
async def test_a_turn_that_has_something_forgotten_does_not_say_it_again(
    serving: Served, people: Collection, extract: str
) -> None:
    wants = LongTerm(people, extract=extract, tools=["forget"])
    agent = Agent(name="assistant", model="scripted/m", long_term=wants)

    def forgets(request: ModelRequest) -> Any:
        found = re.findall(r'memory id="(\w{8})"', "".join(message.text for message in request.messages))
        asked = any(message.tool_calls for message in request.messages)
        return "Done." if asked else {"tool_calls": [{"name": "forget", "arguments": {"ids": found}}]}

    async with serving(App(agent), {"m": forgets}) as client:
        memory = client.memory(people, "user:anna")
        await memory.remember("My gate code is 1234")
        run = await client.start(agent, "My gate code is 1234. Please forget that.", context={"user": "anna"})
        await run.result()
        written = [event async for event in run.events() if isinstance(event, MemoryWritten)]
        assert await memory.list() == ()
    assert [event.note for event in written] == ["it had something forgotten: what else it said is not remembered"]
