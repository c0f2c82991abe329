"""What a description says: trouble is told from work that just takes its time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import PendingActivityState, PendingWorkflowTaskState
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure
from temporalio.api.workflow.v1 import (
    PendingActivityInfo,
    PendingChildExecutionInfo,
    PendingWorkflowTaskInfo,
)
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from sostenuto.clients.overview.findings import attempts, find_troubles, find_waits, last_seen_at
from sostenuto.clients.overview.overview import QueueLoad
from sostenuto.contracts import names
from sostenuto.contracts.wire.event import RunStalled

NOW = datetime(2026, 1, 1, 3, tzinfo=UTC)
STALL = RunStalled(id="e/4/0", at=NOW, path="support", reason="KeyError: 7", where="a.py:3")
SERVED, UNSERVED = QueueLoad(name="q", workers=2), QueueLoad(name="q")
STARTED = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
SCHEDULED = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED


def _ago(seconds: float) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(NOW - timedelta(seconds=seconds))
    return stamp


def _described(
    *steps: PendingActivityInfo,
    task: PendingWorkflowTaskInfo | None = None,
    kind: str = names.RUN_WORKFLOW,
    children: tuple[str, ...] = (),
) -> DescribeWorkflowExecutionResponse:
    described = DescribeWorkflowExecutionResponse(pending_activities=steps, pending_workflow_task=task)
    described.workflow_execution_info.execution.workflow_id = "ticket"
    described.workflow_execution_info.type.name = kind
    described.workflow_execution_info.start_time.CopyFrom(_ago(100))
    described.execution_config.task_queue.name = "q"
    for place, child in enumerate(children):
        described.pending_children.append(PendingChildExecutionInfo(workflow_id=child, initiated_id=place))
    return described


def _awaiting(what: str) -> DescribeWorkflowExecutionResponse:
    described = _described()
    fields = described.workflow_execution_info.search_attributes.indexed_fields
    fields[names.SEARCH_AWAITING].data = f'"{what}"'.encode()
    return described


def _step(state: PendingActivityState.ValueType = STARTED, **fields: Any) -> PendingActivityInfo:
    step = PendingActivityInfo(activity_id="support:turn-1", state=state, attempt=1, **fields)
    step.activity_type.name = names.MODEL_ACTIVITY
    return step


def _failing(attempt: int, **fields: Any) -> PendingActivityInfo:
    failure = Failure(message="busy", application_failure_info=ApplicationFailureInfo(type="RateLimited"))
    step = _step(SCHEDULED, last_failure=failure, scheduled_time=_ago(-30), **fields)
    step.attempt = attempt
    return step


def _task(attempt: int, seconds: float = 0) -> PendingWorkflowTaskInfo:
    return PendingWorkflowTaskInfo(
        state=PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED,
        attempt=attempt,
        scheduled_time=_ago(seconds),
    )


def _kinds(
    described: DescribeWorkflowExecutionResponse, stall: RunStalled | None, queue: QueueLoad | None
) -> list[str]:
    return [trouble.kind for trouble in find_troubles(described, stall, queue, NOW)]


def test_a_call_that_just_takes_its_time_is_no_trouble() -> None:
    assert _kinds(_described(_step(last_started_time=_ago(900))), None, SERVED) == []
    assert _kinds(_described(task=_task(1)), None, UNSERVED) == []


def test_code_that_fails_again_and_again() -> None:
    described = _described(task=_task(4))
    [trouble] = find_troubles(described, STALL, SERVED, NOW)
    assert (trouble.kind, trouble.attempt, trouble.reason) == ("stalled", 3, "KeyError: 7 at a.py:3")
    assert trouble.since == NOW
    assert attempts(described) == 3


def test_code_of_another_version() -> None:
    [trouble] = find_troubles(_described(task=_task(2)), STALL.model_copy(update={"fits": False}), SERVED, NOW)
    assert "another version of the code wrote its history" in trouble.reason


@pytest.mark.parametrize(("attempt", "kinds"), [(2, []), (3, []), (4, ["stalled"])])
def test_a_task_that_times_out_is_told_once_it_does_so_often(attempt: int, kinds: list[str]) -> None:
    assert _kinds(_described(task=_task(attempt)), None, SERVED) == kinds


@pytest.mark.parametrize(
    ("seconds", "queue", "kinds"),
    [
        (1, UNSERVED, []),  # a worker that has just started may take it
        (3, UNSERVED, ["unserved"]),
        (3, None, []),
        (3, SERVED, []),  # it may be busy
        (11, SERVED, ["unserved"]),
    ],
)
def test_work_that_no_worker_takes(seconds: float, queue: QueueLoad | None, kinds: list[str]) -> None:
    assert _kinds(_described(task=_task(1, seconds)), None, queue) == kinds


def test_calls_that_are_tried_again_the_most_tried_first() -> None:
    described = _described(_failing(2), _failing(9, next_attempt_schedule_time=_ago(-30)))
    most, least = find_troubles(described, None, SERVED, NOW)
    assert (most.kind, most.attempt, most.step, most.reason) == ("retried", 8, "support:turn-1", "RateLimited: busy")
    assert most.next_at == NOW + timedelta(seconds=30)
    assert (least.attempt, least.next_at) == (1, None)


def test_a_call_that_somebody_paused() -> None:
    assert _kinds(_described(_step(PendingActivityState.PENDING_ACTIVITY_STATE_PAUSED)), None, SERVED) == ["paused"]


@pytest.mark.parametrize(
    ("described", "kinds"),
    [
        (_described(_step(last_started_time=_ago(3))), ["model"]),
        (_described(children=("ticket/law", "ticket/tax")), ["nested", "nested"]),
        (_described(task=_task(1)), ["worker"]),
        (_described(kind=names.CHAT_WORKFLOW), ["message"]),
        (_described(), ["other"]),
        (_awaiting("approval"), ["approval"]),
        (_awaiting("top-up"), ["top-up"]),
    ],
)
def test_what_it_waits_for(described: DescribeWorkflowExecutionResponse, kinds: list[str]) -> None:
    assert [wait.kind for wait in find_waits(described, None)] == kinds


def test_a_nested_run_is_named_by_its_place() -> None:
    assert [wait.name for wait in find_waits(_described(children=("ticket/law",)), None)] == ["law"]


def test_when_something_happened_last_without_a_history() -> None:
    assert last_seen_at(_described(), None) == NOW - timedelta(seconds=100)
    assert last_seen_at(_described(_step(last_started_time=_ago(3))), None) == NOW - timedelta(seconds=3)
    # The next attempt is yet to come.
    assert last_seen_at(_described(_failing(2)), None) == NOW - timedelta(seconds=100)
