"""Makes tool calls, as the effect class of the tool and its approval say."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from ...activities.mcp import McpActivities
from ...contracts import limits, names
from ...contracts.mcp import McpTool
from ...contracts.text import first_line
from ...contracts.tool import Effect, ToolSpec
from ...contracts.wire.mcp_call import McpInvocation
from ...contracts.wire.places import Place
from ...contracts.wire.tool_call import ToolInvocation, ToolOutput
from .. import policy
from ..concurrency import cause_of
from ..control.approvals import Approvals
from ..control.waiting_call import ApprovableCall
from ..payload_limits import Outbox
from ..until_served import is_not_served, until_served
from .doubt import came_of
from .effect_log import EffectLog


def _returned_by(tool: ToolSpec, *, local: bool) -> int:
    """Return how many bytes a call may bring back within the workflow task."""
    return limits.FAST_OUTPUT_BYTES if local and tool.fast and tool.effect is Effect.READ else 0


def start_tool(
    tool: ToolSpec, invocation: ToolInvocation, activity_id: str, *, local: bool = True
) -> workflow.ActivityHandle[ToolOutput]:
    """Start the activity of a tool call, as the tool's effect class wants it.

    Args:
        tool: What is called.
        invocation: With what.
        activity_id: Id of the call.
        local: Whether it may run in the worker that has the workflow task, where it is a fast one.
    """
    summary = first_line(", ".join(f"{k}={v}" for k, v in invocation.arguments.items()), 80)
    if isinstance(tool, McpTool):
        return workflow.start_activity_method(
            McpActivities.call,
            McpInvocation(**dict(invocation), server=tool.server, tool=tool.tool, name=tool.name, effect=tool.effect),
            activity_id=activity_id,
            summary=first_line(f"{tool.server}/{tool.tool} {summary}", 80),
            **policy.tool_policy(tool),
        )
    if local and tool.fast and tool.effect is Effect.READ:
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


async def called(tool: ToolSpec, invocation: ToolInvocation, activity_id: str, outbox: Outbox) -> ToolOutput:
    """Return what a call comes to, by whichever worker serves its tool.

    Args:
        tool: What is called.
        invocation: With what.
        activity_id: Id of the call.
        outbox: Sends it.

    Raises:
        FailureError: As `until_served`.
        PayloadTooLargeError: It cannot be sent.
    """

    async def start(refused: int) -> ToolOutput:
        async with outbox.sending(invocation, "the call", _returned_by(tool, local=not refused)):
            return await start_tool(tool, invocation, activity_id, local=not refused)

    return await until_served(start)


async def make_call(
    tool: ToolSpec,
    place: Place,
    invocation: ToolInvocation,
    approvals: Approvals,
    outbox: Outbox,
    effects: EffectLog | None = None,
) -> ToolOutput:
    """Return what a call comes to that no model asked for, once it may be made.

    Args:
        tool: What is called.
        place: Of the workflow whose call it is.
        invocation: With what.
        approvals: Ask a person.
        outbox: Sends the call.
        effects: Takes in what was done. Default: nothing is to undo it.

    Raises:
        ApplicationError: Of type `ToolFailed`: it failed, or was not made.
        ActivityError: It was ended from outside.
        PayloadTooLargeError: It cannot be sent.
    """
    permit = await approvals.permit(ApprovableCall.of(tool, place, invocation, direct=True))
    if permit.refused:
        raise ApplicationError(permit.refused, type=names.TOOL_FAILED, non_retryable=True)
    if permit.answer is not None:
        return ToolOutput(content=permit.answer)
    # What it returns goes to code, which is not told in words that a person changed something.
    invocation = invocation.model_copy(update={"arguments": dict(permit.arguments), "permitted": tool.asks is not None})
    try:
        output = await called(tool, invocation, place.tool_call(invocation.call_id), outbox)
    except (ActivityError, ApplicationError) as error:
        found = await came_of(error, tool, place, invocation, approvals, effects, direct=True)
        if isinstance(found, ToolOutput):
            return found
        if found:
            raise ApplicationError(found, type=names.TOOL_FAILED, non_retryable=True) from None
        # A local activity's failure comes as it is: whoever catches it need not know which tools are fast.
        cause = cause_of(error)
        if not isinstance(cause, ApplicationError):
            raise
        if is_not_served(cause):
            raise ApplicationError(cause.message, type=names.TOOL_FAILED, non_retryable=True) from None
        raise cause from None
    if effects:
        effects.took(tool, place, invocation, output)
    return output
