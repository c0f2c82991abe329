"""Amounts of what budgets limit."""

from __future__ import annotations

from dataclasses import dataclass

from ...contracts.wire.control.share import Portion
from ...contracts.wire.totals import Totals, Unsettled


@dataclass(frozen=True, slots=True)
class Amount:
    """What calls cost, or may cost. Adds up with `+`; with `-` what is left."""

    usd: float = 0.0
    tokens: int = 0
    turns: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.usd + other.usd, self.tokens + other.tokens, self.turns + other.turns)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.usd - other.usd, self.tokens - other.tokens, self.turns - other.turns)

    @classmethod
    def of(cls, totals: Totals, turns: int) -> Amount:
        """Return what something came to, its calls without an answer included."""
        lost = totals.unsettled or Unsettled()
        tokens = totals.usage.total_tokens
        return cls(totals.cost_usd + lost.usd, tokens + lost.tokens, turns + lost.calls)

    @classmethod
    def shared(cls, share: Portion) -> Amount:
        """Return what a nested run asks for, or is given."""
        return cls(share.usd, share.tokens, share.turns)

    @property
    def share(self) -> Portion:
        """It, as it is sent."""
        return Portion(usd=self.usd, tokens=self.tokens, turns=self.turns)
