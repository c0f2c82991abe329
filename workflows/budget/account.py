"""Keeps accounts of what may be spent, is held, and was spent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from temporalio import workflow

from ...contracts.control.budget import Budget, Envelope, WhenExhausted
from ...contracts.control.ledger import Ledger
from ...contracts.wire.places import Place
from .amount import Amount
from .hold import Hold, kept_meanwhile
from .limited import Limited
from .spent_error import BudgetSpentError

Limit = TypeVar("Limit", int, float)

_AHEAD = 4
"""So many times what is needed is given beside, where there is plenty."""


class WaitForTopUp(Protocol):
    """Waits for a top-up."""

    @property
    def until(self) -> float | None:
        """Seconds since 1970 until which it waits. None: as long as it takes."""
        ...

    async def topped_up(
        self,
        account: Account,
        spent: BudgetSpentError,
        missing: Amount,
        is_over: Callable[[], bool] | None = None,
    ) -> None:
        """Return once the limits of an account have changed, or that is told.

        Raises:
            BudgetSpentError: They did not in time.
        """
        ...


@dataclass(frozen=True, slots=True)
class Need:
    """What an account has too little of, as whoever gave to it is asked for it."""

    amount: Amount
    what: str
    """What it is for, in words."""
    last: bool
    """Whether it is for a last answer, for which a part was kept."""
    wait: WaitForTopUp | None
    """Waits for a top-up. None: that is not waited for."""
    until: float | None
    """Seconds since 1970 at which an answer is waited for no more. None: it is as long as it takes."""


More = Callable[["Account", Need], Awaitable[None]]
"""Returns once an account has been given more, or it is time; raises a `BudgetSpentError` where there is none."""


@dataclass(slots=True, eq=False, kw_only=True)
class Account(Limited):
    """What a place in the runnable tree may spend, within those above it.

    Invariant: what was spent and what is held together are never more than its limits.
    """

    place: Place
    """Where that is in the runnable tree."""
    until: float | None = None
    """Seconds since 1970 at which no further call begins."""
    on_exhausted: tuple[WhenExhausted, ...] = ()
    above: Account | None = None
    more: More | None = None
    """Asks what gave it what it has for more, where something did."""
    ledger: Ledger | None = None
    """Which ledger gave it that, if one."""
    asks: bool = False
    """Whether nobody here knows how much there is: its limits are what it was given so far."""
    whole: Envelope | None = None
    """What the run above gave it at first."""
    topped_up: Amount = field(default_factory=Amount)
    """What it was allowed beside what the budget says."""
    top_ups: int = 0
    told: Amount = field(default_factory=Amount)
    """What of it what gave to it knows to be spent."""
    recalled: bool = False
    """Whether that wants back what is not needed, and was given nothing yet."""
    is_closed: bool = False
    """Whether nothing is charged to it any more."""
    nearly: float = 0.0
    """Which part of its tightest limit a ledger has spent, where that is nearly all."""
    sharers: int = 1
    """How many are at work at once, and are to have a part of what is left."""
    waiters: int = 0
    """How many calls wait until something of it is held no more."""
    recall: Callable[[Account], None] = field(default=lambda _: None)
    """Wants back from nested runs what they do not need of it."""

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
            title=_title(place),
            place=place,
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
        given = envelope.model_dump(include={"usd", "tokens", "turns", "until", "asks", "recalled"})
        told = Amount(envelope.told_usd, envelope.told_tokens, envelope.told_turns)
        given |= {"on_exhausted": envelope.on_exhausted, "whole": envelope}
        return cls(title=_title(place), place=place, **given, more=more, told=told)

    @classmethod
    def of_ledger(cls, place: Place, ledger: Ledger, budget: Budget, above: Account | None, more: More) -> Account:
        """Return the account of what a runnable has of a ledger: nothing at first."""
        return cls(
            title=f"the ledger {ledger.name!r}",
            place=place,
            usd=0.0,
            tokens=0,
            turns=0,
            on_exhausted=budget.on_exhausted,
            above=above,
            more=more,
            ledger=ledger,
            asks=True,
        )

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

    @property
    def ledgers(self) -> tuple[str, ...]:
        """Names of the ledgers that it is charged to, here and above."""
        found: dict[str, None] = {}
        for one in self.with_those_above():
            named = (one.ledger.name,) if one.ledger else one.whole.ledgers if one.whole else ()
            found |= dict.fromkeys(named)
        return tuple(found)

    def spare(self, *, last: bool = False) -> Envelope:
        """Return what may be held now, by the tightest of the limits that are known here.

        None where there is none.

        Args:
            last: Whether for a last answer, for which a part was kept.
        """
        spare = Envelope()
        for one in self.with_those_above():
            left = Envelope() if one.asks else one.left(last=last)
            spare = Envelope(
                usd=_least(spare.usd, left.usd),
                tokens=_least(spare.tokens, left.tokens),
                turns=_least(spare.turns, left.turns),
                until=_least(spare.until, one.until),
            )
        return spare

    def unspent(self) -> Envelope:
        """Return what is not spent, whoever holds it.

        By the tightest of the limits that are known here.
        """
        usd: float | None = None
        tokens: int | None = None
        for one in self.with_those_above():
            if one.ledger:
                continue
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
            until = _least(self.spare().until, wait.until if wait else None)
            if account.more and (limit != "seconds" or wait) and not _is_over(wait):
                in_time = None if limit == "seconds" else until
                lenders = self._lenders()
                async with kept_meanwhile(lenders[: lenders.index(account)], amount):
                    await account.more(account, Need(amount, what, last, wait, in_time))
            elif account.may_fit(amount, limit, last=last) and not _is_over(wait):
                await account.freed(until)
            else:
                why = account.why_not_enough(amount, limit, what, last=last)
                spent = BudgetSpentError(why, limit, account.on_exhausted)
                if wait is None:
                    raise spent
                await wait.topped_up(account, spent, account.missing(amount, last=last))
        charged = [*self.with_those_above()]
        for one in charged:
            one.held += amount
        return Hold(charged, amount)

    def nearest(self) -> tuple[float, str]:
        """Return which part of the tightest limit is spent, and which that is.

        Of those here and above.
        """
        found = [(0.0, "")]
        for one in self.with_those_above():
            used, name = (one.nearly, "") if one.asks else one.used()
            found.append((used, f"{name} of {one.place.unnumbered_name!r}" if name else one.title))
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

    def ahead(self, need: Amount) -> Amount:
        """Return what may be given beside what is needed.

        So that not every call has to ask: a few times as much, and no more than half of what is idle here and in all
        above.
        """
        amount = need.times(_AHEAD)
        for one in self.with_those_above():
            amount = one.within(amount, 0.5)
        return amount

    @property
    def untold(self) -> Amount:
        """What was spent that what gave to it does not know."""
        spent = self.limited(self.spent - self.told)
        return spent.least(spent)

    @property
    def has_untold(self) -> bool:
        """Whether what gave to it does not know all that was spent, or is left."""
        return not (self.untold.is_nothing and self.idle().is_nothing)

    def may_fit(self, amount: Amount, limit: str, *, last: bool) -> bool:
        """Return whether it may be enough once what is held is given back."""
        return limit != "seconds" and self.held != Amount() and not self.exceeded(self.spent + amount, last=last)

    async def freed(self, until: float | None) -> None:
        """Wait until something of it is held no more, or a moment in seconds since 1970."""
        before = self.held, self.limits
        timeout = None if until is None else max(until - workflow.now().timestamp(), 0.0)
        self.waiters += 1
        self.recall(self)
        try:
            with suppress(TimeoutError):
                await workflow.wait_condition(lambda: (self.held, self.limits) != before, timeout=timeout)
        finally:
            self.waiters -= 1

    def _lenders(self) -> list[Account]:
        """Return those that were given something, in the order in which all ask.

        So none has what another waits for.
        """
        lent = (one for one in self.with_those_above() if one.more)
        return sorted(lent, key=lambda one: one.ledger.name if one.ledger else "")

    def _tight(self, amount: Amount, *, last: bool) -> tuple[Account, str] | None:
        now = workflow.now().timestamp()
        for one in (*(one for one in self.with_those_above() if not one.more), *self._lenders()):
            if one.until is not None and now >= one.until:
                return one, "seconds"
            if limit := one.exceeded(one.spent + one.held + amount, last=last):
                return one, limit
        return None


def _is_over(wait: WaitForTopUp | None) -> bool:
    return wait is not None and wait.until is not None and workflow.now().timestamp() >= wait.until


def _title(place: Place) -> str:
    return f"the budget of {place.unnumbered_name!r}"


def _least(one: Limit | None, other: Limit | None) -> Limit | None:
    """Return the tighter of two limits, of which None is none."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
