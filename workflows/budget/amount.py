"""Amounts of what budgets limit."""

from __future__ import annotations

from dataclasses import dataclass

from ...contracts.wire.control.share import Portion
from ...contracts.wire.totals import Totals

NEXT_TO_NOTHING = 1e-9
"""US dollars. Sums of floats in another order differ by less."""


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

    def times(self, count: int) -> Amount:
        """Return it so many times."""
        return Amount(self.usd * count, self.tokens * count, self.turns * count)

    @property
    def is_nothing(self) -> bool:
        """Whether it is no more than what sums of floats leave."""
        return self.usd <= NEXT_TO_NOTHING and self.tokens <= 0 and self.turns <= 0

    def least(self, other: Amount) -> Amount:
        """Return the lesser of both in each, and nothing where that is negative."""
        return Amount(
            max(min(self.usd, other.usd), 0.0),
            max(min(self.tokens, other.tokens), 0),
            max(min(self.turns, other.turns), 0),
        )

    @classmethod
    def of(cls, totals: Totals, turns: int) -> Amount:
        """Return what something came to, its calls without an answer included."""
        usd, tokens, calls = totals.charged
        return cls(usd, tokens, turns + calls)

    @classmethod
    def shared(cls, share: Portion) -> Amount:
        """Return what a nested run asks for, or is given."""
        return cls(share.usd, share.tokens, share.turns)

    @property
    def share(self) -> Portion:
        """It, as it is sent."""
        return Portion(usd=self.usd, tokens=self.tokens, turns=self.turns)
