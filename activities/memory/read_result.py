"""Reads what a tool returned, once that has left the prompt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from ...contracts import names
from ...contracts.wire.memory.result_query import ResultQuery
from ...contracts.wire.tool_call import ToolOutput
from ..call.heartbeat import heartbeats

ReadResult = Callable[[Client, str, str, ResultQuery], Awaitable[str | None]]
"""Reads from the histories of a run, by its id and Temporal's run id of its newest execution, what a tool returned."""


class ReadResultActivities:
    """What this worker can read from the history of a run.

    Args:
        read: Reads it.
    """

    def __init__(self, read: ReadResult) -> None:
        self._read = read

    @activity.defn(name=names.READ_RESULT_ACTIVITY)
    async def read_result(self, query: ResultQuery) -> ToolOutput:
        """Return what a tool returned, from the history of the run itself.

        Repeatable: it only reads. Raises what the server raises, which is retried; and where the history has no such
        result, a failure that the model is told. Heartbeats on its own. Costs nothing.
        """
        info = activity.info()
        async with heartbeats():
            found = await self._read(activity.client(), info.workflow_id or "", info.workflow_run_id or "", query)
        if found is None:
            raise ApplicationError(
                f"nothing was returned for a call {query.call_id!r}: give the id as it stands where the result was",
                type=names.TOOL_FAILED,
                non_retryable=True,
            )
        return ToolOutput(content=found)
