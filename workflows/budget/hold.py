"""What is held of an account for a call, until it is known what that cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...contracts.wire.totals import Totals, Unsettled
from .amount import Amount


@dataclass(slots=True, eq=False, kw_only=True)
class Balance:
    """What of something was spent, and what of it is held."""

    spent: Amount = field(default_factory=Amount)
    held: Amount = field(default_factory=Amount)


@dataclass(slots=True, eq=False)
class Hold:
    """What is held for one call or nested run, until it is settled."""

    balances: Sequence[Balance]
    """Of all accounts that it is charged to."""
    amount: Amount
    is_open: bool = True
    spent: Amount = field(default_factory=Amount)
    """What of it is charged already."""

    def settle(self, actual: Amount) -> None:
        """Charge what it did cost in all, and give back the rest."""
        if not self.is_open:
            return
        self.is_open = False
        for one in self.balances:
            one.held -= self.amount
            one.spent += actual - self.spent

    def release(self) -> None:
        """Give it all back: nothing was spent."""
        self.settle(Amount())

    def lose(self, told: Totals | None = None, *, answered: bool = False) -> Totals:
        """Charge all of it, as nobody knows what the call cost; return that as totals.

        Args:
            told: As much of it as was told, which is returned as that.
            answered: Whether the call has an answer all the same, which counts it.
        """
        lost, told = self.spent + self.amount, told or Totals()
        self.settle(lost)
        return told + unsettled_beside(lost, told, answered=answered)

    def shrink(self, back: Amount, spent: Amount) -> None:
        """Give a part of it back, and charge another part."""
        for one in self.balances:
            one.held -= back + spent
            one.spent += spent
        self.amount -= back + spent
        self.spent += spent

    def grow(self, by: Amount) -> None:
        """Hold more, which is known to be there."""
        for one in self.balances:
            one.held += by
        self.amount += by

    def join(self, other: Hold) -> None:
        """Take over what another hold has, on the same account."""
        self.amount += other.amount
        other.is_open = False


def unsettled_beside(charged: Amount, told: Totals, *, answered: bool = False) -> Totals:
    """Return what is charged beside what was told of a call.

    Args:
        charged: All that is charged for it.
        told: What was told.
        answered: Whether it has an answer, which counts it.
    """
    known = Amount.of(told, 0)
    usd, tokens = max(charged.usd - known.usd, 0.0), max(charged.tokens - known.tokens, 0)
    return Totals(unsettled=Unsettled(calls=0 if answered else charged.turns, usd=usd, tokens=tokens))
