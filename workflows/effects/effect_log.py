"""What was done in one workflow that may have to be undone.

And in the runs nested in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ApplicationError, is_cancelled_exception

from ...contracts import names
from ...contracts.tool import Effect, ToolSpec
from ...contracts.wire.control.compensation import CompensatedEffect, Compensation, TakenEffect, TakenEffects
from ...contracts.wire.control.reconcile_call import Reconciled
from ...contracts.wire.places import Place
from ...contracts.wire.run import Carried, Result
from ...contracts.wire.tool_call import ToolInvocation, ToolOutput, edited_words
from ..concurrency import cause_of

_MOST_KEPT = 100
"""So many effects that nothing undoes are told one by one."""
NOT_BEGUN: Final = (names.NOT_SERVED, "NotFoundError")
"""Types of the failures of calls that no worker could begin; the latter is the SDK's, of workers before 0.3."""


def may_have_happened(tool: ToolSpec, error: BaseException) -> bool:
    """Return whether a call that failed may have changed something all the same."""
    if tool.effect is Effect.READ:
        return False
    cause = cause_of(error)
    if is_cancelled_exception(error) or not isinstance(cause, ApplicationError):
        return True
    if cause.type == names.TOOL_FAILED:
        return names.OUTCOME_UNKNOWN in cause.details
    return cause.type not in NOT_BEGUN


class EffectLog:
    """What was done in a workflow and is not undone."""

    def __init__(self) -> None:
        self.compensated: Compensation | None = None
        """Everything that was undone, or was to be; None where nothing was to be."""
        self._taken: list[TakenEffect] = []
        self._more_kept = 0
        self._undone = 0

    def took(self, tool: ToolSpec, place: Place, invocation: ToolInvocation, output: ToolOutput) -> None:
        """Take in a call that was made, unless its tool only reads.

        Args:
            tool: What was called.
            place: Of the agent, or of the workflow, whose call it was.
            invocation: With what.
            output: What it came to.
        """
        if tool.effect is Effect.READ:
            return
        content = output.content
        if invocation.edited:
            content = content.removeprefix(f"{edited_words(invocation.arguments)}\n")
        taken = _effect(tool, place, invocation)
        self._add([taken.model_copy(update=_kept(taken, output.model_copy(update={"content": content})))])

    def doubted(self, tool: ToolSpec, place: Place, invocation: ToolInvocation) -> TakenEffect:
        """Take in a call of which nobody knows what came of it; return it as it is kept."""
        taken = _effect(tool, place, invocation)
        taken = taken.model_copy(update={"in_doubt": True, "reconciles": tool.reconciles})
        self._add([taken])
        return taken

    def heard(self, doubted: TakenEffect, found: Reconciled) -> None:
        """Take in what a tool says of a call in doubt.

        Of one that is being undone already nothing is to be taken in.
        """
        if not (found.output or found.not_done):
            return
        known = doubted.model_copy(update={"in_doubt": False, "reconciles": False, **_kept(doubted, found.output)})
        left = () if found.not_done else (known,)
        self._taken = [one for each in self._taken for one in (left if each is doubted else (each,))]

    def nested(self, place: Place, result: Result) -> Result:
        """Take in what a nested run did; return its result without that."""
        self._go_on(result.effects, result.compensated)
        if result.ended_unheard:
            at = workflow.now().timestamp()
            self._add([TakenEffect(tool=place.unnumbered_name, path=place, at=at, in_doubt=True)])
        return result.model_copy(update={"effects": TakenEffects()})

    def resume(self, carried: Carried) -> None:
        """Go on from where an earlier execution of the workflow left off."""
        self._go_on(carried.effects, carried.compensated)

    def forget(self, place: Place) -> None:
        """Forget what was done within a place: nothing will undo it any more."""
        self._taken = [one for one in self._taken if not Place(one.path).is_within(place)]
        self.compensated, self._more_kept = None, 0

    def take_within(self, place: Place) -> list[TakenEffect]:
        """Return what was done within a place, the last first; it is to be undone now."""
        found = [one for one in self._taken if Place(one.path).is_within(place)]
        self._taken = [one for one in self._taken if not Place(one.path).is_within(place)]
        # What was done at one moment stands in the order in which it was told.
        found.sort(key=lambda one: one.at)
        found.reverse()
        return found

    def undo_number(self) -> int:
        """Return the number of one more call that undoes another, from 1."""
        self._undone += 1
        return self._undone

    def came_to(self, effects: Iterable[CompensatedEffect]) -> Compensation:
        """Take in what became of what was to be undone; return it."""
        compensation = Compensation(effects=tuple(effects), more_kept=self._more_kept)
        self._more_kept = 0
        self.compensated = compensation if self.compensated is None else self.compensated + compensation
        return compensation

    def left(self) -> TakenEffects:
        """Return what was done and is not undone yet."""
        return TakenEffects(taken=tuple(self._taken), more_kept=self._more_kept)

    def _go_on(self, effects: TakenEffects, compensated: Compensation | None) -> None:
        self._add(effects.taken)
        self._more_kept += effects.more_kept
        if compensated:
            self.compensated = compensated if self.compensated is None else self.compensated + compensated

    def _add(self, effects: Iterable[TakenEffect]) -> None:
        self._taken += effects
        kept = [one for one in self._taken if not one.undoable]
        for one in kept[: max(len(kept) - _MOST_KEPT, 0)]:
            self._taken.remove(one)
            self._more_kept += 1


def _kept(taken: TakenEffect, output: ToolOutput | None) -> dict[str, str]:
    """Return what is kept of what a call came to: what undoes it may want that."""
    return {"content": output.content, "incomplete": output.incomplete} if taken.undoable and output else {}


def _effect(tool: ToolSpec, place: Place, invocation: ToolInvocation) -> TakenEffect:
    taken = TakenEffect(tool=tool.name, path=place, call_id=invocation.call_id, at=workflow.now().timestamp())
    if not tool.compensate:
        return taken
    key = invocation.key_in(workflow.info().workflow_id)
    return taken.model_copy(update={"undoable": True, "key": key, "arguments": dict(invocation.arguments)})
