"""What the calls of one code-first workflow share."""

from __future__ import annotations

from typing import Any

from temporalio import workflow
from temporalio.worker import (
    ExecuteWorkflowInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from ...contracts import names
from ...contracts.wire.places import Place
from ..concurrency import being_cancelled, own_workflow
from ..interpreter import Interpreter

_HELD = "_sostenuto_interpreter"


def own_interpreter() -> Interpreter:
    """Return what the calls of one workflow share, kept on its instance."""
    instance = workflow.instance()
    interpreter: Interpreter | None = getattr(instance, _HELD, None)
    if interpreter is None:
        interpreter = Interpreter(Place(workflow.info().workflow_type))
        interpreter.compensator.code_gives_up = True
        interpreter.guards.screens = False
        setattr(instance, _HELD, interpreter)
        interpreter.serve()
        workflow.set_query_handler(names.TRANSCRIPT_QUERY, interpreter.page)
    return interpreter


class CodeFirstEnds(Interceptor):
    """Has code-first workflows tell at their end what they used, as runs do."""

    def workflow_interceptor_class(self, _: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """Return the class that the SDK makes one of for each workflow."""
        return _Telling


class _Telling(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        is_at_work = own_workflow()
        try:
            return await super().execute_workflow(input)
        finally:
            interpreter: Interpreter | None = getattr(workflow.instance(), _HELD, None) if is_at_work() else None
            # One that is taken out of the worker's memory is cancelled as well, and for no reason.
            if interpreter and not (being_cancelled() and workflow.cancellation_reason() is None):
                interpreter.cost.tell()
                interpreter.cost.stop()
