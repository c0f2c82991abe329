"""Limits, and what of them is spent and held."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...contracts.control.budget import Envelope
from .amount import NEXT_TO_NOTHING, Amount
from .hold import Balance

_MICRO = 1_000_000


@dataclass(slots=True, eq=False, kw_only=True)
class Limited(Balance):
    """What has limits, of which some is spent and some is held.

    None: as much as anybody likes.
    """

    title: str
    """What it is, for messages."""
    usd: float | None = None
    tokens: int | None = None
    turns: int | None = None
    keep: float = 0.0
    """Which part is kept for a last call."""

    def most(self, *, last: bool = False) -> Envelope:
        """Return its limits.

        Args:
            last: Whether for a last call, for which a part is kept.
        """
        if last or not self.keep:
            return Envelope(usd=self.usd, tokens=self.tokens, turns=self.turns)
        part = 1 - self.keep
        return Envelope(
            usd=None if self.usd is None else self.usd * part,
            tokens=None if self.tokens is None else int(self.tokens * part),
            turns=None if self.turns is None else self.turns - 1,
        )

    def exceeded(self, amount: Amount, *, last: bool) -> str:
        """Return which of its limits so much exceeds in all; empty where none."""
        most = self.most(last=last)
        if most.usd is not None and amount.usd > most.usd + NEXT_TO_NOTHING:
            return "usd"
        if most.tokens is not None and amount.tokens > most.tokens:
            return "tokens"
        if most.turns is not None and amount.turns > most.turns:
            return "turns"
        return ""

    def missing(self, amount: Amount, *, last: bool) -> Amount:
        """Return what has to be allowed beside what is left, for so much more.

        Of more a part is kept as well.
        """
        most, taken = self.most(last=last), self.spent + self.held + amount
        part = 1.0 if last else 1 - self.keep
        usd = 0.0 if most.usd is None else max(taken.usd - most.usd, 0.0) / part
        tokens = 0.0 if most.tokens is None else max(taken.tokens - most.tokens, 0) / part
        turns = 0 if most.turns is None else max(taken.turns - most.turns, 0)
        return Amount(math.ceil(usd * _MICRO) / _MICRO, math.ceil(tokens), turns)

    def left(self, *, last: bool = False) -> Envelope:
        """Return what is neither spent nor held. None: as much as anybody likes."""
        most, taken = self.most(last=last), self.spent + self.held
        return Envelope(
            usd=None if most.usd is None else max(most.usd - taken.usd, 0.0),
            tokens=None if most.tokens is None else max(most.tokens - taken.tokens, 0),
            turns=None if most.turns is None else max(most.turns - taken.turns, 0),
        )

    def idle(self) -> Amount:
        """Return what is left of its limits, and held by nothing.

        Of what is not limited, nothing.
        """
        left = self.left(last=True)
        return Amount(left.usd or 0.0, left.tokens or 0, left.turns or 0)

    def within(self, amount: Amount, part: float = 1.0) -> Amount:
        """Return as much of an amount as is no more than that part of what is left."""
        left = self.left()
        return Amount(
            amount.usd if left.usd is None else min(amount.usd, left.usd * part),
            amount.tokens if left.tokens is None else min(amount.tokens, int(left.tokens * part)),
            amount.turns if left.turns is None else min(amount.turns, int(left.turns * part)),
        )

    def limited(self, amount: Amount) -> Amount:
        """Return what of an amount it limits."""
        return Amount(
            amount.usd if self.usd is not None else 0.0,
            amount.tokens if self.tokens is not None else 0,
            amount.turns if self.turns is not None else 0,
        )

    def close_up(self) -> None:
        """Lower its limits to what is spent and held, or raise them where more was spent."""
        taken = self.spent + self.held
        self.usd = None if self.usd is None else taken.usd
        self.tokens = None if self.tokens is None else taken.tokens
        self.turns = None if self.turns is None else taken.turns

    def change(self, by: Amount) -> None:
        """Raise its limits, or lower them by a negative amount."""
        self.usd = None if self.usd is None else self.usd + by.usd
        self.tokens = None if self.tokens is None else self.tokens + by.tokens
        self.turns = None if self.turns is None else self.turns + by.turns

    def used(self) -> tuple[float, str]:
        """Return which part of its tightest limit is spent, and which limit that is."""
        limits = (("usd", self.usd, self.spent.usd), ("tokens", self.tokens, self.spent.tokens))
        parts = [(0.0, "")]
        for name, most, spent in (*limits, ("turns", self.turns, self.spent.turns)):
            if most:
                parts.append((spent / most, name))
        return max(parts)

    def why_not_enough(self, amount: Amount, limit: str, what: str, *, last: bool) -> str:
        """Return in words why it is not enough for something.

        Args:
            amount: What that may cost.
            limit: Which limit is too tight.
            what: What it is, in words.
            last: Whether it is for a last call, for which a part is kept.
        """
        keep = 0.0 if last else self.keep
        if limit == "usd" and self.usd is not None:
            kept = f", ${self.usd * keep:.4f} is kept for a last answer" if keep else ""
            used = f"${self.spent.usd:.4f} of ${self.usd:.4f} is spent{kept}, and {what} may cost up to "
            used += f"${amount.usd:.4f}"
        elif limit == "tokens" and self.tokens is not None:
            kept = f", {int(self.tokens * keep):,} are kept for a last answer" if keep else ""
            used = f"{self.spent.tokens:,} of {self.tokens:,} tokens are spent{kept}, and {what} may take up to "
            used += f"{amount.tokens:,}"
        elif limit == "turns":
            kept = ", and one is kept for a last answer" if keep else ""
            used = f"{self.spent.turns:,} of {self.turns:,} model calls are made{kept}"
        else:
            used = "its time is over"
        return f"{self.title} is not enough: {used}"
