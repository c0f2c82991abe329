"""Cancels a run so that it undoes what it did."""

from __future__ import annotations

from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import RequestCancelWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from ...contracts import names
from ...contracts.errors import SpecError
from ...history.reading.executions import first_execution

_HAS_ENDED = "it has ended, and what it did is undone only while it is at work"


async def cancel_compensating(temporal: Client, run: WorkflowExecutionDescription) -> None:
    """Ask a run to stop and to undo what it did, in one request.

    Args:
        temporal: Where it runs.
        run: Its newest execution.

    Raises:
        SpecError: It has ended, is being cancelled already, or is no run of a runnable.
    """
    what = f"run {run.id!r}"
    if not names.is_run_type(run.workflow_type):
        raise SpecError(
            f"{what}: it is no run of a runnable: the code of a workflow of your own says itself what is undone, by "
            "compensate(), and what a chat or an ingest did is not undone"
        )
    if run.status is not WorkflowExecutionStatus.RUNNING:
        raise SpecError(f"{what}: {_HAS_ENDED}")
    # The server takes a second cancel and drops it, with its reason.
    if run.raw_description.workflow_extended_info.cancel_requested:
        raise SpecError(f"{what}: it is being cancelled already: what it did is undone if that cancel asked for it")
    request = RequestCancelWorkflowExecutionRequest(
        namespace=temporal.namespace,
        workflow_execution=WorkflowExecution(workflow_id=run.id),
        identity=temporal.identity,
        request_id=uuid4().hex,
        first_execution_run_id=first_execution(run),
        reason=names.CANCEL_COMPENSATING,
    )
    try:
        await temporal.workflow_service.request_cancel_workflow_execution(request)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise SpecError(f"{what}: {_HAS_ENDED}") from None
        raise
