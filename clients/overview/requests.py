"""What is asked of the server, each in one request that is not made again.

Interprets no answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution as Address
from temporalio.api.enums.v1 import HistoryEventFilterType, TaskQueueType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    CountWorkflowExecutionsResponse,
    DescribeTaskQueueRequest,
    DescribeTaskQueueResponse,
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryResponse,
    GetWorkflowExecutionHistoryReverseRequest,
)
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError, RPCStatusCode

_PATIENCE: Final = timedelta(seconds=20)
"""So long an answer may take: a busy server counts for seconds, and one that is away says so at once."""
_NEWS: Final = timedelta(seconds=5)
"""So long it is waited for news of a history of which there may be none."""
_LAST_EVENTS: Final = 5


class Requests:
    """Asks a server, and counts how often.

    Args:
        temporal: The server.
    """

    def __init__(self, temporal: Client) -> None:
        self._temporal = temporal
        self._service = temporal.workflow_service
        self.made = 0
        """How many requests were made."""

    async def page(
        self, query: str, size: int, token: bytes | None = None
    ) -> tuple[Sequence[WorkflowExecution], bytes | None]:
        """Return a page of the list of workflows, and what gives the next one."""
        self.made += 1
        rows = self._temporal.list_workflows(query, page_size=size, next_page_token=token, rpc_timeout=_PATIENCE)
        await rows.fetch_next_page()
        return rows.current_page or (), rows.next_page_token or None

    async def count(self, query: str) -> CountWorkflowExecutionsResponse:
        """Return how many workflows there are."""
        self.made += 1
        request = CountWorkflowExecutionsRequest(namespace=self._temporal.namespace, query=query)
        return await self._service.count_workflow_executions(request, timeout=_PATIENCE)

    async def describe(self, workflow_id: str) -> DescribeWorkflowExecutionResponse | None:
        """Return a description of the newest execution of an id; None: there is none."""
        self.made += 1
        request = DescribeWorkflowExecutionRequest(
            namespace=self._temporal.namespace, execution=Address(workflow_id=workflow_id)
        )
        try:
            return await self._service.describe_workflow_execution(request, timeout=_PATIENCE)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return None

    async def history(
        self, workflow_id: str, execution: str, size: int, token: bytes
    ) -> GetWorkflowExecutionHistoryResponse:
        """Return a page of a history of which there is more than was read."""
        self.made += 1
        request = GetWorkflowExecutionHistoryRequest(
            namespace=self._temporal.namespace,
            execution=Address(workflow_id=workflow_id, run_id=execution),
            maximum_page_size=size,
            next_page_token=token,
            # Only so is there a token at the end of the history, from which it goes on.
            wait_new_event=True,
        )
        return await self._service.get_workflow_execution_history(request, timeout=_NEWS)

    async def last_events(self, workflow_id: str, execution: str) -> Sequence[HistoryEvent]:
        """Return the last events of a history, the newest first."""
        self.made += 1
        request = GetWorkflowExecutionHistoryReverseRequest(
            namespace=self._temporal.namespace,
            execution=Address(workflow_id=workflow_id, run_id=execution),
            maximum_page_size=_LAST_EVENTS,
        )
        answer = await self._service.get_workflow_execution_history_reverse(request, timeout=_PATIENCE)
        return answer.history.events

    async def close_event(self, workflow_id: str, execution: str) -> HistoryEvent | None:
        """Return how an execution ended; None where it did not."""
        self.made += 1
        request = GetWorkflowExecutionHistoryRequest(
            namespace=self._temporal.namespace,
            execution=Address(workflow_id=workflow_id, run_id=execution),
            history_event_filter_type=HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
        )
        answer = await self._service.get_workflow_execution_history(request, timeout=_PATIENCE)
        return answer.history.events[-1] if answer.history.events else None

    async def task_queue(self, name: str, kind: TaskQueueType.ValueType) -> DescribeTaskQueueResponse:
        """Return who asks a task queue for work, and how much waits in it."""
        self.made += 1
        request = DescribeTaskQueueRequest(
            namespace=self._temporal.namespace,
            task_queue=TaskQueue(name=name),
            task_queue_type=kind,
            report_stats=True,
        )
        return await self._service.describe_task_queue(request, timeout=_PATIENCE)


def is_gone(error: RPCError) -> bool:
    """Return whether an error says that something is gone, or asked for wrongly."""
    return error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT)


def is_late(error: RPCError) -> bool:
    """Return whether an error says that the answer took too long."""
    return error.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)


def moment_in_query(time: datetime) -> str:
    """Return a time as visibility queries have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def quoted(value: str) -> str:
    """Return a text as visibility queries have it."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
