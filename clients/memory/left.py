"""Tells which histories still have what was forgotten, and until when."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Final

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client as TemporalClient
from temporalio.service import RPCError, RPCStatusCode

from ...contracts.contract import Contract
from ...contracts.memory.long_term import memory_workflow_id
from ...contracts.wire.memory.calls import Forgotten
from ...contracts.wire.memory.record import MemoryPlace
from ..overview.requests import quoted

_AT_ONCE: Final = 16
_MOST_LISTED: Final = 1_000


class HistoryLeft(Contract):
    """A history that still has what was forgotten."""

    workflow_id: str
    """Of a run, of a chat, or of the workflow that made the changes of the scope."""
    until: datetime | None = None
    """When the server deletes it. None: it is under way, and the time begins at its end."""


class ForgottenMemories(Contract):
    """What was deleted, and where it still stands."""

    deleted: int
    """Memories, with those whose place others had taken."""
    left: int
    """How many of them a search finds now: 0, or they were written meanwhile."""
    unknown: tuple[str, ...] = ()
    """Ids of which there was no memory in the scope."""
    histories: tuple[HistoryLeft, ...] = ()
    """Histories that have what was said. A payload directory (`SOSTENUTO_PAYLOAD_DIR`) may have the messages of these
    runs, where they were large: nothing deletes its files."""
    more_runs: int = 0
    """How many runs beside those."""
    problem: str = ""
    """Why the histories cannot be told; empty where they are. What was deleted is deleted all the same."""
    runs: tuple[str, ...] = ()
    """Ids of the runs and chats that said it, where their histories cannot be told."""


async def histories_left(temporal: TemporalClient, place: MemoryPlace, gone: Forgotten) -> tuple[HistoryLeft, ...]:
    """Return the histories that still have what was forgotten.

    Those first that stay longest.

    Raises:
        RPCError: The server does not tell.
    """
    retention = await _retention(temporal)
    turns = asyncio.Semaphore(_AT_ONCE)

    async def look(run_id: str) -> HistoryLeft | None:
        async with turns:
            try:
                found = await temporal.get_workflow_handle(run_id).describe()
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                return None
        return HistoryLeft(workflow_id=run_id, until=found.close_time and found.close_time + retention)

    said = await asyncio.gather(*map(look, dict.fromkeys(one.run_id for one in gone.sources)))
    own = memory_workflow_id(place.collection, place.scope)
    query = f"WorkflowId = {quoted(own)}"
    ends = [row.close_time async for row in temporal.list_workflows(query, limit=_MOST_LISTED)]
    # This one, of which the list may not know yet.
    last = None if not ends or None in ends else max(filter(None, ends)) + retention
    found = [*filter(None, said), HistoryLeft(workflow_id=own, until=last)]
    return tuple(sorted(found, key=lambda one: (one.until is not None, -(one.until.timestamp() if one.until else 0))))


async def _retention(temporal: TemporalClient) -> timedelta:
    asked = DescribeNamespaceRequest(namespace=temporal.namespace)
    told = await temporal.workflow_service.describe_namespace(asked)
    return told.config.workflow_execution_retention_ttl.ToTimedelta()
