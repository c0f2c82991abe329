"""Refuses names and ids that the server would refuse, where they are used.

As a command of a workflow task they would have the task tried for ever.
"""

from __future__ import annotations

from typing import Any

from temporalio import workflow
from temporalio.worker import (
    Interceptor,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from ..contracts import limits
from ..contracts.errors import SpecError
from ..contracts.text import shorten


class IdLimits(Interceptor):
    """Checks what workflows start, those of people too."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:  # noqa: ARG002
        """Return the class that the SDK makes one of for each workflow."""
        return _Inbound


class _Inbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound))


class _Outbound(WorkflowOutboundInterceptor):
    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        _check("activity", input.activity, input.activity_id)
        return super().start_activity(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        _check("activity", input.activity, input.activity_id)
        return super().start_local_activity(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> workflow.ChildWorkflowHandle[Any, Any]:
        _check("workflow", input.workflow, input.id)
        return await super().start_child_workflow(input)


def _check(what: str, kind: str, given_id: str | None) -> None:
    for name, text in ((f"the name of the {what}", kind), (f"the id of the {what}", given_id or "")):
        if len(text.encode(errors="replace")) > limits.ID_BYTES:
            most = f"the {limits.ID_BYTES:,} bytes that Temporal takes"
            raise SpecError(f"{name}, {shorten(text, 40)}, has more than {most}")
