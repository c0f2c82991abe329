"""What calls that cost something add up to."""

from __future__ import annotations

from typing import Final, Literal

from ..contract import Contract
from ..control.usage import Usage
from .model_call import ModelReply

SPENT: Final = "spent"
"""Where the heartbeats of an activity say what it has spent."""


class Charged(Contract):
    """Something that cost something, with the names that the cost has everywhere."""

    usage: Usage = Usage()
    cost_usd: float = 0.0
    """US dollars, of the calls whose price is known."""
    unpriced_calls: int = 0
    """Calls whose price is not known: they cost something that `cost_usd` lacks."""

    @property
    def totals(self) -> Totals:
        """What it cost, to be added up."""
        return Totals(usage=self.usage, cost_usd=self.cost_usd, unpriced_calls=self.unpriced_calls)


class StepStage(Charged):
    """A part of a step that asks a model of its own, such as the embedding of a query."""

    kind: Literal["embeddings", "rerank"]
    model: str
    """`provider/model`; of a reranker its name."""
    after_seconds: float = 0.0
    """Seconds from the beginning of the step."""
    seconds: float = 0.0


class Staged(Charged):
    """Something that cost something, with what its stages took."""

    stages: tuple[StepStage, ...] = ()
    """Those of the attempt that had the outcome, in order."""

    @property
    def beside_stages(self) -> Totals:
        """What no stage tells: what the attempts before have cost."""
        return self.totals - sum((stage.totals for stage in self.stages), Totals())


class Unsettled(Contract):
    """Model calls under a budget of which nobody knows what they cost.

    Such as one whose worker died. The most that they can have cost is charged to the budget.
    """

    calls: int = 0
    usd: float = 0.0
    """US dollars charged for them. They stand in no `cost_usd`."""
    tokens: int = 0
    """Tokens charged for them, in and out."""


class Totals(Contract):
    """What a run has used so far.

    Adds up with `+`; with `-` what is left beside a part of it.
    """

    usage: Usage = Usage()
    cost_usd: float = 0.0
    """US dollars, of the calls whose price is known."""
    unpriced_calls: int = 0
    """Calls of models and rerankers whose price is not known: they cost something that `cost_usd` lacks."""
    unsettled: Unsettled | None = None
    """What is charged to budgets beside that."""

    @property
    def charged(self) -> tuple[float, int, int]:
        """What budgets are charged: US dollars, tokens, and calls without an answer."""
        lost = self.unsettled or Unsettled()
        return self.cost_usd + lost.usd, self.usage.total_tokens + lost.tokens, lost.calls

    @classmethod
    def of(cls, reply: ModelReply) -> Totals:
        """Return what one model call used."""
        return cls.call(reply.usage, reply.cost_usd)

    @classmethod
    def call(cls, usage: Usage, cost_usd: float | None) -> Totals:
        """Return what one call used; of one without a cost the price is not known."""
        return cls(usage=usage, cost_usd=cost_usd or 0.0, unpriced_calls=int(cost_usd is None))

    def __add__(self, other: Totals) -> Totals:
        return Totals(
            usage=self.usage + other.usage,
            cost_usd=self.cost_usd + other.cost_usd,
            unpriced_calls=self.unpriced_calls + other.unpriced_calls,
            unsettled=_sum(self.unsettled, other.unsettled),
        )

    def __sub__(self, part: Totals) -> Totals:
        cost = self.cost_usd - part.cost_usd
        return Totals(
            usage=self.usage - part.usage,
            # Sums of floats in another order differ by their last digits.
            cost_usd=cost if cost > 1e-12 else 0.0,
            unpriced_calls=max(self.unpriced_calls - part.unpriced_calls, 0),
            unsettled=None if self.unsettled == part.unsettled else self.unsettled,
        )

    @property
    def told(self) -> str:
        """It in words, such as `1,200 tokens, $0.0012`; empty where nothing was used."""
        said = []
        if self.usage.total_tokens:
            said.append(f"{self.usage.total_tokens:,} tokens")
        if self.cost_usd:
            said.append(f"${self.cost_usd:.4f}" if self.cost_usd >= 0.0001 else "under $0.0001")
        if self.unsettled:
            said.append(f"up to ${self.unsettled.usd:.4f} more for {self.unsettled.calls:,} of unknown end")
        if self.unpriced_calls:
            # Nothing known is not the same as free.
            said.append(f"{self.unpriced_calls:,} of unknown price")
        return ", ".join(said)


def _sum(one: Unsettled | None, other: Unsettled | None) -> Unsettled | None:
    if one is None or other is None:
        return one or other
    return Unsettled(calls=one.calls + other.calls, usd=one.usd + other.usd, tokens=one.tokens + other.tokens)
