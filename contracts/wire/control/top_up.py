"""A budget that waits for a top-up, and the top-up."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from ...contract import Contract
from ...limits import LONGEST_WAIT
from .share import Portion


class TopUpAsked(Contract):
    """A budget waits until somebody allows more."""

    path: str
    """Place in the runnable tree of what the budget is of."""
    limit: str
    """Which of its limits is not enough: `usd`, `tokens`, `turns` or `seconds`."""
    reason: str
    """Why, in words."""
    missing: Portion = Portion()
    """What the next call may take beyond what is left; nothing of time."""
    expires: datetime | None = None
    """When it is waited no more. None: never."""
    ledger: str = ""
    """Name of the ledger that is not enough, and is to be topped up. Empty: the budget itself is not."""


class TopUpsAsked(Contract):
    """What waits for a top-up in one workflow: in its memo while it does."""

    waiting: tuple[TopUpAsked, ...] = ()
    more: int = 0
    """How many others wait that are not told."""


class PendingTopUp(TopUpAsked):
    """A budget that waits for a top-up, and whose it is."""

    run_id: str
    """Id of the run or the chat: of a nested run, its own."""
    since: datetime
    """When it began to wait."""

    @property
    def words(self) -> str:
        """What it waits for, for a person."""
        until = f" until {self.expires:%Y-%m-%d %H:%M:%S} UTC" if self.expires else ""
        return f"a top-up{until}: {self.reason}"


class TopUp(Contract):
    """What a budget may spend beside what it says.

    Update to the workflow whose budget it is.
    """

    usd: float = Field(default=0.0, ge=0, le=1e9, allow_inf_nan=False)
    """US dollars."""
    tokens: int = Field(default=0, ge=0, le=10**12)
    """Tokens in and out."""
    turns: int = Field(default=0, ge=0, le=10**9)
    """Model calls."""
    seconds: float = Field(default=0.0, ge=0, le=LONGEST_WAIT.total_seconds(), allow_inf_nan=False)
    by: str
    """Who allows it, as they say: nothing checks it."""
    note: str = ""
    """Why."""
    path: str = ""
    """Place of the budget. Empty: the one that waits, or where none does, that of the whole run."""


class ToppedUp(Contract):
    """What came of a top-up that was taken."""

    path: str
    """Place of the budget."""
    still: str = ""
    """Why it is not enough yet, in words; empty where what waited goes on, or where nothing did."""


class TakenTopUp(Contract):
    """A top-up that was taken, as the next execution has to know it."""

    id: str
    path: str
    """Place of the budget."""


class DrawnBlock(Contract):
    """What a run has of a ledger."""

    given: Portion
    """What the ledger gave and was not given back: as much may be spent in all."""
    told: Portion
    """What of it the ledger knows to be spent."""
    recalled: bool = False
    """Whether it wants back what is not needed, and was given nothing yet."""


class CarriedBudget(Contract):
    """What the next execution has to know of a budget."""

    topped_up: Portion = Portion()
    """What it was allowed beside."""
    until: float | None = None
    """Seconds since 1970 at which its time is over."""
    drawn: DrawnBlock | None = None
    """Of what spends from a ledger, what it has of that."""
