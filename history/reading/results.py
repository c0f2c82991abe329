"""Reads from histories what a tool returned."""

from __future__ import annotations

from temporalio.client import Client

from ...contracts.wire.event import ToolResponded
from ...contracts.wire.memory.result_query import ResultQuery
from ..events.projection import Projection
from .executions import executions_until
from .follow import follow


async def read_result(temporal: Client, run_id: str, execution: str, query: ResultQuery) -> str | None:
    """Return what a tool returned in a run; None where its histories do not have it.

    Args:
        temporal: Where it is.
        run_id: Its id.
        execution: Temporal's run id of its newest execution.
        query: Of which call.

    Raises:
        RPCError: The server is away, or refuses.
    """
    projection = Projection(temporal.data_converter)
    for one in await executions_until(temporal, run_id, execution):
        async for recorded in follow(temporal, run_id, one, wait=False):
            for event in projection.feed(recorded, one):
                if isinstance(event, ToolResponded) and (event.path, event.call_id) == (query.path, query.call_id):
                    return event.content
    return None
