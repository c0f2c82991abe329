"""What a run waits for people for, and how it goes on, in words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

from ...contracts import names
from ...contracts.text import one_line
from ...contracts.wire.control.approval_event import PendingApproval
from ...contracts.wire.control.top_up import PendingTopUp
from ...history.reading.tree import RunAddress, TreePart
from ..hindrances import workflows_at_work
from .how_to_decide import decide_command, least_top_up, top_up_command

_REASON_CHARS = 300


@dataclass(frozen=True, slots=True)
class Awaited:
    """A call that waits for a person, or a budget that waits for a top-up."""

    waits: PendingApproval | PendingTopUp

    @property
    def run_id(self) -> str:
        """Id of the run or nested run."""
        return self.waits.run_id

    @property
    def step(self) -> str:
        """Which of its steps."""
        waits = self.waits
        return f"{waits.path} {waits.call_id if isinstance(waits, PendingApproval) else waits.limit}"

    @property
    def attempt(self) -> int:
        """How often it failed: never."""
        return 0

    @property
    def is_unserved(self) -> bool:
        """Whether it waits for a worker: it does not."""
        return False

    def __str__(self) -> str:
        """Return it as a sentence that says what to do."""
        return _call_words(self.waits) if isinstance(self.waits, PendingApproval) else _budget_words(self.waits)


async def find_awaited(temporal: Client, run: WorkflowExecutionDescription) -> tuple[Awaited, ...]:
    """Return what a run, and those nested in it, wait for people for.

    The histories of those alone are read of which the list of runs says so, where it knows.

    Raises:
        RPCError: The server refuses.
    """
    parts = [part async for part in _waiting_parts(temporal, run)]
    found = [Awaited(call) for part in parts for call in part.projection.approvals.pending(part.place.workflow_id)]
    found += [Awaited(one) for part in parts for one in part.projection.budgets.pending(part.place.workflow_id)]
    return tuple(sorted(found, key=lambda one: one.waits.since))


async def _waiting_parts(temporal: Client, run: WorkflowExecutionDescription) -> AsyncIterator[TreePart]:
    async for workflow in workflows_at_work(temporal, run):
        if not _may_wait(workflow):
            continue
        execution = workflow.workflow_execution_info.execution
        try:
            yield await TreePart.read(temporal, RunAddress(execution.workflow_id, (execution.run_id,)))
        except RPCError as error:
            # It has ended since, and was past the retention time.
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise


def _may_wait(workflow: DescribeWorkflowExecutionResponse) -> bool:
    told = workflow.workflow_execution_info.search_attributes.indexed_fields
    # Where the namespace lacks our attributes none is there.
    return names.SEARCH_RUNNABLE not in told or bool(told[names.SEARCH_AWAITING].data.strip(b'"[]'))


def _call_words(call: PendingApproval) -> str:
    whose = f" of {call.group}" if call.group else ""
    if call.question:
        asked = f" {one_line(str(call.arguments.get('question', '')), _REASON_CHARS)!r}"
        method = f"run.answer({call.call_id!r}, ..., by=...)"
        return f"{call.tool}{asked} waits for an answer{whose}: `{decide_command(call)}`, or {method}"
    method = f"run.approve({call.call_id!r}, by=...)"
    return f"{call.tool} at {call.path!r} waits for a yes{whose}: `{decide_command(call)}`, or {method}"


def _budget_words(budget: PendingTopUp) -> str:
    least = least_top_up(budget)
    amount = f"{'' if '=' in least else 'usd='}{least}, by=..."
    method = f"client.ledgers.top_up({budget.ledger!r}, {amount})" if budget.ledger else f"run.top_up({amount})"
    return f"{budget.reason}: it waits for a top-up: `{top_up_command(budget)}`, or {method}"
