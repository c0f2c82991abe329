"""The events of budgets."""

from __future__ import annotations

from typing import Literal

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
    then: Literal["degrade", "finish", "stop"]
    """What happens: it goes on with another model, answers for the last time, or ends."""
    model: str = ""
    """The model that it goes on with."""
    reason: str = ""
    """Which budget is not enough, in words, where it ends."""

    @property
    def words(self) -> str:
        """It for a person."""
        match self.then:
            case "degrade":
                return f"the budget is not enough: it goes on with {self.model}"
            case "finish":
                return "the budget is not enough: it answers for the last time"
        return self.reason
