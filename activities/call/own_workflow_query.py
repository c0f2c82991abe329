"""What an activity asks of the server about the run that it belongs to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, TypeVar

from temporalio import activity
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetStickyTaskQueueRequest
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

R = TypeVar("R")

_HOLDER_PATIENCE: Final = timedelta(milliseconds=500)


async def query_own_run(query: str, argument: Any, result_type: type[R]) -> R:
    """Query the run, even where the worker that holds it is dead.

    The server asks the worker that has the run in its cache first, and waits for it long enough to be felt. One that
    lives answers within milliseconds; after less than a second the question goes to any worker.
    """
    handle = _handle()
    try:
        answer: R = await handle.query(query, argument, result_type=result_type, rpc_timeout=_HOLDER_PATIENCE)
    except RPCError as error:
        if error.status not in (RPCStatusCode.CANCELLED, RPCStatusCode.DEADLINE_EXCEEDED):
            raise
        await release_own_run()
        answer = await handle.query(query, argument, result_type=result_type)
    return answer


async def release_own_run() -> None:
    """Let any worker take the next workflow task of the run.

    Else the worker that has it in its cache would be waited for first.

    For calls that are repeated because a worker died: it may have been the same one.
    """
    info = activity.info()
    if info.is_local:
        return
    client = activity.client()
    execution = WorkflowExecution(workflow_id=info.workflow_id or "", run_id=info.workflow_run_id or "")
    await client.workflow_service.reset_sticky_task_queue(
        ResetStickyTaskQueueRequest(namespace=client.namespace, execution=execution)
    )


def _handle() -> WorkflowHandle[Any, Any]:
    info = activity.info()
    return activity.client().get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
