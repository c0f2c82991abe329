"""The events of budgets."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ...text import plural
from ..event_base import EventBase


class BudgetWarned(EventBase):
    """Four fifths of a limit are spent; told once of each limit."""

    type: Literal["budget.warned"] = "budget.warned"
    limit: str
    """Which limit, and whose, such as `usd of 'support'`."""
    used: float
    """Which part of it is spent, 0 to 1."""

    @property
    def words(self) -> str:
        """It for a person."""
        return f"{self.used:.0%} of the {self.limit} is spent"


class BudgetSpent(EventBase):
    """A budget is not enough for the next call."""

    type: Literal["budget.spent"] = "budget.spent"
    then: Literal["degrade", "ask", "finish", "stop"]
    """What happens: it goes on with another model, waits for a top-up, answers for the last time, or ends."""
    model: str = ""
    """The model that it goes on with."""
    reason: str = ""
    """Which budget is not enough, in words, where it waits or ends."""
    expires: datetime | None = None
    """When a top-up is waited for no more. None: never."""

    @property
    def words(self) -> str:
        """It for a person."""
        match self.then:
            case "degrade":
                return f"the budget is not enough: it goes on with {self.model}"
            case "ask":
                until = f" until {self.expires:%Y-%m-%d %H:%M:%S} UTC" if self.expires else ""
                return f"{self.reason}: it waits{until} for a top-up"
            case "finish":
                return "the budget is not enough: it answers for the last time"
        return self.reason


class BudgetToppedUp(EventBase):
    """Somebody allowed a budget more."""

    type: Literal["budget.topped_up"] = "budget.topped_up"
    usd: float = 0.0
    """US dollars."""
    tokens: int = 0
    """Tokens in and out."""
    turns: int = 0
    """Model calls."""
    seconds: float = 0.0
    by: str
    """Who did, as they said."""
    note: str = ""
    """Why."""

    @property
    def words(self) -> str:
        """It for a person."""
        what = told_amounts(self.usd, self.tokens, self.turns, self.seconds)
        return f"{self.by} topped the budget up by {what}{f': {self.note}' if self.note else ''}"


def told_amounts(usd: float = 0.0, tokens: int = 0, turns: int = 0, seconds: float = 0.0) -> str:
    """Return in words how much of what budgets limit, such as `$0.5, 2 turns`."""
    said = (
        (usd, f"${usd:g}"),
        (tokens, plural(tokens, "token")),
        (turns, plural(turns, "turn")),
        (seconds, f"{seconds:g} s"),
    )
    return ", ".join(words for amount, words in said if amount)
