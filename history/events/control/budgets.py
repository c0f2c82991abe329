"""Reads from model calls what budgets had left.

And what happened once that was not enough.

Pure: does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterator

from ....contracts.wire.control.budget_event import BudgetSpent, BudgetWarned
from ....contracts.wire.model_call import NEARLY_SPENT, ModelCall
from ....contracts.wire.run import Result
from ..history_event import RecordedEvent
from ..outcome import Accumulated
from ..transcript import RebuiltTranscript


def read_allowance(
    recorded: RecordedEvent, call: ModelCall, transcript: RebuiltTranscript, so_far: Accumulated
) -> Iterator[BudgetWarned | BudgetSpent]:
    """Yield what a model call tells of the budgets that it is charged to."""
    if call.allowance is None:
        return
    allowance, path = call.allowance, call.transcript
    if allowance.used >= NEARLY_SPENT and allowance.limit not in so_far.warned:
        so_far.warned.add(allowance.limit)
        yield BudgetWarned(**recorded.stamp(path), limit=allowance.limit, used=allowance.used)
    if call.instead and call.instead != transcript.instead:
        yield BudgetSpent(**recorded.stamp(path), then="degrade", model=call.instead.name)
    if call.last:
        so_far.finished = True
        yield BudgetSpent(**recorded.stamp(path), then="finish")


def read_exhausted(recorded: RecordedEvent, path: str, result: Result, so_far: Accumulated) -> Iterator[BudgetSpent]:
    """Yield that a run ends for want of budget, where no last answer was told."""
    if result.exhausted and not so_far.finished:
        yield BudgetSpent(**recorded.stamp(path), then="stop", reason=result.reason)
