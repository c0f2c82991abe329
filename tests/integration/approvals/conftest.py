"""A worker per test, for an app whose tools wait for people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Client, PendingApproval
from sostenuto.activities.adapters.providers.scripted import Script, ScriptedAdapter
from sostenuto.clients.approvals.approval_calls import ApprovalCalls
from sostenuto.workers.worker import build_worker
from tests.integration.agent.stage import eventually
from tests.integration.approvals.desk import APP, PAID

Serve = Callable[..., AbstractAsyncContextManager[Client]]
Waiting = Callable[[ApprovalCalls, int], Awaitable[tuple[PendingApproval, ...]]]


@pytest.fixture(autouse=True)
def _nothing_paid() -> None:
    PAID.clear()


@pytest.fixture
def serve(temporal: TemporalClient, task_queue: str) -> Serve:
    """Serves the app while its block lasts, every step replayed from the history."""

    @asynccontextmanager
    async def serving(script: Script, on: TemporalClient | None = None) -> AsyncIterator[Client]:
        adapters = {"scripted": ScriptedAdapter(script)}
        worker = build_worker(on or temporal, APP, adapters, lambda *_: 0.0, task_queue=task_queue, max_cached_runs=0)
        async with worker:
            yield Client(on or temporal, task_queue=task_queue, redis_url="")

    return serving


@pytest.fixture
def waiting() -> Waiting:
    """Waits until so many calls wait in a run, and returns them."""

    async def wait(run: ApprovalCalls, count: int) -> tuple[PendingApproval, ...]:
        found: tuple[PendingApproval, ...] = ()

        async def there() -> bool:
            nonlocal found
            # Calls of one reply begin to wait in any order.
            found = tuple(sorted(await run.approvals(), key=lambda call: (call.path, call.call_id)))
            return len(found) == count

        await eventually(there)
        return found

    return wait
