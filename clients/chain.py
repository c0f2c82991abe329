"""Finds the executions that make up a run, which continues as new, is reset, and outlives its oldest ones.

Read from the newest backwards: the links from old to new lead to executions that a reset has replaced.
"""

from __future__ import annotations

from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

from ..contracts import names
from ..contracts.errors import SpecError
from .history import started_by


async def described(temporal: Client, workflow_id: str, execution: str | None = None) -> WorkflowExecutionDescription:
    """What the server knows of an execution of a run, of the newest one of that id by default.

    Raises:
        SpecError: It is no run.
        RPCError: There is no such execution, or the server refuses.
    """
    description = await temporal.get_workflow_handle(workflow_id, run_id=execution).describe()
    if description.workflow_type != names.RUN_WORKFLOW:
        raise SpecError(f"{workflow_id!r} is no run of ours but a workflow of type {description.workflow_type!r}")
    return description


def first_execution(description: WorkflowExecutionDescription) -> str:
    """The execution that the run began with, which names all that came of it, also when it is long gone itself."""
    return description.raw_info.first_run_id


async def executions_until(temporal: Client, workflow_id: str, newest: str) -> tuple[str, ...]:
    """The executions of a run up to that one, the oldest first; without those that are past the retention time.

    Raises:
        RPCError: There is no such execution, or the server refuses.
    """
    found = [newest]
    before = (await started_by(temporal, workflow_id, newest)).continued_execution_run_id
    while before:
        try:
            started = await started_by(temporal, workflow_id, before)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            break
        found.append(before)
        before = started.continued_execution_run_id
    return tuple(reversed(found))
