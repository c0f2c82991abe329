"""What is raised where a budget is not enough."""

from __future__ import annotations

from ...contracts.control.budget import WhenExhausted


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
