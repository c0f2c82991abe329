"""Reads from histories what a run spent, with everything nested in it."""

from __future__ import annotations

from collections import deque

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from ...contracts.wire.control.spent import Spent
from ..events.control.spending import Spending, sum_of
from ..events.history_event import RecordedEvent
from .executions import executions_until
from .follow import follow


async def read_spent(temporal: Client, run_id: str) -> Spent:
    """Return what a run spent that has ended.

    Args:
        temporal: Where it is.
        run_id: Its id.

    Raises:
        ApplicationError: Something of it has not ended yet: ask again; or its history is past the retention time.
        RPCError: The server is away, or refuses.
    """
    found: list[Spent] = []
    left = deque([run_id])
    while left:
        workflow_id = left.popleft()
        for execution in await _executions(temporal, workflow_id):
            spending = Spending()
            async for event in follow(temporal, workflow_id, execution, wait=False):
                spending.feed(RecordedEvent(event, execution, temporal.data_converter))
            found.append(spending.total)
            left.extend(spending.unheard)
    return sum_of(found)


async def _executions(temporal: Client, workflow_id: str) -> tuple[str, ...]:
    try:
        newest = await temporal.get_workflow_handle(workflow_id).describe()
        if newest.status is WorkflowExecutionStatus.RUNNING:
            raise ApplicationError(f"run {workflow_id!r} has not ended yet")
        return await executions_until(temporal, workflow_id, newest.run_id)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise ApplicationError(f"the history of run {workflow_id!r} is there no more", non_retryable=True) from None
