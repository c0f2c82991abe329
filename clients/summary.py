"""One line about a run, as the server's list of runs has it."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import computed_field
from temporalio.client import WorkflowExecution, WorkflowExecutionStatus

from ..contracts.contract import Contract
from ..contracts.wire.run import Status
from ..workflows.search_attributes import AWAITING, COST_USD, RUNNABLE, RUNNING, STATUS, TENANT, TOKENS

_BROKEN_OFF = {
    WorkflowExecutionStatus.FAILED: Status.FAILED,
    WorkflowExecutionStatus.TERMINATED: Status.FAILED,
    WorkflowExecutionStatus.TIMED_OUT: Status.FAILED,
    WorkflowExecutionStatus.CANCELED: Status.CANCELLED,
}

_CAME_TO_AN_END = frozenset(
    {WorkflowExecutionStatus.COMPLETED, WorkflowExecutionStatus.FAILED, WorkflowExecutionStatus.CANCELED}
)


class RunSummary(Contract):
    """What is known of a run without reading its history."""

    id: str
    runnable: str = ""
    status: str
    """`running`, or the status of its result."""
    tenant: str = ""
    started_at: datetime
    ended_at: datetime | None = None
    cost_usd: float | None = None
    """US dollars. None where it has not told any yet."""
    tokens: int | None = None
    """Tokens in and out. None where the cost is."""
    is_whole: bool = True
    """Whether that is all that it used. Else it goes on or was broken off, and has used that much at least."""
    parent: str = ""
    """Id of the run that started it. Empty where a client did."""

    awaits: str = ""
    """What it, or a run nested in it, waits for people for: `approval` or `top-up`; empty where for nothing."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def seconds(self) -> float | None:
        """How long it took. None while it runs."""
        return None if self.ended_at is None else (self.ended_at - self.started_at) / timedelta(seconds=1)

    @classmethod
    def of(cls, execution: WorkflowExecution) -> RunSummary:
        """Return the summary of an execution that Temporal lists or describes."""
        found = execution.typed_search_attributes
        # Both stand at 0 from the start, and become true together with the status at the end. A code-first workflow
        # has no such status, and one of an earlier version of its worker tells nothing.
        is_over = found.get(STATUS) in set(Status)
        told = is_over or bool(found.get(TOKENS))
        return cls(
            id=execution.id,
            runnable=found.get(RUNNABLE) or "",
            status=_status(execution.status, found.get(STATUS)),
            tenant=found.get(TENANT) or "",
            started_at=execution.start_time,
            ended_at=execution.close_time,
            cost_usd=found.get(COST_USD) if told else None,
            tokens=found.get(TOKENS) if told else None,
            is_whole=is_over or (found.get(STATUS) is None and execution.status in _CAME_TO_AN_END),
            parent=execution.parent_id or "",
            awaits=awaits_of(execution),
        )

    def with_nested(self, cost_usd: float, tokens: int) -> RunSummary:
        """Return it with what nested runs have used beside it."""
        told = {"cost_usd": (self.cost_usd or 0.0) + cost_usd, "tokens": (self.tokens or 0) + tokens}
        return self.model_copy(update=told)


def awaits_of(execution: WorkflowExecution) -> str:
    """Return what an execution waits for people for; empty where for nothing."""
    is_open = execution.status is WorkflowExecutionStatus.RUNNING
    return (execution.typed_search_attributes.get(AWAITING) or "") if is_open else ""


def _status(status: WorkflowExecutionStatus | None, noted: str | None) -> str:
    # A run that was terminated from outside could not note its status.
    if status in _BROKEN_OFF:
        return _BROKEN_OFF[status]
    if status is WorkflowExecutionStatus.COMPLETED:
        return noted if noted and noted != RUNNING else Status.COMPLETED
    return RUNNING
