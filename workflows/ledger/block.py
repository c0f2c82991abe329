"""What one run has of a ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nlargest

from ...contracts.wire.control.ledger import LedgerBlock, LedgerPart
from ..budget.amount import Amount


@dataclass(slots=True, eq=False)
class Block:
    """What one run has of the ledger."""

    run_id: str
    execution: str
    held: Amount
    spent: Amount
    """What it told to have spent, in all periods."""
    recalled: bool = False
    """Whether it was asked to give back what it does not need, and has not yet."""
    is_silent: bool = False
    """Whether it has told nothing since it was looked for runs that do not."""

    @property
    def told(self) -> LedgerBlock:
        """It, as it is sent."""
        return LedgerBlock(
            run_id=self.run_id,
            execution=self.execution,
            held=self.held.share,
            spent=self.spent.share,
            recalled=self.recalled,
        )

    @classmethod
    def of(cls, told: LedgerBlock) -> Block:
        """Return what an earlier execution of the ledger knew."""
        held, spent = Amount.shared(told.held), Amount.shared(told.spent)
        return cls(told.run_id, told.execution, held=held, spent=spent, recalled=told.recalled)


def most_held(blocks: Iterable[Block], most: int) -> tuple[LedgerPart, ...]:
    """Return what of the ledger so many runs have, those first that have most."""
    found = nlargest(most, blocks, key=lambda one: (one.held.usd, one.held.tokens, one.held.turns))
    return tuple(LedgerPart(run_id=one.run_id, amount=one.held.share) for one in found)
