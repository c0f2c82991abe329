"""What is held of an account for a call, until it is known what that cost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from temporalio import workflow

from ...contracts.wire.totals import Totals, Unsettled
from .amount import Amount

_KEPT: Final = timedelta(seconds=10)
"""So long, and up to twice, something is kept that one lender gave while another is asked."""


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


@asynccontextmanager
async def kept_meanwhile(balances: Sequence[Balance], amount: Amount) -> AsyncIterator[None]:
    """Hold an amount of some balances in the block, for some seconds at most.

    Where several lenders have to give for one call, what one gave would else be given back while the next is asked, and
    asked for again. Two calls that have what the other needs would wait for ever: the time is up to chance.
    """
    kept = [*balances]

    def let_go() -> None:
        for one in kept:
            one.held -= amount
        kept.clear()

    async def let_go_in_time() -> None:
        await workflow.sleep(_KEPT * workflow.random().uniform(1, 2))
        let_go()

    for one in kept:
        one.held += amount
    waiting = asyncio.create_task(let_go_in_time()) if kept else None
    try:
        yield
    finally:
        if waiting:
            waiting.cancel()
        let_go()


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
