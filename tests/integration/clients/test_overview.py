"""All runs at once: what is in trouble stands first, and the server is asked no more the more there are."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Client
from sostenuto.clients.overview.lookout import PER_FRAME, Lookout
from sostenuto.clients.overview.overview import OpenRun, Overview
from sostenuto.connection.connect import connect
from sostenuto.contracts.errors import SetupError
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import TemporalServer
from tests.integration.clients.busy import (
    BUSY,
    HANGING,
    LIMITED,
    PAYER,
    PRICE,
    QUICK,
    REFUSED,
    REPORT,
    WRONG,
    Faulty,
    Sleeping,
    serving,
)
from tests.integration.clients.waiting import eventually


@pytest.fixture
async def client(temporal: TemporalClient, task_queue: str) -> AsyncIterator[Client]:
    async with serving(temporal, task_queue) as client:
        yield client


def _by_id(overview: Overview) -> dict[str, OpenRun]:
    return {run.id: run for run in overview.runs}


async def test_trouble_stands_first(client: Client, task_queue: str) -> None:
    tenant, nobody = task_queue, f"nobody-{task_queue}"
    buggy = await client.start(Faulty, "7", tenant=tenant)
    late = await client.start(QUICK, "Hi.", tenant=tenant, task_queue=nobody)
    payer = await client.start(PAYER, "Hi.", tenant=tenant)
    chain = await client.start(REPORT, "Hi.", tenant=tenant)
    busy = await client.start(BUSY, "Hi.", tenant=tenant)
    sleeping = await client.start(Sleeping, "7", tenant=tenant)
    chat = await client.chat(QUICK, tenant=tenant, id=f"chat-{tenant}")
    await (await client.start(QUICK, "Hi.", tenant=tenant)).result()
    failed = await client.start(WRONG, "Hi.", tenant=tenant)
    await failed.result()

    def is_whole(seen: Overview) -> bool:
        kinds = [[trouble.kind for trouble in run.troubles[:1]] for run in seen.runs]
        in_trouble = kinds == [["stalled"], ["unserved"], ["retried"], ["retried"], [], [], []]
        by_id = _by_id(seen)
        calls = busy.id in by_id and by_id[busy.id].model_calls == 2
        waits = by_id[sleeping.id].waits if sleeping.id in by_id else ()
        ended = seen.ended.counts == {"completed": 1, "failed": 1} and bool(seen.ended.late[0].reason)
        return in_trouble and calls and ended and [wait.kind for wait in waits] == ["timer"]

    seen = await eventually(lambda: client.overview(tenant=tenant), is_whole)
    assert (seen.tenant, seen.running, seen.chats, seen.troubled, seen.unseen) == (tenant, 6, 1, 4, 0)
    assert [run.id for run in seen.runs[:2]] == [buggy.id, late.id]
    assert seen.runs[-1].id == f"chat-{tenant}" == chat.id
    assert [wait.kind for wait in seen.runs[-1].waits] == ["message"]

    runs = _by_id(seen)
    [stall] = runs[buggy.id].troubles
    assert stall.reason.startswith("KeyError: '7' at ")
    assert stall.attempt >= 1
    [unserved] = runs[late.id].troubles
    assert (unserved.reason, unserved.task_queue) == (f"no worker serves {nobody!r}", nobody)
    [paying] = runs[payer.id].troubles
    assert paying.step.startswith("payer:call")
    assert paying.reason.endswith(REFUSED)
    [limited] = runs[chain.id].troubles
    assert (limited.run_id, limited.step) == (f"{chain.id}/limited", "report/limited:turn-1")
    assert runs[chain.id].nested == 1
    assert [(wait.kind, wait.name) for wait in runs[chain.id].waits] == [("model", "scripted/limited · turn 1")]
    assert runs[busy.id].totals.cost_usd == pytest.approx(2 * PRICE)
    assert runs[chain.id].model_calls == 1  # that of the nested run that has ended
    unserved_queue, served_queue = seen.queues
    assert (unserved_queue.name, unserved_queue.workers, unserved_queue.backlog) == (nobody, 0, 1)
    assert (served_queue.name, served_queue.workers) == (task_queue, 1)
    assert seen.is_whole
    assert seen.cost_usd == pytest.approx(4 * PRICE)  # payer 1, chain 1, busy 2

    [ended] = seen.ended.late
    assert (ended.id, ended.status, ended.runnable) == (failed.id, "failed", "wrong")
    assert "InvalidRequest" in ended.reason
    assert seen.ended.cost_usd == pytest.approx(PRICE)


async def test_another_look_reads_only_what_is_new(client: Client, temporal: TemporalClient, task_queue: str) -> None:
    run = await client.start(BUSY, "Hi.", tenant=task_queue)
    lookout = Lookout(temporal, task_queue)

    async def look() -> Overview:
        return await lookout.look()

    await eventually(look, lambda seen: bool(seen.runs) and seen.runs[0].model_calls == 2 and seen.is_whole)

    async def requests() -> list[int]:
        """Of two looks, one after the other."""
        asked = []
        for _ in range(2):
            before = lookout.requests
            await lookout.look()
            asked.append(lookout.requests - before)
        return asked

    # Two counts, the list, the description, two of the task queue, what ended: and nothing of the history.
    await eventually(requests, lambda numbers: numbers == [7, 7])
    seen = await lookout.look()
    assert seen.runs[0].id == run.id
    assert seen.runs[0].totals.cost_usd == pytest.approx(2 * PRICE)
    await run.cancel()
    await eventually(look, lambda seen: seen.runs == () and seen.ended.counts == {"cancelled": 1})


async def test_it_asks_no_more_the_more_there_are_and_sees_all_in_the_end(
    temporal: TemporalClient, task_queue: str
) -> None:
    """The list has more pages than a look asks for, and more runs than a look describes."""
    many = 130
    client = Client(temporal, task_queue=task_queue)
    for begun in range(0, many, 10):
        await asyncio.gather(
            *(client.start(HANGING, "Hi.", id=f"{task_queue}-{begun + n}", tenant=task_queue) for n in range(10))
        )
    lookout = Lookout(temporal, task_queue)
    most = 2 + 2 + PER_FRAME.descriptions + 8 + PER_FRAME.descriptions // 4 + PER_FRAME.pages + 2 + PER_FRAME.reasons

    async def look() -> Overview:
        before = lookout.requests
        seen = await lookout.look()
        assert lookout.requests - before <= most
        return seen

    seen = await eventually(look, lambda seen: seen.running == many and not seen.unseen)
    assert len(seen.runs) == many
    assert len((await client.overview(tenant=task_queue)).runs) == many


async def test_a_tenant_of_any_name(temporal: TemporalClient, task_queue: str) -> None:
    client = Client(temporal, task_queue=task_queue)
    # What has a `"` or a backslash in it the dev server finds by no query at all.
    tenant = f"O'Neil %_ {task_queue}' OR 1=1 --"
    run = await client.start(HANGING, "Hi.", tenant=tenant)
    await client.start(HANGING, "Hi.", tenant=f"{tenant}!")
    seen = await eventually(lambda: client.overview(tenant=tenant), lambda seen: bool(seen.runs))
    assert [(one.id, one.tenant) for one in seen.runs] == [(run.id, tenant)]


async def test_a_run_that_has_continued_as_new_has_spent_what_it_took_along(
    hasty: TemporalClient, task_queue: str
) -> None:
    async with serving(hasty, task_queue) as client:
        turns = 9
        chat = await client.chat(QUICK, id=f"chat-{task_queue}", tenant=task_queue)
        for n in range(turns):
            await chat.send(f"{n}").result()
        seen = await eventually(
            lambda: client.overview(tenant=task_queue), lambda seen: bool(seen.runs) and seen.runs[0].model_calls > 0
        )
        described = await hasty.get_workflow_handle(chat.id).describe()
        assert described.raw_info.first_run_id != described.run_id
        [run] = seen.runs
        assert (run.model_calls, run.is_whole) == (turns, True)
        assert run.totals.cost_usd == pytest.approx(turns * PRICE)
        await chat.end()


async def test_a_server_that_was_away(tmp_path: Path, task_queue: str) -> None:
    async with ProcessGroup() as group:
        server = await TemporalServer.start(group, tmp_path, port=0, ui_port=None)
        temporal = await connect(server.address)
        client = Client(temporal, task_queue=task_queue)
        run = await client.start(LIMITED, "Hi.")
        lookout = Lookout(temporal)
        seen = await eventually(lookout.look, lambda seen: bool(seen.runs))
        server.process.signal(signal.SIGKILL)
        await server.wait()
        with pytest.raises(SetupError, match="what runs: the Temporal server does not answer"):
            await lookout.look()
        await TemporalServer.start(group, tmp_path, port=server.port, ui_port=None)

        async def look() -> Overview | None:
            try:
                return await lookout.look()
            except SetupError:
                return None

        again = await eventually(look, lambda seen: seen is not None)
        assert again is not None
        assert [one.id for one in again.runs] == [one.id for one in seen.runs] == [run.id]
