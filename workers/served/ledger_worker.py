"""Serves ledgers beside the runs of an app."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakKeyDictionary

from temporalio.client import Client
from temporalio.service import ServiceClient
from temporalio.worker import Worker

from ...activities.control.ledgers import LedgerActivities
from ...connection.converter import tolerant
from ...contracts import names
from ...history.reading.spending import read_spent
from ...workflows import policy
from ...workflows.ledger.ledger_workflow import LedgerWorkflow

_LOG: Final = logging.getLogger("sostenuto.workers")
_POLLS: Final = 2
"""Ledgers are few, and every worker of every app asks for their work."""

_END_SECONDS: Final = 10.0
"""Longest that its end is waited for: what it serves, another process may take over."""


@dataclass(slots=True)
class _Serving:
    """What serves the ledgers of one namespace, for all workers of one client."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    worker: Worker | None = None
    running: asyncio.Task[None] | None = None


# The SDK refuses a second worker of one client on a task queue.
_SERVING: Final[WeakKeyDictionary[ServiceClient, dict[str, _Serving]]] = WeakKeyDictionary()


@asynccontextmanager
async def serving_ledgers(client: Client, max_cached: int) -> AsyncIterator[None]:
    """Serve the ledgers of a namespace in the block, whatever app spends from them.

    Args:
        client: As for `build_worker`.
        max_cached: Ledgers kept in memory between two of their steps.
    """
    one = _SERVING.setdefault(client.service_client, {}).setdefault(client.namespace, _Serving())
    async with one.lock:
        if one.users == 0:
            one.worker = _worker(client, max_cached)
            one.running = asyncio.create_task(one.worker.run())
            one.running.add_done_callback(_ended)
        one.users += 1
    try:
        yield
    finally:
        await asyncio.shield(_left(one))


async def _left(one: _Serving) -> None:
    async with one.lock:
        one.users -= 1
        if one.users == 0 and one.worker and one.running:
            while not (one.worker.is_running or one.running.done()):  # noqa: ASYNC110 - it tells by no event
                # One that has not begun takes no notice of it.
                await asyncio.sleep(0)
            stopping = asyncio.create_task(one.worker.shutdown())
            _, left = await asyncio.wait([stopping, one.running], timeout=_END_SECONDS)
            for task in left:
                task.cancel()


def _ended(running: asyncio.Task[None]) -> None:
    if not running.cancelled() and (error := running.exception()):
        _LOG.error("this process serves no ledgers any more: %s", error, exc_info=error)


def _worker(client: Client, max_cached: int) -> Worker:
    return Worker(
        tolerant(client),
        task_queue=names.LEDGER_QUEUE,
        workflows=[LedgerWorkflow],
        activities=[LedgerActivities(read_spent, policy.TASK_TIMEOUT).holders],
        max_cached_workflows=max_cached,
        max_concurrent_workflow_task_polls=_POLLS,
        max_concurrent_activity_task_polls=_POLLS,
        sticky_queue_schedule_to_start_timeout=policy.STICKY_TIMEOUT,
    )
