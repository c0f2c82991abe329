"""Adds up what runnables used, and makes results of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..contracts.collection.citation import Citation
from ..contracts.wire.model_call import ModelReply
from ..contracts.wire.places import numbered
from ..contracts.wire.run import THE_RUN_WAS_CANCELLED, Result, Status, StepResult
from ..contracts.wire.totals import Totals


@dataclass(slots=True)
class Tally:
    """What one runnable used and what its parts came to."""

    totals: Totals = field(default_factory=Totals)
    turns: int = 0
    """Model calls that were answered."""
    steps: dict[str, StepResult] = field(default_factory=dict)
    citations: tuple[Citation, ...] = ()
    """Of all outputs that were taken in."""

    def reply(self, reply: ModelReply) -> None:
        """Take in a model call of the runnable itself."""
        self.totals += Totals.of(reply)
        self.turns += 1

    def charge(self, totals: Totals) -> None:
        """Take in what something beside the models cost, such as a search."""
        self.totals += totals

    def add(self, result: Result, step: str = "") -> Result:
        """Take in a nested result, as a step of that name if one is given; return it."""
        self.totals += result.totals
        self.turns += result.turns
        self.citations += tuple(one for one in result.citations if one not in self.citations)
        if step:
            self.steps[self._free(step)] = _step(result)
        return result

    def _free(self, step: str) -> str:
        """Return the name, with a number where another step has it."""
        taken = 1
        while (name := numbered(step, taken)) in self.steps:
            taken += 1
        return name

    def result(self, status: Status, reason: str = "", *, output: Any = None) -> Result:
        """Return a result with everything taken in so far."""
        return Result(
            status=status,
            output=output,
            reason=reason,
            turns=self.turns,
            usage=self.totals.usage,
            cost_usd=self.totals.cost_usd,
            unpriced_calls=self.totals.unpriced_calls,
            unsettled=self.totals.unsettled,
            steps=self.steps,
            citations=self.citations,
        )

    def cancelled(self, output: Any = None) -> Result:
        """Return the result of a run that was cancelled, with everything taken in so far."""
        return self.result(Status.CANCELLED, THE_RUN_WAS_CANCELLED, output=output)


def _step(result: Result) -> StepResult:
    return StepResult(
        status=result.status,
        output=None if result.passages else result.output,
        reason=result.reason,
        passages=result.passages,
        rejected=result.rejected,
    )
