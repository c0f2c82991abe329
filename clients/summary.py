"""One line about a run, as the server's list of runs has it."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import computed_field
from temporalio.client import WorkflowExecution, WorkflowExecutionStatus

from ..contracts.contract import Contract
from ..contracts.wire.run import Status
from ..workflows.search_attributes import COST_USD, RUNNABLE, RUNNING, STATUS, TENANT, TOKENS

_BROKEN_OFF = {
    WorkflowExecutionStatus.FAILED: Status.FAILED,
    WorkflowExecutionStatus.TERMINATED: Status.FAILED,
    WorkflowExecutionStatus.TIMED_OUT: Status.FAILED,
    WorkflowExecutionStatus.CANCELED: Status.CANCELLED,
}


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
    """US dollars. None while it runs, and where it was broken off before it could tell."""
    tokens: int | None = None
    """Tokens in and out. None where the cost is."""
    parent: str = ""
    """Id of the run that started it. Empty where a client did."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def seconds(self) -> float | None:
        """How long it took. None while it runs."""
        return None if self.ended_at is None else (self.ended_at - self.started_at) / timedelta(seconds=1)

    @classmethod
    def of(cls, execution: WorkflowExecution) -> RunSummary:
        """Return the summary of an execution that Temporal lists or describes."""
        found = execution.typed_search_attributes
        # Both stand at 0 from the start, and become true together with the status at the end.
        told = found.get(STATUS) in set(Status)
        return cls(
            id=execution.id,
            runnable=found.get(RUNNABLE) or "",
            status=_status(execution.status, found.get(STATUS)),
            tenant=found.get(TENANT) or "",
            started_at=execution.start_time,
            ended_at=execution.close_time,
            cost_usd=found.get(COST_USD) if told else None,
            tokens=found.get(TOKENS) if told else None,
            parent=execution.parent_id or "",
        )


def _status(status: WorkflowExecutionStatus | None, noted: str | None) -> str:
    # A run that was terminated from outside could not note its status.
    if status in _BROKEN_OFF:
        return _BROKEN_OFF[status]
    if status is WorkflowExecutionStatus.COMPLETED:
        return noted if noted and noted != RUNNING else Status.COMPLETED
    return RUNNING
