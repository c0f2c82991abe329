"""Passes the trace context on, and tells which runs are at work here.

The code here that runs in workflows does the same in a replay, but for what it tells the follower.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn, Protocol

from opentelemetry import context, trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.worker import (
    ActivityInboundInterceptor,
    ContinueAsNewInput,
    ExecuteActivityInput,
    ExecuteWorkflowInput,
    HandleSignalInput,
    HandleUpdateInput,
    Interceptor,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from ...connection.tracing import TRACE_HEADER, header_of, span_of
from ...contracts import names
from ...contracts.wire.places import Place
from ...contracts.wire.run import RunInput
from .identity import RunIdentity

_TOUCH: Final = "sostenuto_touch"


class Touch(Protocol):
    """Told that a run does something here."""

    def __call__(self, namespace: str, workflow_id: str, execution: str, first: str, *, is_new: bool) -> None:
        """Take it in. Called from any thread.

        Args:
            namespace: Where the run is.
            workflow_id: Id of its workflow.
            execution: Temporal's run id of the execution.
            first: That of its first execution.
            is_new: Whether it begins now.
        """
        ...


class Tracing(Interceptor):
    """Passes the trace context on.

    Args:
        touch: Told which runs do something here.
    """

    def __init__(self, touch: Touch) -> None:
        self._touch = touch

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """Return the class that the SDK makes one of for each workflow."""
        input.unsafe_extern_functions[_TOUCH] = self._touch
        return _Inbound

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Return what each activity goes through."""
        return _Activity(next)


class _Activity(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        found = span_of(input.headers)
        if found is None:
            return await super().execute_activity(input)
        here = SpanContext(*found, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        token = context.attach(trace.set_span_in_context(NonRecordingSpan(here)))
        try:
            return await super().execute_activity(input)
        finally:
            context.detach(token)


class _Inbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        self._outbound = _Outbound(outbound)
        super().init(self._outbound)

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        info = workflow.info()
        if info.workflow_type in names.UNTOLD_WORKFLOWS:
            return await super().execute_workflow(input)
        tell = workflow.extern_functions()[_TOUCH]
        about = (info.namespace, info.workflow_id, info.run_id, info.first_execution_run_id)
        # A code-first workflow that goes on in a further execution counts its calls anew there.
        is_own = not names.is_of_runnables(info.workflow_type)
        self._outbound.begin(input.headers, about, info.run_id if is_own and info.continued_run_id else "")
        tell(*about, is_new=not workflow.unsafe.is_replaying() and info.run_id == info.first_execution_run_id)
        try:
            return await super().execute_workflow(input)
        finally:
            tell(*about, is_new=False)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        self._outbound.touch()
        await super().handle_signal(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        self._outbound.touch()
        return await super().handle_update_handler(input)


class _Outbound(WorkflowOutboundInterceptor):
    _run: RunIdentity | None = None
    _about: tuple[str, str, str, str] | None = None
    _execution = ""
    _began_with: Mapping[str, Payload] = {}

    def begin(self, header: Mapping[str, Payload], about: tuple[str, str, str, str], execution: str) -> None:
        namespace, workflow_id, _, first = about
        self._run = RunIdentity(namespace, workflow_id, first, span_of(header))
        self._about = about
        self._execution = execution
        self._began_with = {TRACE_HEADER: header[TRACE_HEADER]} if TRACE_HEADER in header else {}

    def touch(self) -> None:
        """Tell that something happens, where it is not a replay."""
        if self._about and not workflow.unsafe.is_replaying():
            workflow.extern_functions()[_TOUCH](*self._about, is_new=False)

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        input.headers = self._with_step(input.headers, input.activity_id)
        return super().start_activity(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        input.headers = self._with_step(input.headers, input.activity_id)
        return super().start_local_activity(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> workflow.ChildWorkflowHandle[Any, Any]:
        # A nested run that a tool call asks for is in that.
        calls = [
            Place(run.path).parent.tool_call(run.call_id)
            for run in input.args[:1]
            if isinstance(run, RunInput) and run.call_id
        ]
        input.headers = self._with_step(input.headers, calls[0] if calls else None)
        return await super().start_child_workflow(input)

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        input.headers = {**input.headers, **self._began_with}
        super().continue_as_new(input)

    def _with_step(self, header: Mapping[str, Payload], step_id: str | None) -> Mapping[str, Payload]:
        """Return a header with the span of a step, by default of the run itself."""
        self.touch()
        if self._run is None or TRACE_HEADER in header:
            return header
        turn: str = getattr(workflow.instance(), "turn_under_way", "")
        here = self._run.step(step_id, turn, self._execution) if step_id else self._run.span(turn)
        return {**header, TRACE_HEADER: header_of(here)}
