"""Undoes what was done, the last first: each by the tool that its own names.

A failure to undo ends nothing: it is told, and the next one follows.
"""

from __future__ import annotations

from typing import TypeVar

from pydantic import JsonValue
from temporalio import workflow
from temporalio.exceptions import FailureError

from ...activities.control.undoing import UndoingActivities
from ...contracts import names
from ...contracts.text import cut, first_line
from ...contracts.wire.control.compensation import (
    CompensatedEffect,
    Compensation,
    EffectOutcome,
    TakenEffect,
    Undoing,
    UndoingCall,
)
from ...contracts.wire.control.reconcile_call import ReconcileCall, Reconciled
from ...contracts.wire.places import Place, undo_call_id
from ...contracts.wire.run import THE_RUN_WAS_CANCELLED, Result, Status
from ...contracts.wire.tool_call import ToolInvocation, ToolOutput, UndoneCall
from .. import policy
from ..concurrency import told_by, uninterrupted
from ..control.approvals import Approvals
from ..payload_limits import Outbox, PayloadTooLargeError
from ..run_context import has_context
from ..until_served import until_served
from .doubt import reconciled
from .effect_log import EffectLog, may_have_happened
from .made_call import make_call

T = TypeVar("T")

_MOST_REASON_CHARS = 500
_UNKNOWN = "nobody knows whether it was done"
_ENDED_UNHEARD = "it was ended from outside: what it did is not known"


class Compensator:
    """Undoes what was done in one workflow, and in the runs nested in it.

    A cancel that comes meanwhile does not stop it.

    Args:
        effects: What was done.
        approvals: Ask a person, where the undoing tool has an approval.
        outbox: Sends the calls.
    """

    def __init__(self, effects: EffectLog, approvals: Approvals, outbox: Outbox) -> None:
        self._effects = effects
        self._approvals = approvals
        self._outbox = outbox
        self._given_up: list[Place] = []
        self.code_gives_up = False
        """Whether the workflow is code of somebody's own, which may cancel what it started."""

    def give_up(self, place: Place) -> None:
        """Take note that the run goes on without what it cancels within a place."""
        self._given_up.append(place)

    def is_given_up(self, place: Place) -> bool:
        """Return whether the run goes on without what is cancelled at a place.

        Else somebody has cancelled the whole of it, and says whether it is to be undone.
        """
        reason = workflow.cancellation_reason()
        # What a person writes as the reason of a cancel means nothing here.
        is_told = reason == names.CANCEL_UNNEEDED and workflow.info().parent is not None
        if is_told or (reason is None and self.code_gives_up):
            return True
        return any(place.is_within(one) for one in self._given_up)

    def forget(self, place: Place) -> None:
        """Forget what was given up within a place that nothing will run in again."""
        self._given_up = [one for one in self._given_up if not one.is_within(place)]

    async def undo(self, place: Place) -> Compensation:
        """Undo what was done within a place and is not undone; return what became of it."""
        return await uninterrupted(self._undo(place))

    async def ended(self, place: Place, result: Result) -> Result:
        """Return what a run comes to, once all is undone where its cancel asks for that."""
        if workflow.cancellation_reason() != names.CANCEL_COMPENSATING:
            return result
        await self.undo(place)
        if result.status is Status.COMPLETED:
            # It had its result when the cancel came, and what that tells of is undone.
            result = result.model_copy(update={"status": Status.CANCELLED, "reason": THE_RUN_WAS_CANCELLED})
        return result

    async def _undo(self, place: Place) -> Compensation:
        return self._effects.came_to([await self._tried(effect, place) for effect in self._effects.take_within(place)])

    async def _tried(self, effect: TakenEffect, place: Place) -> CompensatedEffect:
        try:
            return await self._undone(effect, place)
        except Exception as error:  # noqa: BLE001 - a bug of ours must not keep the others from being undone
            return _became(effect, EffectOutcome.FAILED, reason=f"internal error: {type(error).__name__}: {error}")

    async def _undone(self, effect: TakenEffect, place: Place) -> CompensatedEffect:
        if not effect.undoable:
            return _left(effect)
        if effect.lost:
            return _became(effect, EffectOutcome.FAILED, reason=effect.lost)
        call_id = undo_call_id(self._effects.undo_number())
        output = ToolOutput(content=effect.content, incomplete=effect.incomplete)
        if effect.in_doubt:
            asked = ReconcileCall(name=effect.tool, call_id=effect.call_id, reply="", key=effect.key)
            found = await reconciled(asked, place.reconciliation(call_id)) if effect.reconciles else Reconciled()
            if found.not_done:
                return _became(effect, EffectOutcome.NOT_DONE)
            if found.output is None:
                return _became(effect, EffectOutcome.UNKNOWN, reason=_UNKNOWN)
            output = found.output
        try:
            undoing = await _how(effect, output, place.undoing(call_id))
        except FailureError as error:
            return _became(effect, EffectOutcome.FAILED, reason=told_by(error))
        if undoing.tool is None or undoing.refused:
            by = undoing.tool.name if undoing.tool else ""
            return _became(effect, EffectOutcome.FAILED, by, undoing.refused)
        return await self._called(effect, undoing, place, call_id)

    async def _called(self, effect: TakenEffect, undoing: Undoing, place: Place, call_id: str) -> CompensatedEffect:
        tool = undoing.tool
        assert tool  # noqa: S101 - asked before
        arguments: dict[str, JsonValue] = {
            name: effect.arguments[name] for name in undoing.takes if name in effect.arguments
        }
        invocation = ToolInvocation(
            call_id=call_id,
            reply=workflow.info().original_execution_run_id,
            arguments={**undoing.given, **arguments},
            context=has_context(),
            undoes=UndoneCall(path=effect.path, call_id=effect.call_id, key=effect.key),
        )
        try:
            output = await make_call(tool, place, invocation, self._approvals, self._outbox)
        except FailureError as error:
            unknown = may_have_happened(tool, error)
            outcome = EffectOutcome.UNKNOWN if unknown else EffectOutcome.FAILED
            why = f"whether {tool.name} undid it is unknown: {told_by(error)}" if unknown else told_by(error)
            return _became(effect, outcome, tool.name, why)
        except PayloadTooLargeError as error:
            return _became(effect, EffectOutcome.FAILED, tool.name, str(error))
        return _became(effect, EffectOutcome.UNDONE, tool.name, output.content)


