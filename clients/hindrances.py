"""What holds a run up at this moment.

The server knows it, and no history has it yet: calls that fail and are tried again, work that no worker takes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import (
    EventType,
    PendingActivityState,
    PendingWorkflowTaskState,
    TaskQueueType,
    WorkflowExecutionStatus,
)
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import PendingActivityInfo, PendingChildExecutionInfo
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryReverseRequest,
)
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

from ..contracts.contract import Contract
from ..contracts.control.ledger import ledger_workflow_id
from ..contracts.text import one_line, plural
from ..history.events.stalls import unknown_workflow
from ..history.reading.executions import first_execution
from .calls.unserved import calls_not_served, is_in_pause
from .ledgers.awaited import how_to_see, ledgers_awaited

_TASK_OFFERED: Final = PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED
_STEP_OFFERED: Final = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
_STEP_STARTED: Final = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED

_REASON_CHARS: Final = 300
_LAST_EVENTS: Final = 100
"""Of a history, which say what is given to one worker after the other."""
_MOST_RUNS: Final = 100
"""Most workflows of one tree that are looked at, those that began first."""
PATIENCE: Final = timedelta(seconds=2)
"""A worker that is there takes what it is offered at once."""
LONG_PATIENCE: Final = timedelta(seconds=10)
"""The server lists a worker for minutes after its end. One that is there and busy takes something within this time."""
_TRIES_OF_EACH: Final = 3
"""How often each further worker could have taken a task, where those that took it do not have its workflow."""
POLLER_PATIENCE: Final = timedelta(seconds=70)
"""A worker asks for work once in a minute at least: one that has not for longer is gone."""


class Hindrance(Contract):
    """Something that a run, or one nested in it, waits for longer than it should."""

    run_id: str
    """Id of the run or nested run."""
    step: str = ""
    """Which of its steps, by the id of its activity, or `ledger NAME`; empty where it is none in particular."""
    attempt: int = 0
    """How often the step was tried so far; 0 where no worker has taken it."""
    task_queue: str
    """Where the workers of the run are to listen."""
    reason: str
    """Why the last attempt failed, or what is missing."""
    next_at: datetime | None = None
    """When a call is tried again. None where it is under way, or nobody knows."""
    is_unserved: bool = False
    """Whether it waits for a worker that is not there, or for one that has what it takes."""
    ledger: str = ""
    """Which ledger it waits for, of which other runs have what it needs; the end of a long name is cut."""

    def __str__(self) -> str:
        """Return it as a sentence that says what to do."""
        reason = one_line(self.reason, _REASON_CHARS)
        if self.ledger:
            return f"{self.run_id} {reason}"
        if not self.step:
            return (
                f"{self.run_id} neither goes on nor ends: {reason}; start one by `sostenuto worker MODULE:APP "
                f"--task-queue {self.task_queue}`, or the `sostenuto run` or `chat` again that began it, with its --id"
            )
        if self.is_unserved:
            return f"{self.step} waits for a worker on {self.task_queue!r} that can make the call: {reason}"
        return f"{self.step} failed {plural(self.attempt, 'time')} and {self._next_try()}: {reason}"

    def _next_try(self) -> str:
        if self.next_at is None:
            return f"attempt {self.attempt + 1} is under way"
        seconds = (self.next_at - datetime.now(UTC)).total_seconds()
        return f"is tried again in {seconds:.0f} s" if seconds >= 1 else "is tried again"


async def find_hindrances(temporal: Client, run: WorkflowExecutionDescription) -> tuple[Hindrance, ...]:
    """Return what holds up a run and those nested in it, as far as the server knows.

    Raises:
        RPCError: The server refuses.
    """
    found: list[Hindrance] = []
    queues: dict[str, frozenset[str]] = {}
    async for workflow in workflows_at_work(temporal, run):
        found += [failing_step(workflow, step) for step in workflow.pending_activities if step.HasField("last_failure")]
        queue = workflow.execution_config.task_queue.name
        waits = offered_for(workflow, datetime.now(UTC))
        failures = workflow.pending_workflow_task.attempt - 1
        if (waits > PATIENCE or failures > 0) and queue not in queues:
            queues[queue] = await _pollers(temporal, queue)
        if waits > PATIENCE:
            if not queues[queue] or waits > LONG_PATIENCE:
                missing = f"no worker takes work from {queue!r}"
                found.append(Hindrance(run_id=_id(workflow), task_queue=queue, reason=missing, is_unserved=True))
        elif failures > 0:
            found += await _unknown_workflows(temporal, workflow, queues[queue])
        elif _is_at_rest(workflow):
            events = await _last_events(temporal, workflow)
            found += _unserved_calls(workflow, events)
            found += [hindrance async for hindrance in _lacking(temporal, workflow, events)]
    return tuple(found)


async def _unknown_workflows(
    temporal: Client, workflow: DescribeWorkflowExecutionResponse, pollers: frozenset[str]
) -> list[Hindrance]:
    """Return that no worker there has the workflow.

    Only where all of them could have taken it.

    Raises:
        RPCError: The server refuses.
    """
    for event in await _last_events(temporal, workflow):
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            break
        if event.event_type != EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            continue
        failed = event.workflow_task_failed_event_attributes
        name = unknown_workflow(failed.failure)
        # The history has the first failure alone: who took it since is not known.
        others = len(pollers - {failed.identity})
        if name and workflow.pending_workflow_task.attempt > max(others * _TRIES_OF_EACH, 1):
            queue = workflow.execution_config.task_queue.name
            reason = f"no worker on {queue!r} serves the workflow {name!r}"
            return [Hindrance(run_id=_id(workflow), task_queue=queue, reason=reason, is_unserved=True)]
        break
    return []


def _is_at_rest(workflow: DescribeWorkflowExecutionResponse) -> bool:
    """Return whether no step of it is at work, as between two workers."""
    if workflow.workflow_execution_info.status != WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING:
        return False
    return all(step.state != _STEP_STARTED for step in workflow.pending_activities)


async def _lacking(
    temporal: Client, workflow: DescribeWorkflowExecutionResponse, events: Sequence[HistoryEvent]
) -> AsyncIterator[Hindrance]:
    """Yield the ledgers that a workflow waits for.

    Raises:
        RPCError: The server refuses.
    """
    since = datetime.now(UTC) - PATIENCE
    for name in await ledgers_awaited(events, temporal.data_converter, since):
        queue, is_served = await _ledger_queue(temporal, name)
        reason = f"waits for what other runs have of the ledger {name!r}: `{how_to_see(name)}`"
        if not is_served:
            start = f"`sostenuto worker MODULE:APP --task-queue {queue}`"
            reason = f"waits for the ledger {name!r}, which no worker serves: start one by {start}"
        yield Hindrance(
            run_id=_id(workflow),
            step=f"ledger {name}",
            task_queue=queue or workflow.execution_config.task_queue.name,
            reason=reason,
            is_unserved=not is_served,
            ledger=name,
        )


async def _ledger_queue(temporal: Client, name: str) -> tuple[str, bool]:
    """Return where the workers of a ledger listen, and whether some take its work.

    Raises:
        RPCError: The server refuses.
    """
    try:
        ledger = (await temporal.get_workflow_handle(ledger_workflow_id(name)).describe()).raw_description
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        # Its name was cut, or it was ended, and is asked anew.
        return "", True
    queue, waits = ledger.execution_config.task_queue.name, offered_for(ledger, datetime.now(UTC))
    return queue, waits <= PATIENCE or (waits <= LONG_PATIENCE and await is_polled(temporal, queue))


def _unserved_calls(workflow: DescribeWorkflowExecutionResponse, events: Sequence[HistoryEvent]) -> list[Hindrance]:
    """Return the calls of a workflow that no worker could begin so far.

    They are given to one worker after the other: the history alone tells.
    """
    if workflow.pending_children:
        return []
    pending = {step.activity_id for step in workflow.pending_activities}
    is_pausing = is_in_pause(events)
    queue = workflow.execution_config.task_queue.name
    return [
        Hindrance(
            run_id=_id(workflow), task_queue=queue, step=step, attempt=len(told), reason=told[0], is_unserved=True
        )
        for step, told in calls_not_served(events).items()
        if step in pending or is_pausing
    ]


async def _last_events(temporal: Client, workflow: DescribeWorkflowExecutionResponse) -> Sequence[HistoryEvent]:
    """Return the last events of its history, the newest first."""
    about = GetWorkflowExecutionHistoryReverseRequest(
        namespace=temporal.namespace,
        execution=workflow.workflow_execution_info.execution,
        maximum_page_size=_LAST_EVENTS,
    )
    answer = await temporal.workflow_service.get_workflow_execution_history_reverse(about)
    return answer.history.events


async def workflows_at_work(
    temporal: Client, run: WorkflowExecutionDescription
) -> AsyncIterator[DescribeWorkflowExecutionResponse]:
    """Yield the run and those nested in it that have not ended, level by level."""
    yield run.raw_description
    waiting = deque(_children(run.raw_description))
    for _ in range(_MOST_RUNS - 1):
        if not waiting:
            return
        child = waiting.popleft()
        try:
            # The newest execution: the server goes on naming the first one of a run that has continued as new.
            nested = await temporal.get_workflow_handle(child.workflow_id).describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            continue
        if first_execution(nested) == child.run_id:
            yield nested.raw_description
            waiting += _children(nested.raw_description)


def _children(workflow: DescribeWorkflowExecutionResponse) -> list[PendingChildExecutionInfo]:
    return sorted(workflow.pending_children, key=lambda child: child.initiated_id)


def _id(workflow: DescribeWorkflowExecutionResponse) -> str:
    return workflow.workflow_execution_info.execution.workflow_id


def failing_step(workflow: DescribeWorkflowExecutionResponse, step: PendingActivityInfo) -> Hindrance:
    """Return that a step fails and is tried again."""
    failure = step.last_failure
    # The server wraps what it finds too large.
    while failure.HasField("cause") and failure.HasField("server_failure_info"):
        failure = failure.cause
    kind = failure.application_failure_info.type
    reason = ": ".join(part for part in (kind, failure.message) if part)
    # The attempt that is under way, or the next one, is counted already.
    queue = workflow.execution_config.task_queue.name
    is_next_known = step.HasField("next_attempt_schedule_time") and step.state != _STEP_STARTED
    return Hindrance(
        run_id=_id(workflow),
        task_queue=queue,
        step=step.activity_id,
        attempt=step.attempt - 1,
        reason=reason,
        next_at=moment(step.next_attempt_schedule_time) if is_next_known else None,
    )


def offered_for(workflow: DescribeWorkflowExecutionResponse, now: datetime) -> timedelta:
    """Return for how long a worker could have taken something of the workflow."""
    task = workflow.pending_workflow_task
    offered = [task.scheduled_time] if task.state == _TASK_OFFERED else []
    offered += [step.scheduled_time for step in workflow.pending_activities if step.state == _STEP_OFFERED]
    return max((now - moment(time) for time in offered), default=timedelta())


def moment(time: Timestamp) -> datetime:
    """Return a time that the server tells."""
    return time.ToDatetime(UTC)


async def is_polled(temporal: Client, queue: str) -> bool:
    """Return whether a worker asked a task queue for work lately.

    Raises:
        RPCError: The server refuses.
    """
    return bool(await _pollers(temporal, queue))


async def _pollers(temporal: Client, queue: str) -> frozenset[str]:
    """Return the identities of the workers that asked a task queue for work lately."""
    described = await temporal.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=temporal.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
    )
    now = datetime.now(UTC)
    return frozenset(
        poller.identity for poller in described.pollers if now - moment(poller.last_access_time) < POLLER_PATIENCE
    )
