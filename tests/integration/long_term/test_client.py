"""Memories by the client: written, found, listed and deleted, by the workflow of their scope."""

from __future__ import annotations

import asyncio
import gc
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Client, Collection, LongTerm, SetupError, SpecError, Status
from sostenuto.activities.knowledge.store.vector_store import Point, Where
from sostenuto.activities.memory import sending
from sostenuto.clients.ingest import CollectionFailed
from sostenuto.contracts import names
from sostenuto.contracts.memory.long_term import memory_workflow_id
from sostenuto.contracts.wire.memory.record import MemoryPlace
from sostenuto.workflows import policy
from tests.integration.agent.stage import eventually
from tests.integration.long_term.conftest import FlakyStore, Served
from tests.patience import PATIENCE_SECONDS


async def test_what_is_remembered_is_found_at_once(serving: Served, people: Collection, cached_runs: int) -> None:
    async with serving(App(collections=[people]), max_cached_runs=cached_runs) as client:
        memory = client.memory(people, "user:anna")
        first = await memory.remember("I live in Berlin")
        assert (first.text, first.known, first.replaced) == ("The user lives in Berlin.", False, ())
        assert [one.text for one in await memory.recall("where does the user live?")] == ["The user lives in Berlin."]
        second = await memory.remember("I moved to Munich")
        assert [one.id for one in second.replaced] == [first.id]
        assert [one.text for one in await memory.list()] == ["The user lives in Munich."]
        past = {one.id: one for one in await memory.list(superseded=True)}
        assert past[first.id].superseded_by == second.id
        assert await client.memory(people, "user:boris").list() == ()


async def test_the_same_id_is_written_once(serving: Served, people: Collection) -> None:
    async with serving(App(collections=[people])) as client:
        memory = client.memory(people, "user:anna")
        one = await memory.remember("the gate code is 1234", id="note-1")
        again = await memory.remember("the gate code is 1234", id="note-1")
        assert one == again
        assert len(await memory.list()) == 1


async def test_fifty_at_once_lose_and_double_nothing(serving: Served, people: Collection) -> None:
    """Half of them say the same as another one."""
    async with serving(App(collections=[people])) as client:
        memory = client.memory(people, "user:anna")
        texts = [f"the code of door {n // 2} is {n // 2 * 7}" for n in range(50)]
        done = await asyncio.gather(*(memory.remember(text, key=text) for text in texts))
        assert sum(one.known for one in done) == 25
        assert sorted(one.text for one in await memory.list()) == sorted({one.text for one in done})


async def test_of_fifty_that_contradict_each_other_one_counts(serving: Served, people: Collection) -> None:
    async with serving(App(collections=[people])) as client:
        memory = client.memory(people, "user:anna")
        await asyncio.gather(*(memory.remember(f"I live in town{n}") for n in range(50)))
        counts, everything = await memory.list(), await memory.list(superseded=True)
        assert (len(counts), len(everything)) == (1, 50)
        # Each but the last was replaced by exactly one, which knows it.
        chain = {one.superseded_by for one in everything if one.superseded_by}
        assert len(chain) == 49


async def test_more_than_one_history_takes(serving: Served, people: Collection, impatient: TemporalClient) -> None:
    async with serving(App(collections=[people]), temporal=impatient) as client:
        memory = client.memory(people, "user:anna")
        await asyncio.gather(*(memory.remember(f"note number {n}", key=str(n)) for n in range(40)))
        assert len(await memory.list()) == 40
        workflow_id = memory_workflow_id(people.name, "user:anna")
        rows: list[str] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            # The list is told of them a little later.
            while len(rows) < 2:
                rows = [row.run_id async for row in impatient.list_workflows(f"WorkflowId = '{workflow_id}'")]


async def test_forgetting(serving: Served, people: Collection) -> None:
    async with serving(App(collections=[people])) as client:
        memory = client.memory(people, "user:anna")
        await memory.remember("I live in Berlin")
        moved = await memory.remember("I moved to Munich")
        tea = await memory.remember("I like tea")
        gone = await memory.forget(moved.id)
        assert (gone.deleted, gone.left, gone.unknown) == (2, 0, ())
        assert [one.id for one in await memory.list(superseded=True)] == [tea.id]
        all_gone = await memory.forget(everything=True)
        assert (all_gone.deleted, all_gone.left) == (1, 0)
        assert await memory.list(superseded=True) == ()
        assert await memory.recall("tea") == ()
        # What made the changes has heard what was said.
        [history] = all_gone.histories
        assert history.workflow_id == memory_workflow_id(people.name, "user:anna")
        assert history.until is None or history.until > datetime.now(UTC)


async def test_more_than_one_answer_takes_is_listed(serving: Served, people: Collection, store: FlakyStore) -> None:
    async with serving(App(collections=[people])) as client:
        memory = client.memory(people, "user:anna")
        first = await memory.remember("zebra")
        whole = f"memories@{people.name}"
        [point] = await store.scroll(whole, [Where(key="memory", any_of=(first.id,))], limit=1)
        ids = [str(uuid4()) for _ in range(520)]
        wide = [{**point.payload, "memory": id_, "text": "😀" * 1_000} for id_ in ids]
        await store.upsert(whole, [Point(id=one["memory"], payload=one) for one in wide])
        found = await memory.list()
        assert {one.id for one in found} == {first.id, *ids}
        assert (await memory.forget(everything=True)).deleted == 521


