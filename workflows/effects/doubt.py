"""Calls whose outcome is unknown: their tool is asked first, then a person."""

from __future__ import annotations

from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

from ...activities.control.reconcile import ReconcileActivities
from ...contracts import names
from ...contracts.tool import Effect, ToolSpec
from ...contracts.wire.control.reconcile_call import ReconcileCall, Reconciled
from ...contracts.wire.places import Place
from ...contracts.wire.tool_call import ToolInvocation, ToolOutput
from .. import policy
from ..concurrency import cause_of
from ..control.approvals import Approvals
from ..control.waiting_call import ApprovableCall
from ..until_served import served
from .effect_log import NOT_BEGUN, EffectLog, may_have_happened


async def came_of(
    error: FailureError,
    tool: ToolSpec,
    place: Place,
    invocation: ToolInvocation,
    approvals: Approvals,
    effects: EffectLog | None,
    *,
    direct: bool = False,
) -> ToolOutput | str:
    """Return what came of a call that failed, where anybody can say it.

    Else what the model is told; nothing where that is as if nobody had been asked. It is in doubt before anybody is
    asked, so whatever a cancel ends meanwhile, it is there to be undone.

    Args:
        error: How it failed.
        tool: What was called.
        place: Of the agent, or of the workflow, whose call it is.
        invocation: With what.
        approvals: Asks a person, where the tool has an approval.
        effects: Takes in what was done. None: nothing is to undo it.
        direct: Whether no model asked for it.

    Raises:
        asyncio.CancelledError: It was given up while it waited.
        FailureError: The question was cancelled.
    """
    doubted = effects.doubted(tool, place, invocation) if effects and may_have_happened(tool, error) else None
    if not _can_be_said(tool, error):
        return ""
    key = invocation.key_in("") if invocation.undoes else ""
    call = ReconcileCall(name=tool.name, call_id=invocation.call_id, reply=invocation.reply, key=key)
    found = await reconciled(call, place.reconciliation(call.call_id)) if tool.reconciles else Reconciled()
    if effects and doubted:
        effects.heard(doubted, found)
    if found.output:
        return found.output
    if found.not_done:
        return f"{tool.name} was interrupted before it took effect: it may be called again."
    if tool.asks is None:
        return ""
    permit = await approvals.doubt(ApprovableCall.of(tool, place, invocation, direct=direct))
    return "" if permit.answer is None else ToolOutput(content=permit.answer)


def _can_be_said(tool: ToolSpec, error: FailureError) -> bool:
    """Return whether anybody can say what came of a call that was cut off."""
    if is_cancelled_exception(error) or tool.effect is not Effect.ONCE:
        return False
    cause = cause_of(error)
    is_told = isinstance(cause, ApplicationError) and cause.type in (names.TOOL_FAILED, *NOT_BEGUN)
    return not is_told and (tool.reconciles or tool.asks is not None)


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
