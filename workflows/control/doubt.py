"""Calls whose outcome is unknown: their tool is asked first, then a person."""

from __future__ import annotations

from temporalio.exceptions import FailureError, is_cancelled_exception

from ...activities.control.reconcile import ReconcileActivities
from ...contracts.tool import Effect, ToolSpec
from ...contracts.wire.control.reconcile_call import ReconcileCall, Reconciled
from ...contracts.wire.places import Place
from ...contracts.wire.tool_call import ToolInvocation, ToolOutput
from .. import policy
from ..until_served import served
from .approvals import Approvals
from .waiting_call import ApprovableCall


def may_be_settled(tool: ToolSpec) -> bool:
    """Return whether anybody can say what came of a call that was cut off."""
    return tool.effect is Effect.ONCE and (tool.reconciles or tool.asks is not None)


async def settled(
    approvals: Approvals, tool: ToolSpec, place: Place, invocation: ToolInvocation, *, direct: bool = False
) -> ToolOutput | str:
    """Return what came of a call that was cut off.

    Where it has no result: what the model is told; nothing where that is as if nobody had been asked.

    Args:
        approvals: Asks a person, where the tool has an approval.
        tool: What was called.
        place: Of the agent, or of the workflow, whose call it is.
        invocation: With what.
        direct: Whether no model asked for it.

    Raises:
        asyncio.CancelledError: It was given up while it waited.
    """
    key = invocation.key_in("") if invocation.undoes else ""
    call = ReconcileCall(name=tool.name, call_id=invocation.call_id, reply=invocation.reply, key=key)
    found = await reconciled(call, place.reconciliation(call.call_id)) if tool.reconciles else Reconciled()
    if found.output:
        return found.output
    if found.not_done:
        return f"{tool.name} was interrupted before it took effect: it may be called again."
    if tool.asks is None:
        return ""
    permit = await approvals.doubt(ApprovableCall.of(tool, place, invocation, direct=direct))
    return "" if permit.answer is None else ToolOutput(content=permit.answer)


async def reconciled(call: ReconcileCall, activity_id: str) -> Reconciled:
    """Return what a tool itself says came of a call.

    Args:
        call: The call.
        activity_id: Id of the question.
    """
    try:
        found: Reconciled = await served(
            ReconcileActivities.ask,
            call,
            summary=f"what came of {call.name}",
            options=policy.reconcile_policy(),
            activity_id=activity_id,
        )
    except FailureError as error:
        if is_cancelled_exception(error):
            raise
        return Reconciled()
    return found