async def test_what_is_asked_waits_for_no_change(serving: Served, people: Collection, store: FlakyStore) -> None:
    async with serving(App(collections=[people])) as client:
        memory = client.memory(people, "user:anna")
        tea = await memory.remember("I like tea")
        store.gate = asyncio.Event()
        slow = asyncio.ensure_future(memory.remember("I live in Berlin"))
        await store.waits.wait()
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert [one.id for one in await memory.list()] == [tea.id]
            assert [one.id for one in await memory.recall("tea")] == [tea.id]
        assert not slow.done()
        store.gate.set()
        await slow
        assert len(await memory.list()) == 2


async def test_an_attempt_that_lets_go_of_its_place_logs_no_fault(
    serving: Served, people: Collection, store: FlakyStore
) -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
    agent = Agent(name="a", model="scripted/m", long_term=LongTerm(people, recall=0))
    async with serving(App(agent), {"m": "Ok."}) as client:
        store.gate = asyncio.Event()
        run = await client.start(agent, "I live in Rome.", context={"user": "anna"})

        async def has_let_go() -> bool:
            return any("is at work on others" in str(one) for one in await run.hindrances())

        await eventually(has_let_go)
        store.gate.set()
        assert (await run.result()).status is Status.COMPLETED
    gc.collect()
    assert [fault["message"] for fault in faults] == []


@pytest.mark.usefixtures("short_pauses")
async def test_a_store_that_is_down(serving: Served, people: Collection, store: FlakyStore) -> None:
    async with serving(App(collections=[people])) as client:
        memory = client.memory(people, "user:anna")
        store.is_down = True
        for asked in (
            memory.remember("I like tea"),
            memory.recall("tea"),
            memory.list(),
            memory.forget(everything=True),
        ):
            with pytest.raises(CollectionFailed, match="the store is down"):
                await asked
        store.is_down = False
        assert await memory.list() == ()


async def test_what_cannot_be(serving: Served, people: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "NOT_SERVED_PAUSES", (timedelta(0),))
    async with serving(App(collections=[people])) as client:
        with pytest.raises(SpecError, match="names in braces stand for values of a run's context"):
            client.memory(people, "user:{context.user}")
        with pytest.raises(SpecError, match="a scope has printable characters"):
            client.memory(people, " ")
        memory = client.memory(people, "user:anna")
        with pytest.raises(SpecError, match="forget: say which by their ids, or everything=True"):
            await memory.forget()
        for unseen in ("  ", "\x00", "\u200b"):
            with pytest.raises(SpecError, match="remember: text: it is empty"):
                await memory.remember(unseen)
        with pytest.raises(SpecError, match="kind: 'rumour' is none: there are fact, preference, episode"):
            await memory.remember("x", kind="rumour")
        with pytest.raises(SpecError, match="importance: Input should be less than or equal to 1"):
            await memory.remember("x", importance=2)
        with pytest.raises(SpecError, match="recall: limit"):
            await memory.recall("x", limit=1_000)
        other = Client(client.temporal, task_queue=client.task_queue).memory("nowhere", "user:anna")
        with pytest.raises(CollectionFailed, match="no collection 'nowhere'"):
            await other.list()


async def test_what_nobody_serves_keeps_nobody_waiting(
    serving: Served, temporal: TemporalClient, task_queue: str, people: Collection
) -> None:
    nowhere = f"{task_queue}-nowhere"
    async with serving(App(collections=[people])) as client:
        astray = Client(temporal, task_queue=nowhere, redis_url="").memory(people, "user:anna")
        with pytest.raises(SetupError, match=f"no worker takes work from '{nowhere}'"):
            await astray.list()
        assert await client.memory(people, "user:anna").list() == ()


async def test_a_workflow_that_was_started_where_no_worker_is_is_told(
    serving: Served, temporal: TemporalClient, task_queue: str, people: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_UNSERVED", timedelta(milliseconds=100))
    nowhere, id_ = f"{task_queue}-nowhere", memory_workflow_id(people.name, "user:anna")
    agent = Agent(name="a", model="scripted/m", long_term=LongTerm(people, recall=0))
    await temporal.start_workflow(
        names.MEMORY_WORKFLOW, MemoryPlace(collection=people.name, scope="user:anna"), id=id_, task_queue=nowhere
    )
    async with serving(App(agent), {"m": "Ok."}) as client:
        run = await client.start(agent, "I live in Rome.", context={"user": "anna"})
        with pytest.raises(SetupError, match=f"from '{nowhere}', where their workflow {id_} was started: start one"):
            await client.memory(people, "user:anna").list()

        async def is_told() -> bool:
            waits = f"the workflow of these memories, {id_}, waits for a worker of task queue '{nowhere}'"
            return any(waits in str(one) for one in await run.hindrances())

        await eventually(is_told)
        await temporal.get_workflow_handle(id_).terminate()
        assert (await run.result()).status is Status.COMPLETED
        assert [one.text for one in await client.memory(people, "user:anna").list()] == ["The user lives in Rome."]
