"""What the server's description of one workflow says of it. Does no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from ...contracts import names
from ...contracts.wire.event import RunStalled
from ...contracts.wire.places import Place
from ..hindrances import LONG_PATIENCE, PATIENCE, failing_step, moment, offered_for
from .meter import CallUnderWay, Meter
from .overview import QueueLoad, Trouble, Wait, WaitKind

_STARTED: Final = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
_PAUSED: Final = frozenset(
    {PendingActivityState.PENDING_ACTIVITY_STATE_PAUSED, PendingActivityState.PENDING_ACTIVITY_STATE_PAUSE_REQUESTED}
)
_RESERVED: Final = "sostenuto."
_KINDS: Final[Mapping[str, WaitKind]] = {
    names.MODEL_ACTIVITY: "model",
    names.MCP_TOOL_ACTIVITY: "tool",
    names.RETRIEVE_ACTIVITY: "search",
}
_FEW_ATTEMPTS: Final = 3
"""How often a workflow task may begin again without it being told: a worker that was restarted has it do so."""


def attempts(described: DescribeWorkflowExecutionResponse) -> int:
    """Return how often the workflow's own code has failed or taken too long in a row."""
    return max(described.pending_workflow_task.attempt - 1, 0)


def is_offered(described: DescribeWorkflowExecutionResponse, now: datetime) -> bool:
    """Return whether no worker took the workflow's work for a while."""
    return offered_for(described, now) > PATIENCE


def find_troubles(
    described: DescribeWorkflowExecutionResponse, stall: RunStalled | None, queue: QueueLoad | None, now: datetime
) -> Iterator[Trouble]:
    """Yield what keeps a workflow from going on, the worst first.

    Args:
        described: It, as the server describes it.
        stall: Why its code fails, where it does.
        queue: Who serves it, where that is known.
        now: What the time is.
    """
    run_id = described.workflow_execution_info.execution.workflow_id
    name = described.execution_config.task_queue.name
    if trouble := _standstill(described, stall, run_id, name):
        yield trouble
    waited = offered_for(described, now)
    if waited > PATIENCE and queue is not None and (not queue.workers or waited > LONG_PATIENCE):
        served = f"none of the workers of {name!r} takes its work" if queue.workers else f"no worker serves {name!r}"
        since = min(_offers(described), default=None)
        yield Trouble(kind="unserved", run_id=run_id, task_queue=name, reason=served, since=since)
    steps = sorted(described.pending_activities, key=lambda step: -step.attempt)
    for step in steps:
        if step.HasField("last_failure"):
            yield _retried(described, step)
    for step in steps:
        if step.state in _PAUSED:
            yield Trouble(
                kind="paused", run_id=run_id, task_queue=name, step=step.activity_id, reason="somebody paused it"
            )


def _standstill(
    described: DescribeWorkflowExecutionResponse, stall: RunStalled | None, run_id: str, queue: str
) -> Trouble | None:
    failed = attempts(described)
    if not failed or not (stall or failed >= _FEW_ATTEMPTS):
        return None
    reason, since = "its workflow task fails or takes too long, again and again", None
    if stall:
        told = stall.reason if stall.fits else f"{stall.reason}: another version of the code wrote its history"
        reason, since = told + (f" at {stall.where}" if stall.where else ""), stall.at
    return Trouble(kind="stalled", run_id=run_id, task_queue=queue, attempt=failed, reason=reason, since=since)


def _retried(described: DescribeWorkflowExecutionResponse, step: PendingActivityInfo) -> Trouble:
    told = failing_step(described, step)
    return Trouble(
        kind="retried",
        **told.model_dump(),
        since=moment(step.last_attempt_complete_time) if step.HasField("last_attempt_complete_time") else None,
    )


def _offers(described: DescribeWorkflowExecutionResponse) -> Iterator[datetime]:
    if described.HasField("pending_workflow_task"):
        yield moment(described.pending_workflow_task.scheduled_time)
    for step in described.pending_activities:
        yield moment(step.scheduled_time)


def find_waits(described: DescribeWorkflowExecutionResponse, meter: Meter | None) -> Sequence[Wait]:
    """Return what a workflow waits for at this moment.

    Args:
        described: It, as the server describes it.
        meter: What was read of its history: knows the calls by more than their types.
    """
    calls = meter.calls if meter else {}
    found = [_call(step, calls) for step in described.pending_activities]
    here = described.workflow_execution_info.execution.workflow_id
    children = sorted(described.pending_children, key=lambda child: child.initiated_id)
    if awaits := _awaits(described):
        found.append(Wait(kind=awaits))
    if meter and not described.HasField("pending_workflow_task"):
        found += [Wait(kind="ledger", name=name) for name in meter.ledgers]
    found += [Wait(kind="nested", name=Place(child.workflow_id).below(here)) for child in children]
    if found:
        return found
    if described.HasField("pending_workflow_task"):
        return [Wait(kind="worker", since=moment(described.pending_workflow_task.scheduled_time))]
    if described.workflow_execution_info.type.name == names.CHAT_WORKFLOW:
        return [Wait(kind="message", since=meter.last_at if meter else None)]
    if meter and meter.has_timer:
        return [Wait(kind="timer")]
    return [Wait(kind="other")]


def _awaits(described: DescribeWorkflowExecutionResponse) -> WaitKind | None:
    """Return what it says that it waits for people for."""
    fields = described.workflow_execution_info.search_attributes.indexed_fields
    said = fields[names.SEARCH_AWAITING].data if names.SEARCH_AWAITING in fields else b""
    if names.AWAITS_APPROVAL.encode() in said:
        return "approval"
    return "top-up" if names.AWAITS_TOP_UP.encode() in said else None


def _call(step: PendingActivityInfo, calls: Mapping[str, CallUnderWay]) -> Wait:
    kind = step.activity_type.name
    known = calls.get(step.activity_id)
    since = step.last_started_time if step.state == _STARTED else step.scheduled_time
    plain = kind if kind not in _KINDS else ""
    return Wait(
        kind=_KINDS.get(kind, "other" if kind.startswith(_RESERVED) else "tool"),
        name=_name(kind, known.summary if known else "") or plain,
        since=moment(since),
    )


def _name(kind: str, summary: str) -> str:
    """Return what a call is told as: a model with its turn, a tool with its arguments."""
    if kind == names.MODEL_ACTIVITY:
        # What its run had used when it was made is not what it has used now.
        return summary.rpartition(" · ")[0] or summary
    return f"{kind} {summary}".strip() if kind not in _KINDS and not kind.startswith(_RESERVED) else summary


def last_seen_at(described: DescribeWorkflowExecutionResponse, meter: Meter | None) -> datetime:
    """Return when something happened in a workflow last, as far as that is known."""
    info = described.workflow_execution_info
    if meter and meter.last_at and meter.reached >= info.history_length:
        return meter.last_at
    tried = [moment(step.last_started_time) for step in described.pending_activities if step.last_started_time.seconds]
    return max([moment(info.start_time), *tried, *([meter.last_at] if meter and meter.last_at else [])])
