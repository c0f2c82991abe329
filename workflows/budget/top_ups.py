"""The budgets of one workflow that wait for a top-up, and the top-ups."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from ...contracts import names
from ...contracts.control.budget import Ask
from ...contracts.text import shorten
from ...contracts.wire.control.top_up import TakenTopUp, ToppedUp, TopUp, TopUpAsked, TopUpsAsked
from ...contracts.wire.places import Place
from ..concurrency import own_workflow
from ..control.said_by import why_not_said_by
from ..control.update_id import update_id
from ..search_attributes import Awaiting
from .account import Account, WaitForTopUp
from .amount import Amount
from .spent_error import BudgetSpentError

_MOST_TOLD = 5
"""So many that wait stand in the memo, which lists of runs have too."""

_MOST_PLACES = 10

_MOST_TAKEN = 20
"""So many top-ups are known again."""

Told = Callable[[Place, str], None]
"""Is told of each budget that begins to wait: its place, and why it is not enough."""


@dataclass(slots=True, eq=False)
class _Waiting:
    account: Account
    told: TopUpAsked


@dataclass(frozen=True, slots=True)
class _Until:
    """Waits for a top-up of an account of this workflow."""

    top_ups: TopUps
    until: float | None

    async def topped_up(
        self,
        account: Account,
        spent: BudgetSpentError,
        missing: Amount,
        is_over: Callable[[], bool] | None = None,
    ) -> None:
        before = account.top_ups, account.limits
        changed = is_over or (lambda: (account.top_ups, account.limits) != before)
        await self.top_ups.wait_for(account, spent, missing, self.until, changed)


class TopUps:
    """Takes top-ups, and tells which budgets wait for one.

    A top-up comes as an update. What waits is told in the memo and in the search attribute, while it does.

    Args:
        accounts: Returns those that what runs at a place is charged to, the innermost first; by default those of the
            whole run.
        known: Returns the innermost accounts of all places.
        awaiting: Tells the list of runs that something waits.
        shown: Told of each budget that begins to wait.
    """

    def __init__(
        self,
        accounts: Callable[[Place | None], Iterable[Account]],
        known: Callable[[], Iterable[Account]],
        awaiting: Awaiting,
        shown: Told,
    ) -> None:
        self._accounts = accounts
        self._known = known
        self._awaiting = awaiting
        self._shown = shown
        self._waiting: list[_Waiting] = []
        self._taken: dict[str, str] = {}
        """Places of budgets by the ids of the last top-ups."""
        self._published = TopUpsAsked()
        self._due = False
        self._is_at_work = own_workflow()

    @property
    def carried(self) -> tuple[TakenTopUp, ...]:
        """What the next execution has to know of those that were taken."""
        return tuple(TakenTopUp(id=sent_as, path=path) for sent_as, path in self._taken.items())

    def resume(self, taken: Iterable[TakenTopUp]) -> None:
        """Know those again that an earlier execution took."""
        self._taken |= {one.id: one.path for one in taken}

    def serve(self) -> None:
        """Take top-ups from now on."""
        workflow.set_update_handler(names.TOP_UP_UPDATE, self._top_up, validator=self._check)

    def wait_until(self, until: float | None) -> WaitForTopUp:
        """Return what waits for a top-up.

        Args:
            until: Seconds since 1970 until which it waits. None: as long as it takes.
        """
        return _Until(self, until)

    def wait_as(self, ask: Ask) -> WaitForTopUp:
        """Return what waits for a top-up for as long as a budget says."""
        return self.wait_until(None if ask.expires is None else (workflow.now() + ask.expires).timestamp())

    async def wait_for(
        self,
        account: Account,
        spent: BudgetSpentError,
        missing: Amount,
        until: float | None,
        changed: Callable[[], bool],
    ) -> None:
        """Wait until there is more.

        Args:
            account: Which one is not enough.
            spent: Why.
            missing: What is lacking.
            until: Seconds since 1970 until which it waits. None: as long as it takes.
            changed: Whether there is.

        Raises:
            BudgetSpentError: They did not in time.
        """
        seconds = None if until is None else until - workflow.now().timestamp()
        if seconds is not None and seconds <= 0:
            raise spent
        told = TopUpAsked(
            path=account.place,
            limit=spent.limit,
            reason=spent.reason,
            ledger=account.ledger.name if account.ledger else "",
            missing=missing.share,
            expires=None if seconds is None else workflow.now() + timedelta(seconds=seconds),
        )
        waiting = _Waiting(account, told)
        self._waiting.append(waiting)
        self._shown(Place(account.place), spent.reason)
        self._changed()
        try:
            await workflow.wait_condition(
                changed,
                timeout=seconds,
                timeout_summary=f"a top-up of {shorten(account.place, 80)}",
            )
        except TimeoutError:
            raise spent from None
        finally:
            self._waiting.remove(waiting)
            self._changed()

    def _changed(self) -> None:
        """Tell it once what is ready has run: what waits on after a top-up waits anew."""
        if not self._due and self._is_at_work():
            self._due = True
            asyncio.get_running_loop().call_soon(self._publish)

    def _publish(self) -> None:
        self._due = False
        # Several calls may wait for one budget: it is told once.
        each = {(one.told.path, one.told.limit): one.told for one in self._waiting}
        now = TopUpsAsked(waiting=tuple(each.values())[:_MOST_TOLD], more=max(len(each) - _MOST_TOLD, 0))
        if now != self._published:
            self._published = now
            workflow.upsert_memo({names.TOP_UPS_MEMO: now if each else None})
        self._awaiting.set(names.AWAITS_TOP_UP, waits=bool(each))

    def _check(self, top_up: TopUp) -> None:
        """Refuse what cannot be taken: nothing of it comes into the history."""
        if update_id() in self._taken:
            return
        if why := self._why_not(top_up):
            raise ApplicationError(why, type=names.TOP_UP_REFUSED, non_retryable=True)

    def _why_not(self, top_up: TopUp) -> str:
        if not any((top_up.usd, top_up.tokens, top_up.turns, top_up.seconds)):
            return "a top-up says how much more: usd, tokens, turns or seconds"
        return why_not_said_by(top_up.by, top_up.note) or self._why_none(top_up)

    def _why_none(self, top_up: TopUp) -> str:
        places = {one.account.place for one in self._waiting}
        if not top_up.path and len(places) > 1:
            return f"several budgets wait, at {', '.join(map(repr, sorted(places)))}: say which by its path"
        found = self._meant(top_up)
        if not found:
            where = f" at {shorten(top_up.path, 100)!r}" if top_up.path else ""
            return f"there is no budget{where}{self._those_there()}"
        if not [*_own(found)] and (ledgers := [one.ledger.name for one in found if one.ledger]):
            command = f"`sostenuto ledger top-up {shlex.quote(ledgers[0])} AMOUNT`"
            return f"what is lacking is of the ledger {ledgers[0]!r}: {command}"
        if not any(_limited_by(one, top_up) for one in found):
            limited = sorted({name for one in found for name in _limited(one)})
            return f"{found[0].title} limits {', '.join(limited)}, and is given none of that"
        return ""

    def _those_there(self) -> str:
        """Return which budgets there are, or why there is none."""
        if places := sorted({one.place for known in self._known() for one in _own(known.with_those_above())}):
            more = f" and {len(places) - _MOST_PLACES:,} more" if len(places) > _MOST_PLACES else ""
            return f": those there are at {', '.join(map(repr, places[:_MOST_PLACES]))}{more}"
        info = workflow.info()
        if info.parent:
            return f"; run {info.parent.workflow_id!r} started it, whose budget it spends"
        if info.workflow_type == names.CHAT_WORKFLOW:
            return ": a chat's is of one question, and none is being answered that has one: send it while one waits"
        return ""

    def _meant(self, top_up: TopUp) -> list[Account]:
        """Return the accounts that a top-up is for: what waits there, else all there."""
        waiting = {one.account: None for one in self._waiting if top_up.path in ("", one.account.place)}
        there = self._accounts(Place(top_up.path) if top_up.path else None)
        return [*waiting] or [one for one in _own(there) if top_up.path in ("", one.place)]

    async def _top_up(self, top_up: TopUp) -> ToppedUp:
        """Allow more, and return once it is known whether it is enough."""
        # The server itself knows those that this execution was sent.
        if (sent_as := update_id()) in self._taken:
            return ToppedUp(path=self._taken[sent_as])
        meant = [one for one in _own(self._meant(top_up)) if _limited_by(one, top_up)]
        before = [*self._waiting]
        waited = [one for one in before if one.account in meant]
        for account in meant:
            account.top_up(Amount(top_up.usd, top_up.tokens, top_up.turns), top_up.seconds)
        self._taken[sent_as] = meant[0].place
        for oldest in [*self._taken][:-_MOST_TAKEN]:
            del self._taken[oldest]
        # What waited goes on now, or waits anew.
        await workflow.wait_condition(lambda: not any(one in self._waiting for one in waited))
        still = next((one.told.reason for one in self._waiting if one not in before), "") if waited else ""
        return ToppedUp(path=meant[0].place, still=still)


def _own(accounts: Iterable[Account]) -> Iterator[Account]:
    """Yield those that the workflow has of itself, and was not given."""
    return (one for one in accounts if one.more is None)


def _limited(account: Account) -> dict[str, bool]:
    limits = zip(("usd", "tokens", "turns", "seconds"), account.limits, strict=True)
    return {name: True for name, limit in limits if limit is not None}


def _limited_by(account: Account, top_up: TopUp) -> bool:
    """Return whether a top-up is of something that an account limits."""
    return any(getattr(top_up, name) for name in _limited(account))
