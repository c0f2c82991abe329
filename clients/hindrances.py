"""What holds a run up at this moment.

The server knows it, and no history has it yet: calls that fail and are tried again, work that no worker takes.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import PendingActivityState, PendingWorkflowTaskState, TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeWorkflowExecutionResponse
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from ..contracts.contract import Contract
from .history.executions import describe

_TASK_OFFERED: Final = PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED
_STEP_OFFERED: Final = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED

_MOST_RUNS: Final = 20
"""Most workflows of one tree that are looked at."""
_PATIENCE: Final = timedelta(seconds=2)
"""A worker that is there takes what it is offered at once."""
_POLLER_PATIENCE: Final = timedelta(seconds=70)
"""A worker asks for work once in a minute at least: one that has not for longer is gone."""


class Hindrance(Contract):
    """Something that a run, or one nested in it, waits for longer than it should."""

    run_id: str
    """Id of the run or nested run."""
    step: str = ""
    """Which of its steps, by the id of its activity; empty where it is none in particular."""
    attempt: int = 0
    """How often the step was tried so far; 0 where no worker has taken it."""
    reason: str
    """Why the last attempt failed, or what is missing."""


async def find_hindrances(temporal: Client, workflow_id: str) -> tuple[Hindrance, ...]:
    """Return what holds up a run and those nested in it, as far as the server knows.

    Raises:
        SpecError: The workflow is not a run.
        RPCError: There is no such run, or the server refuses.
    """
    found: list[Hindrance] = []
    queues: dict[str, bool] = {}
    waiting = deque([(await describe(temporal, workflow_id)).raw_description])
    for _ in range(_MOST_RUNS):
        if not waiting:
            break
        workflow = waiting.popleft()
        found += [_failing(workflow, step) for step in workflow.pending_activities if step.HasField("last_failure")]
        queue = workflow.execution_config.task_queue.name
        if _is_offered(workflow):
            if queue not in queues:
                queues[queue] = await _is_polled(temporal, queue)
            if not queues[queue]:
                found.append(
                    Hindrance(run_id=_id(workflow), reason=f"no worker takes work from its task queue {queue!r}")
                )
        for child in workflow.pending_children:
            try:
                nested = temporal.get_workflow_handle(child.workflow_id, run_id=child.run_id)
                waiting.append((await nested.describe()).raw_description)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
    return tuple(found)


def _id(workflow: DescribeWorkflowExecutionResponse) -> str:
    return workflow.workflow_execution_info.execution.workflow_id


def _failing(workflow: DescribeWorkflowExecutionResponse, step: PendingActivityInfo) -> Hindrance:
    failure = step.last_failure
    kind = failure.application_failure_info.type
    reason = ": ".join(part for part in (kind, failure.message) if part)
    # The attempt that is under way, or the next one, is counted already.
    return Hindrance(run_id=_id(workflow), step=step.activity_id, attempt=step.attempt - 1, reason=reason)


def _is_offered(workflow: DescribeWorkflowExecutionResponse) -> bool:
    """Return whether a worker could take something of the workflow for a while."""
    before = datetime.now(UTC) - _PATIENCE
    task = workflow.pending_workflow_task
    offered = [task.scheduled_time] if task.state == _TASK_OFFERED else []
    offered += [step.scheduled_time for step in workflow.pending_activities if step.state == _STEP_OFFERED]
    return any(_at(time) < before for time in offered)


def _at(time: Timestamp) -> datetime:
    return time.ToDatetime(UTC)


async def _is_polled(temporal: Client, queue: str) -> bool:
    described = await temporal.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=temporal.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
    )
    now = datetime.now(UTC)
    return any(now - _at(poller.last_access_time) < _POLLER_PATIENCE for poller in described.pollers)
