"""What calls that cost something add up to."""

from __future__ import annotations

from typing import Final

from ..contract import Contract
from ..usage import Usage
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


class Totals(Contract):
    """What a run has used so far. Adds up with `+`."""

    usage: Usage = Usage()
    cost_usd: float = 0.0
    """US dollars, of the calls whose price is known."""
    unpriced_calls: int = 0
    """Calls of models and rerankers whose price is not known: they cost something that `cost_usd` lacks."""

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
        )

    @property
    def told(self) -> str:
        """It in words, such as `1,200 tokens, $0.0012`; empty where nothing was used."""
        said = []
        if self.usage.total_tokens:
            said.append(f"{self.usage.total_tokens:,} tokens")
        if self.cost_usd:
            said.append(f"${self.cost_usd:.4f}" if self.cost_usd >= 0.0001 else "under $0.0001")
        if self.unpriced_calls:
            # Nothing known is not the same as free.
            said.append(f"{self.unpriced_calls:,} of unknown price")
        return ", ".join(said)
