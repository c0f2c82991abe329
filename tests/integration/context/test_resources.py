"""What tools share is made once in each worker, where they run, and closed when the worker has ended its calls."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from temporalio.client import Client as TemporalClient
from temporalio.worker import Worker

from sostenuto import Agent, App, Client, SetupError, Status, ToolContext, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.workers.worker import build_worker
from tests.integration.agent.listener import contents
from tests.integration.agent.stage import calls


@dataclass
class Shared:
    """What the tools share."""

    loop: asyncio.AbstractEventLoop
    log: list[str] = field(default_factory=list)


@tool(effect="read")
async def here(ctx: ToolContext[Any, Shared]) -> str:
    """Where it runs."""
    ctx.resources.log.append("called")
    return str(asyncio.get_running_loop() is ctx.resources.loop)


@tool(effect="read")
def there(ctx: ToolContext) -> str:
    """The same, in a thread."""
    return type(ctx.resources).__name__


ASKER = Agent(name="asker", model="scripted/asker", tools=[here, there])
SCRIPT: list[Any] = [calls(("here", {}), ("there", {})), "Done."]


def _worker(
    temporal: TemporalClient, task_queue: str, lifespan: Callable[[App], AbstractAsyncContextManager[Any]]
) -> Worker:
    app = App(ASKER, lifespan=lifespan)
    return build_worker(temporal, app, {"scripted": ScriptedAdapter(SCRIPT)}, lambda *_: 0.0, task_queue=task_queue)


async def test_they_share_what_the_lifespan_yields(temporal: TemporalClient, task_queue: str) -> None:
    made: list[Shared] = []

    @asynccontextmanager
    async def lifespan(app: App) -> AsyncIterator[Shared]:
        made.append(Shared(asyncio.get_running_loop(), [*app.tools]))
        task = asyncio.current_task()
        yield made[-1]
        # As task groups and timeouts want it, and without a `finally`.
        made[-1].log.append(f"closed {asyncio.current_task() is task}")

    async with _worker(temporal, task_queue, lifespan):
        client = Client(temporal, task_queue=task_queue, redis_url="")
        results = [await (await client.start(ASKER, "Go.")).result() for _ in range(2)]
    for result in results:
        assert result.status is Status.COMPLETED
        assert contents(result.messages) == ["True", "Shared"]
    assert [one.log for one in made] == [["here", "there", "called", "called", "closed True"]]


async def test_one_that_fails_at_its_end(
    temporal: TemporalClient, task_queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    @asynccontextmanager
    async def lifespan(_: App) -> AsyncIterator[str]:
        yield "it"
        raise OSError("the pool was closed already")

    with caplog.at_level(logging.WARNING):
        async with _worker(temporal, task_queue, lifespan):
            client = Client(temporal, task_queue=task_queue, redis_url="")
            await (await client.start(ASKER, "Go.")).result()
    assert "the app's lifespan failed at its end: OSError: the pool was closed already" in caplog.text


@asynccontextmanager
async def _left(app: App) -> AsyncIterator[None]:
    if app.runnables:
        sys.exit("no token in ORDERS_TOKEN")
    yield


async def _dies(when: asyncio.Event, why: type[BaseException]) -> None:
    await when.wait()
    raise why("the pool died")


@pytest.mark.parametrize("why", [OSError, SystemExit])
async def test_one_that_ends_while_its_worker_serves(
    temporal: TemporalClient, task_queue: str, caplog: pytest.LogCaptureFixture, why: type[BaseException]
) -> None:
    dies: list[Callable[[], object]] = []

    @asynccontextmanager
    async def lifespan(_: App) -> AsyncIterator[None]:
        when, loop = asyncio.Event(), asyncio.get_running_loop()
        dies.append(lambda: loop.call_soon_threadsafe(when.set))
        async with asyncio.TaskGroup() as group:
            group.create_task(_dies(when, why))
            yield

    told = (
        rf"App: lifespan: it ended while the worker served: .*{why.__name__}: the pool died \(.*test_resources.py, line"
    )

    async def serve() -> None:
        async with _worker(temporal, task_queue, lifespan):
            dies[0]()
            # As a command does, which takes it for Ctrl-C.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    with pytest.raises(SetupError, match=told):
        await serve()
    assert "the worker stops, as what its tools share is gone" in caplog.text
    assert "failed at its end" not in caplog.text, "it is told once"


async def test_one_that_would_end_the_process(temporal: TemporalClient, task_queue: str) -> None:
    with pytest.raises(SetupError, match=r"App: lifespan: .*SystemExit: no token in ORDERS_TOKEN \(.*, line"):
        async with _worker(temporal, task_queue, _left):
            await asyncio.sleep(0)


@asynccontextmanager
async def _refused(app: App) -> AsyncIterator[None]:
    if app.runnables:
        raise OSError("no database at db:5432")
    yield


async def test_one_that_fails_at_its_beginning(temporal: TemporalClient, task_queue: str) -> None:
    with pytest.raises(SetupError, match="App: lifespan: OSError: no database at db:5432"):
        async with _worker(temporal, task_queue, _refused):
            await asyncio.sleep(0)


async def test_one_that_never_begins_can_be_left(
    temporal: TemporalClient, task_queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    began = asyncio.Event()
    here = asyncio.get_running_loop()

    @asynccontextmanager
    async def lifespan(_: App) -> AsyncIterator[None]:
        here.call_soon_threadsafe(began.set)
        await asyncio.Event().wait()
        yield

    worker = _worker(temporal, task_queue, lifespan)
    entering = asyncio.create_task(worker.__aenter__())
    await began.wait()
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    assert "did not end within" not in caplog.text, "it is not asked to end what it has not begun"
