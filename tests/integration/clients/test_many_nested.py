"""Streams over many nested runs at once, and over some that nobody can read any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client as TemporalClient
from temporalio.service import RPCError, RPCStatusCode

from sostenuto import Agent, App, Client, Parallel, Status
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.clients import watch
from sostenuto.contracts.wire.event import ModelRequested, ModelResponded, RunFinished
from sostenuto.history.reading.executions import read_chain
from sostenuto.workers.worker import build_worker
from tests.dev_server import dev_server
from tests.integration.clients.conftest import Serve
from tests.integration.clients.nested_streams import assert_exactly, assert_well_nested, events_of
from tests.integration.clients.waiting import eventually

READER = Agent(name="reader", model="scripted/reader")
PAGES = Parallel(name="pages", each=READER, limit=20)


@pytest.fixture(params=[100], ids=["cached"])
def cached_runs(request: pytest.FixtureRequest) -> int:
    """What is replayed here is nothing new."""
    return int(request.param)


class Polls:
    """Counts the histories that are being read at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = self.most = 0

        async def counted(*args: Any, **options: Any) -> Any:
            self.now += 1
            self.most = max(self.most, self.now)
            try:
                async for entry in read_chain(*args, **options):
                    yield entry
            finally:
                self.now -= 1

        monkeypatch.setattr("sostenuto.clients.watch.read_chain", counted)


async def test_two_hundred_nested_runs_are_one_stream(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    polls = Polls(monkeypatch)
    async with serve(App(PAGES), {"reader": ["read"]}) as client:
        run = await client.start(PAGES, str(list(range(200))))
        events = await events_of(run)
        assert 2 < polls.most <= 2 + watch.MAX_POLLS
        assert polls.now == 0
        assert_well_nested(events)
        assert len([event for event in events if isinstance(event, ModelResponded)]) == 200
        assert isinstance(events[-1], RunFinished)
        assert events[-1].status is Status.COMPLETED
        # There may be a moment in which none of them is under way.
        under_way = [index for index, event in enumerate(events) if event.cursor]
        middle = min(under_way, key=lambda index: abs(index - len(events) // 2))
        assert len(events[middle].cursor) < 600
        assert_exactly(events[: middle + 1], await events_of(run, events[middle].position), events)


async def test_more_nested_runs_than_are_waited_for_are_told_all_the_same(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "MAX_POLLS", 2)
    polls = Polls(monkeypatch)
    inner = Parallel(name="inner", branches=[READER, Agent(name="second", model="scripted/reader")])
    whole = Parallel(name="whole", each=inner, limit=8)
    async with serve(App(whole), {"reader": [{"text": "read", "delay_seconds": 0.05}]}) as client:
        run = await client.start(whole, str(list(range(16))))
        events = await events_of(run)
    assert_well_nested(events)
    assert len([event for event in events if isinstance(event, ModelResponded)]) == 32
    # The root and two that are waited for, and under each of these what has ended and is read, one at each depth.
    assert polls.most <= (1 + 2) + (2 + 1 + 1)


async def test_a_slow_reader_does_not_make_the_stream_run_ahead(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_AHEAD", 1)
    polls = Polls(monkeypatch)
    async with serve(App(PAGES), {"reader": ["read"]}) as client:
        run = await client.start(PAGES, str(list(range(40))))
        await run.result()
        stream = run.events()
        seen = [await anext(stream) for _ in range(30)]
        assert [event.type for event in seen].count("member.started") < 30
        await stream.aclose()
        assert polls.now == 0
        assert_exactly(seen, await events_of(run, seen[-1].position), await events_of(run))


async def test_a_watcher_that_leaves_leaves_nothing_behind(serve: Serve) -> None:
    async with serve(App(PAGES), {"reader": [{"hangs": True}]}) as client:
        run = await client.start(PAGES, "[1, 2, 3]")
        stream = run.events()
        async for event in stream:
            if isinstance(event, ModelRequested):
                break
        assert len(watching()) > 1
        await stream.aclose()
        assert watching() == []
        await run.cancel()
        await run.result()


@pytest.fixture
async def forgetful() -> AsyncIterator[TemporalClient]:
    """A server that deletes at once."""
    async with await dev_server(
        history__visibilityProcessorUpdateAckInterval=1, history__transferProcessorUpdateAckInterval=1
    ) as env:
        yield env.client


async def test_nested_runs_past_the_retention_time_are_told_from_outside(
    forgetful: TemporalClient, task_queue: str
) -> None:
    adapters = {"scripted": ScriptedAdapter({"reader": ["read"]})}
    async with build_worker(forgetful, App(PAGES), adapters, lambda *_: 0.001, task_queue=task_queue):
        run = await Client(forgetful, task_queue=task_queue).start(PAGES, "[1, 2, 3]")
        before = await events_of(run)
        gone, *left = await run.nested()
        await delete(forgetful, gone)
        after = await events_of(run)
        assert_well_nested(after)
        place = "pages" + gone.removeprefix(run.id)
        assert [event.type for event in after if event.path == place] == ["member.started", "member.finished"]
        assert {event.id for event in before} - {event.id for event in after} == {
            event.id for event in before if event.path == place and not event.type.startswith("member.")
        }
        assert set(await run.nested()) == set(left)
        # Also where the stream goes on in the middle of what is gone.
        inside = next(event for event in before if event.path == place and isinstance(event, ModelRequested))
        rest = await events_of(run, inside.position)
        assert [event.type for event in rest if event.path == place] == ["member.finished"]
        assert isinstance(rest[-1], RunFinished)


def watching() -> list[str]:
    """What watches a run in this process now."""
    names = [getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()]
    return [name for name in names if name.startswith("Watch.")]


async def delete(temporal: TemporalClient, workflow_id: str) -> None:
    """Remove a workflow, as the server does when its retention time is over."""
    gone = WorkflowExecution(workflow_id=workflow_id)
    request = DeleteWorkflowExecutionRequest(namespace=temporal.namespace, workflow_execution=gone)
    await temporal.workflow_service.delete_workflow_execution(request)

    async def there() -> bool:
        try:
            await temporal.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            return error.status is not RPCStatusCode.NOT_FOUND
        return True

    await eventually(there, lambda found: not found)
