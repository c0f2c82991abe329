"""Keeps accounts of what may be spent, is held, and was spent."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from temporalio import workflow

from ...contracts.control.budget import Budget, Envelope, WhenExhausted
from ...contracts.wire.control.top_up import CarriedBudget
from ...contracts.wire.places import Place
from .amount import Amount
from .hold import Balance, Hold
from .words import why_not_enough

Limit = TypeVar("Limit", int, float)

_MICRO = 1_000_000

_NEXT_TO_NOTHING = 1e-9
"""US dollars. Sums of floats in another order differ by less."""


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


More = Callable[["Account", Amount, str, bool, "WaitForTopUp | None"], Awaitable[None]]
"""Asks for more: for an account, how much, for what, whether for a last answer, and what waits for a top-up if any.

Raises a `BudgetSpentError` where there is none."""


@dataclass(slots=True, eq=False)
class Account(Balance):
    """What a place in the runnable tree may spend, within those above it.

    Invariant: what was spent and what is held together are never more than its limits.
    """

    owner: str
    """Whose it is, for messages."""
    place: str = ""
    """Where that is in the runnable tree."""
    usd: float | None = None
    tokens: int | None = None
    turns: int | None = None
    until: float | None = None
    """Seconds since 1970 at which no further call begins."""
    keep: float = 0.0
    """Which part is kept for a last call."""
    on_exhausted: tuple[WhenExhausted, ...] = ()
    above: Account | None = None
    more: More | None = None
    """Asks what gave it for more, where something did."""
    whole: Envelope | None = None
    """What it was given at first."""
    topped_up: Amount = field(default_factory=Amount)
    """What it was allowed beside what the budget says."""
    top_ups: int = 0
    told: Amount = field(default_factory=Amount)
    """What of it what started the workflow knows to be spent."""
    sharers: int = 1
    """How many are at work at once, and are to have a part of what is left."""

    @classmethod
    def opened(cls, place: Place, budget: Budget, above: Account | None, *, began: float) -> Account:
        """Return the account of a runnable that begins.

        Args:
            place: Where it runs.
            budget: What it says.
            above: The account that it is charged to as well.
            began: Seconds since 1970 at which it began.
        """
        usd, tokens = budget.usd, budget.tokens
        if budget.share is not None and above is not None:
            whole = above.unspent()
            usd = _least(usd, None if whole.usd is None else whole.usd * budget.share)
            tokens = _least(tokens, None if whole.tokens is None else int(whole.tokens * budget.share))
        return cls(
            _owner(place),
            place,
            usd=usd,
            tokens=tokens,
            turns=budget.turns,
            until=None if budget.seconds is None else began + budget.seconds,
            keep=budget.keep,
            on_exhausted=budget.on_exhausted,
            above=above,
        )

    @classmethod
    def of_envelope(cls, place: Place, envelope: Envelope, more: More) -> Account:
        """Return the account of a nested run: what it was given by what started it."""
        given = envelope.model_dump(include={"usd", "tokens", "turns", "until"})
        told = Amount(envelope.told_usd, envelope.told_tokens, envelope.told_turns)
        given |= {"on_exhausted": envelope.on_exhausted, "whole": envelope}
        return cls(_owner(place), place, **given, more=more, told=told)

    def envelope(self) -> Envelope | None:
        """Return what it was given, as it is now; None where it was given by nothing."""
        if self.whole is None:
            return None
        now = {"usd": self.usd, "tokens": self.tokens, "turns": self.turns}
        told = {"told_usd": self.told.usd, "told_tokens": self.told.tokens, "told_turns": self.told.turns}
        return self.whole.model_copy(update={**now, **told})

    def resume(self, spent: Amount, carried: Iterable[CarriedBudget]) -> None:
        """Go on from where an earlier execution of the workflow left off.

        Args:
            spent: What it had spent.
            carried: What it, and each account above it, was changed to meanwhile.
        """
        for one, before in zip(self.with_those_above(), carried, strict=False):
            one.spent, one.until = spent, before.until
            one.top_up(Amount.shared(before.topped_up), 0.0)

    @property
    def carried(self) -> tuple[CarriedBudget, ...]:
        """What the next execution has to know of it, and of each one above it."""
        each = self.with_those_above()
        return tuple(CarriedBudget(topped_up=one.topped_up.share, until=one.until) for one in each)

    def with_those_above(self) -> Iterator[Account]:
        """Yield it, then each account that is charged as well, the outermost last."""
        account: Account | None = self
        while account is not None:
            yield account
            account = account.above

    @property
    def counts_usd(self) -> bool:
        """Whether US dollars are limited, here or above."""
        return any(one.usd is not None for one in self.with_those_above())

    def left(self, *, last: bool = False) -> Envelope:
        """Return what may be held now, by the tightest of the limits.

        None where there is none.

        Args:
            last: Whether for a last answer, for which a part was kept.
        """
        left = Envelope()
        for one in self.with_those_above():
            most, taken = one._limits(last=last), one.spent + one.held  # noqa: SLF001 - its own
            left = Envelope(
                usd=_least(left.usd, None if most.usd is None else max(most.usd - taken.usd, 0.0)),
                tokens=_least(left.tokens, None if most.tokens is None else max(most.tokens - taken.tokens, 0)),
                turns=_least(left.turns, None if most.turns is None else max(most.turns - taken.turns, 0)),
                until=_least(left.until, one.until),
            )
        return left

    def unspent(self) -> Envelope:
        """Return what is not spent, whoever holds it, by the tightest of the limits."""
        usd: float | None = None
        tokens: int | None = None
        for one in self.with_those_above():
            most_usd, most_tokens = (
                (one.whole.whole_usd, one.whole.whole_tokens) if one.whole else (one.usd, one.tokens)
            )
            usd = _least(usd, None if most_usd is None else max(most_usd - one.spent.usd, 0.0))
            tokens = _least(tokens, None if most_tokens is None else max(most_tokens - one.spent.tokens, 0))
        return Envelope(usd=usd, tokens=tokens)

    async def hold(self, amount: Amount, what: str, *, last: bool = False, wait: WaitForTopUp | None = None) -> Hold:
        """Hold the most that something can cost, on this account and all above it.

        Waits where what calls under way give back may be enough.

        Args:
            amount: What to hold.
            what: What it is for, in words.
            last: Whether it is for a last answer, for which a part was kept.
            wait: Waits for a top-up where it does not fit. None: that is not waited for.

        Raises:
            BudgetSpentError: It does not fit.
        """
        while tight := self._tight(amount, last=last):
            account, limit = tight
            if account.more and (limit != "seconds" or wait):
                await account.more(account, amount, what, last, wait)
            elif account._may_fit(amount, limit, last=last) and not _is_over(wait):  # noqa: SLF001 - its own
                await account._changed(_least(self.left().until, wait.until if wait else None))  # noqa: SLF001 - its own
            else:
                spent = BudgetSpentError(
                    why_not_enough(account, amount, limit, what, last=last), limit, account.on_exhausted
                )
                if wait is None:
                    raise spent
                await wait.topped_up(account, spent, account._missing(amount, last=last))  # noqa: SLF001
        charged = [*self.with_those_above()]
        for one in charged:
            one.held += amount
        return Hold(charged, amount)

    def used(self) -> tuple[float, str]:
        """Return which part of the tightest limit is spent, and which limit that is."""
        found = [(0.0, "")]
        for one in self.with_those_above():
            limits = (("usd", one.usd, one.spent.usd), ("tokens", one.tokens, one.spent.tokens))
            for name, most, spent in (*limits, ("turns", one.turns, one.spent.turns)):
                if most:
                    found.append((spent / most, f"{name} of {one.owner}"))
        return max(found)

    @property
    def limits(self) -> tuple[float | None, int | None, int | None, float | None]:
        """Its limits as they are now."""
        return self.usd, self.tokens, self.turns, self.until

    def top_up(self, by: Amount, seconds: float) -> None:
        """Allow it more than its budget says, for good."""
        self.change(by)
        self.top_ups += 1
        self.topped_up += by
        if self.until is not None and seconds:
            # Of time that is over more is allowed from now on.
            self.until = max(self.until, workflow.now().timestamp()) + seconds

    def change(self, by: Amount) -> None:
        """Raise its limits, or lower them by a negative amount."""
        self.usd = None if self.usd is None else self.usd + by.usd
        self.tokens = None if self.tokens is None else self.tokens + by.tokens
        self.turns = None if self.turns is None else self.turns + by.turns

    def idle(self) -> Amount:
        """Return what is left of its own limits, and held by nothing."""
        taken = self.spent + self.held
        # What is not limited is none of its own.
        return Amount(
            max((self.usd or 0.0) - taken.usd, 0.0),
            max((self.tokens or 0) - taken.tokens, 0),
            max((self.turns or 0) - taken.turns, 0),
        )

    @property
    def has_untold(self) -> bool:
        """Whether what started the workflow does not know all that was spent, or is left."""
        idle = self.idle()
        return self.spent != self.told or idle.usd > _NEXT_TO_NOTHING or bool(idle.tokens or idle.turns)

    async def _changed(self, until: float | None) -> None:
        """Wait until something of it is held no more, or a moment in seconds since 1970."""
        before = self.held, self.limits
        timeout = None if until is None else max(until - workflow.now().timestamp(), 0.0)
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: (self.held, self.limits) != before, timeout=timeout)

    def _tight(self, amount: Amount, *, last: bool) -> tuple[Account, str] | None:
        now = workflow.now().timestamp()
        for one in self.with_those_above():
            if one.until is not None and now >= one.until:
                return one, "seconds"
            if limit := one._exceeded(one.spent + one.held + amount, last=last):  # noqa: SLF001 - its own
                return one, limit
        return None

    def _may_fit(self, amount: Amount, limit: str, *, last: bool) -> bool:
        return limit != "seconds" and self.held != Amount() and not self._exceeded(self.spent + amount, last=last)

    def _missing(self, amount: Amount, *, last: bool) -> Amount:
        """Return what has to be allowed beside what is left.

        Of more a part is kept as well.
        """
        most, taken = self._limits(last=last), self.spent + self.held + amount
        part = 1.0 if last else 1 - self.keep
        usd = 0.0 if most.usd is None else max(taken.usd - most.usd, 0.0) / part
        tokens = 0.0 if most.tokens is None else max(taken.tokens - most.tokens, 0) / part
        turns = 0 if most.turns is None else max(taken.turns - most.turns, 0)
        return Amount(math.ceil(usd * _MICRO) / _MICRO, math.ceil(tokens), turns)

    def _limits(self, *, last: bool) -> Envelope:
        if last or not self.keep:
            return Envelope(usd=self.usd, tokens=self.tokens, turns=self.turns)
        part = 1 - self.keep
        return Envelope(
            usd=None if self.usd is None else self.usd * part,
            tokens=None if self.tokens is None else int(self.tokens * part),
            turns=None if self.turns is None else self.turns - 1,
        )

    def _exceeded(self, amount: Amount, *, last: bool) -> str:
        most = self._limits(last=last)
        if most.usd is not None and amount.usd > most.usd + _NEXT_TO_NOTHING:
            return "usd"
        if most.tokens is not None and amount.tokens > most.tokens:
            return "tokens"
        if most.turns is not None and amount.turns > most.turns:
            return "turns"
        return ""


def _is_over(wait: WaitForTopUp | None) -> bool:
    return wait is not None and wait.until is not None and workflow.now().timestamp() >= wait.until


def _owner(place: Place) -> str:
    return repr(place.unnumbered_name)


def _least(one: Limit | None, other: Limit | None) -> Limit | None:
    """Return the tighter of two limits, of which None is none."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
