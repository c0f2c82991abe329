"""What accounts are given from, and what is raised where that is not enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ...contracts.control.budget import WhenExhausted
from .amount import Amount

if TYPE_CHECKING:
    from .account import Account


class BudgetSpentError(Exception):
    """A call does not fit any more.

    Args:
        reason: Which budget is not enough, in words.
        limit: Which of its limits: `usd`, `tokens`, `turns` or `seconds`.
        on_exhausted: What it says is to happen then.
    """

    def __init__(self, reason: str, limit: str, on_exhausted: tuple[WhenExhausted, ...]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.limit = limit
        self.on_exhausted = on_exhausted


class WaitForTopUp(Protocol):
    """Waits for a top-up."""

    @property
    def until(self) -> float | None:
        """Seconds since 1970 until which it waits. None: as long as it takes."""
        ...

    async def topped_up(self, account: Account, spent: BudgetSpentError, missing: Amount) -> None:
        """Return once the limits of an account have changed.

        Args:
            account: Which one is not enough.
            spent: Why.
            missing: What is lacking.

        Raises:
            BudgetSpentError: They did not in time.
        """
        ...


class Lender(Protocol):
    """What gives to an account bit by bit: the run above, or a ledger."""

    async def more(self, account: Account, amount: Amount, what: str, *, last: bool, wait: WaitForTopUp | None) -> None:
        """Return once the account has been given more.

        Args:
            account: Which one.
            amount: What is needed.
            what: What it is for, in words.
            last: Whether it is for a last answer, for which a part was kept.
            wait: Waits for a top-up where there is not enough. None: that is not waited for.

        Raises:
            BudgetSpentError: It gives nothing.
        """
        ...