async def _how(effect: TakenEffect, output: ToolOutput, activity_id: str) -> Undoing:
    """Return what undoes an effect, as a worker says.

    Raises:
        FailureError: None can say it.
    """
    call = UndoingCall(
        tool=effect.tool, has=tuple(effect.arguments), content=output.content, incomplete=output.incomplete
    )
    summary = first_line(f"what undoes {effect.tool}", 80)

    async def start(refused: int) -> Undoing:
        if refused:
            return await workflow.start_activity_method(
                UndoingActivities.ask,
                call,
                activity_id=activity_id,
                summary=summary,
                **policy.undoing_policy_elsewhere(),
            )
        return await workflow.start_local_activity_method(
            UndoingActivities.ask, call, activity_id=activity_id, summary=summary, **policy.undoing_policy()
        )

    return await until_served(start)


def _left(effect: TakenEffect) -> CompensatedEffect:
    """Return what becomes of an effect that nothing undoes."""
    if not effect.call_id:
        return _became(effect, EffectOutcome.UNKNOWN, reason=_ENDED_UNHEARD)
    return _became(effect, EffectOutcome.KEPT, reason=_UNKNOWN if effect.in_doubt else "")


def _became(effect: TakenEffect, outcome: EffectOutcome, by: str = "", reason: str = "") -> CompensatedEffect:
    return CompensatedEffect(
        tool=effect.tool,
        path=effect.path,
        call_id=effect.call_id,
        outcome=outcome,
        by=by,
        reason=cut(reason, _MOST_REASON_CHARS),
        more=effect.more,
    )
