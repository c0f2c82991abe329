"""Tool calls of an agent: each becomes a result for the model, whatever happens to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception
from temporalio.exceptions import TimeoutError as ActivityTimeoutError

from ...activities.mcp import McpActivities
from ...contracts import names
from ...contracts.mcp import McpTool
from ...contracts.message import ToolCallPart, ToolResultPart
from ...contracts.specs.agent import Agent
from ...contracts.specs.delegation import told
from ...contracts.specs.runnable import Runnable
from ...contracts.tool import Effect, ToolSpec
from ...contracts.wire.delegate_answer import answered
from ...contracts.wire.mcp_call import McpInvocation
from ...contracts.wire.tool_call import ToolInvocation, ToolOutput, outcome_unknown
from .. import policy
from ..concurrency import being_cancelled
from ..payload_limits import PayloadTooLargeError
from ..tally import Tally
from ..ui_details import first_line

if TYPE_CHECKING:
    from ..interpreter import Execution

_NOT_SERVED = "NotFoundError"
"""Type of the SDK's failure of a call whose activity type the worker does not have."""


class ToolCalls:
    """Runs the tool calls of one agent: functions and MCP tools as activities, runnables as nested runs.

    Args:
        execution: Starts the nested runs.
        agent: Whose tools.
        path: Its place.
        mcp: Its tools of MCP servers.
        tally: Takes in what nested runs used.
    """

    def __init__(self, execution: Execution, agent: Agent, path: str, mcp: Iterable[McpTool], tally: Tally) -> None:
        self._tools: dict[str, ToolSpec] = {tool.name: tool for tool in (*agent.tools, *mcp)}
        self._delegates: dict[str, Runnable] = {delegate.name: delegate for delegate in agent.delegates}
        self._execution = execution
        self._path = path
        self._tally = tally

    async def run(self, calls: Iterable[ToolCallPart], reply: str) -> list[ToolResultPart]:
        """The results of the calls that a reply asks for, in their order; the calls themselves run at once."""
        running = (self._run_one(call, reply) for call in calls)
        # Where the run is cancelled, a `once` tool is waited for although the others have stopped.
        ended = await asyncio.gather(*running, return_exceptions=True)
        results: list[ToolResultPart] = []
        for end in ended:
            if isinstance(end, BaseException):
                raise end
            results.append(end)
        return results

    async def _run_one(self, call: ToolCallPart, reply: str) -> ToolResultPart:
        delegate, tool = self._delegates.get(call.name), self._tools.get(call.name)
        if call.malformed and (tool or delegate):
            schema = f"Valid arguments follow this JSON schema: {json.dumps(tool.parameters)}" if tool else ""
            return error_result(call, f"The arguments are no JSON object: {call.malformed[:500]!r}. {schema}".strip())
        if delegate is not None:
            return await self._delegate(delegate, call)
        if tool is None:
            known = ", ".join((*self._tools, *self._delegates)) or "none"
            return error_result(call, f"There is no tool {call.name!r}. There are: {known}.")
        try:
            output = await self._called(tool, call, reply)
        except PayloadTooLargeError as error:
            return error_result(call, f"{tool.name} was not run: {error}")
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            # A local activity's failure comes as it is, any other one's as the cause of an ActivityError.
            return error_result(call, _explain(tool, error.cause if isinstance(error, ActivityError) else error))
        return ToolResultPart(call_id=call.id, name=call.name, content=output.content, attachments=output.attachments)

    async def _delegate(self, delegate: Runnable, call: ToolCallPart) -> ToolResultPart:
        try:
            message = told(delegate, call.arguments)
        except ValueError as error:
            return error_result(call, str(error))
        path = f"{self._path}/{delegate.name}"
        result, _ = await self._execution.child(delegate, path, message, call_id=call.id)
        self._tally.add(result)
        if being_cancelled():
            raise asyncio.CancelledError
        return answered(call.id, call.name, result)

    async def _called(self, tool: ToolSpec, call: ToolCallPart, reply: str) -> ToolOutput:
        invocation = ToolInvocation(call_id=call.id, reply=reply, arguments=call.arguments)
        async with self._execution.outbox.sending(invocation, "the call"):
            return await start_tool(tool, invocation, f"{self._path}:{call.id}")


def start_tool(tool: ToolSpec, invocation: ToolInvocation, activity_id: str) -> workflow.ActivityHandle[ToolOutput]:
    """The activity that is a tool call, as the tool's effect class wants it."""
    summary = first_line(", ".join(f"{k}={v}" for k, v in invocation.arguments.items()), 80)
    if isinstance(tool, McpTool):
        return workflow.start_activity_method(
            McpActivities.call,
            McpInvocation(**dict(invocation), server=tool.server, tool=tool.tool, name=tool.name, effect=tool.effect),
            activity_id=activity_id,
            summary=first_line(f"{tool.server}/{tool.tool} {summary}", 80),
            **policy.tool_policy(tool),
        )
    if tool.fast and tool.effect is Effect.READ:
        return workflow.start_local_activity(
            tool.name,
            invocation,
            result_type=ToolOutput,
            activity_id=activity_id,
            summary=summary,
            **policy.fast_tool_policy(tool),
        )
    return workflow.start_activity(
        tool.name,
        invocation,
        result_type=ToolOutput,
        activity_id=activity_id,
        summary=summary,
        **policy.tool_policy(tool),
    )


def error_result(call: ToolCallPart, message: str) -> ToolResultPart:
    """A result that tells the model what was wrong."""
    return ToolResultPart(call_id=call.id, name=call.name, content=message, is_error=True)


def _explain(tool: ToolSpec, cause: BaseException | None) -> str:
    if isinstance(cause, ApplicationError) and cause.type == names.TOOL_FAILED:
        return cause.message
    if isinstance(cause, ApplicationError) and cause.type == _NOT_SERVED:
        return f"{tool.name} was not run: no worker here serves it."
    if tool.effect is Effect.ONCE:
        return outcome_unknown(tool.name)
    return f"{tool.name} {'did not end in time' if isinstance(cause, ActivityTimeoutError) else f'failed: {cause}'}"
