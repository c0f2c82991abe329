"""Keeps the accounts of one workflow, and gives its nested runs of them.

A nested run begins with a part of what is left. Where that is too little it gives back what it does not need at the
moment, and asks for what its next call may cost: so it waits for others as any call does, and nobody for it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import FailureError

from ...contracts import names
from ...contracts.control.budget import Ask, Budget, Envelope
from ...contracts.wire.control.share import ShareAsked, ShareGiven, ShareRecalled
from ...contracts.wire.control.top_up import CarriedBudget
from ...contracts.wire.places import Place
from ..concurrency import uninterrupted
from ..search_attributes import Awaiting
from .account import Account
from .amount import Amount
from .borrowing import Borrowing
from .carrying import envelope_now, resume
from .hold import Hold
from .signals import in_background, send_signal
from .spent_error import BudgetSpentError
from .top_ups import Told, TopUps

_MOST_SENT = 500
"""Messages on their way at once. With over 2,000 of one workflow a server would fail its task for ever."""

_UNTIL_BEGUN: Final = timedelta(seconds=1)


@dataclass(slots=True)
class _Given:
    """What a nested run was given."""

    account: Account
    hold: Hold
    recalled: bool = False
    """Whether it was asked to give back what it does not need, and has not yet."""


class Accounts:
    """What may be spent in one workflow, by place.

    Args:
        awaiting: Tells the list of runs that something waits for a top-up.
        shown: Told of each budget that begins to wait for one.
    """

    def __init__(self, awaiting: Awaiting, shown: Told = lambda *_: None) -> None:
        self._accounts: dict[str, Account] = {}
        self.top_ups = TopUps(self._charged_at, self._accounts.values, awaiting, shown)
        self.borrowing = Borrowing()
        """What was given to the workflow itself."""
        self._given: dict[str, _Given] = {}
        self._sending = asyncio.Semaphore(_MOST_SENT)
        self._answering: dict[str, dict[int, asyncio.Task[None]]] = defaultdict(dict)
        """By the id of the nested run that asked, and the number of its question."""

    def at(self, place: Place) -> Account | None:
        """Return the account that what runs at a place is charged to.

        None where nothing is limited.
        """
        if not self._accounts:
            return None
        return next((self._accounts[one] for one in reversed([*place.with_parents()]) if one in self._accounts), None)

    def open(self, place: Place, *budgets: Budget | None, envelope: Envelope | None = None) -> None:
        """Open the account of what begins at a place.

        Where anything limits it, and it has none yet.

        Args:
            place: Where it runs.
            budgets: What it may spend, the outermost first.
            envelope: What the run that started this workflow allows.
        """
        if place in self._accounts:
            return
        account = self.at(place)
        if envelope:
            account = self._borrowed(Account.of_envelope(place, envelope, self.borrowing.ask))
        for budget in budgets:
            if budget is None:
                continue
            if budget.ledger and budget.ledger.name not in (account.ledgers if account else ()):
                of_ledger = Account.of_ledger(place, budget.ledger, budget, account, self.borrowing.ask_ledger)
                account = self._borrowed(of_ledger)
            account = Account.opened(place, budget, account, began=workflow.now().timestamp())
            account.recall = self._recall
        if account is not None and account is not self.at(place):
            self._accounts[place] = account

    def _borrowed(self, account: Account) -> Account:
        account.recall = self._recall
        self.borrowing.begin(account)
        return account

    def resume(self, place: Place, spent: Amount, carried: Iterable[CarriedBudget]) -> None:
        """Go on from where an earlier execution of the workflow left off.

        Args:
            place: Of what the workflow runs.
            spent: What it had spent.
            carried: What the accounts of that were changed to.
        """
        if account := self.at(place):
            resume(account, spent, carried)
            for one in account.with_those_above():
                if one.ledger:
                    self.borrowing.go_on(one)

    @property
    def is_telling(self) -> bool:
        """Whether a message is on its way, which an end of the workflow would lose."""
        return self.borrowing.is_telling

    async def close(self, place: Place) -> None:
        """Give back what is left of ledgers within a place, where nothing spends any more."""
        # What began without ledgers replays without even a turn of the event loop.
        if owing := self.borrowing.of_ledgers(place):
            await uninterrupted(self._given_back(owing))

    async def _given_back(self, owing: Iterable[Account]) -> None:
        for one in owing:
            if not one.is_closed:
                await self.borrowing.end(one)

    def envelope(self, place: Place) -> Envelope | None:
        """Return what the run that started this workflow allows, as it is now."""
        account = self.at(place)
        return envelope_now([*account.with_those_above()][-1]) if account else None

    def _charged_at(self, place: Place | None) -> Iterable[Account]:
        """Return the accounts that what runs at a place is charged to.

        By default those of the first place that has any.
        """
        account = self.at(place) if place is not None else next(iter(self._accounts.values()), None)
        return account.with_those_above() if account else ()

    def forget(self, place: Place) -> None:
        """Forget the accounts within a place that nothing will run in again."""
        for opened in [opened for opened in self._accounts if Place(opened).is_within(place)]:
            del self._accounts[opened]

    @contextmanager
    def shared(self, place: Place, count: int) -> Iterator[None]:
        """Let so many that are at work at once have an even part of what is left."""
        account = self.at(place)
        if account is None:
            yield
            return
        before, account.sharers = account.sharers, max(account.sharers, count)
        try:
            yield
        finally:
            account.sharers = before

    async def give(self, place: Place, run_id: str) -> Envelope | None:
        """Hold what a nested run may spend, and return it.

        None where nothing limits it.

        Args:
            place: Where it runs.
            run_id: Its id.

        Raises:
            BudgetSpentError: Nothing is left.
        """
        account = self.at(place)
        if account is None:
            return None
        workflow.set_signal_handler(names.SHARE_ASKED_SIGNAL, self._share_asked)
        left = account.spare()
        # Of what only a ledger knows, it asks as it goes on.
        asks = any(one.asks for one in account.with_those_above())
        sharers = account.sharers
        part = Amount((left.usd or 0.0) / sharers, (left.tokens or 0) // sharers, (left.turns or 0) // sharers)
        part = Amount() if asks else part
        self._given[run_id] = _Given(account, await self.held_or_asked(account, part, "a nested run"))
        # As they are now: it may have waited for more.
        until, whole = account.spare().until, account.unspent()
        decides = next((one for one in account.with_those_above() if one.on_exhausted), account)
        return Envelope(
            usd=None if left.usd is None and not asks else part.usd,
            tokens=None if left.tokens is None and not asks else part.tokens,
            turns=None if left.turns is None and not asks else part.turns,
            asks=asks,
            ledgers=account.ledgers,
            until=until,
            whole_usd=whole.usd,
            whole_tokens=whole.tokens,
            on_exhausted=decides.on_exhausted,
        )

    async def held_or_asked(self, account: Account, amount: Amount, what: str) -> Hold:
        """Hold something, after a top-up where the budget says to ask for one.

        Raises:
            BudgetSpentError: It does not fit.
        """
        try:
            return await account.hold(amount, what)
        except BudgetSpentError as spent:
            ask = next((step for step in spent.on_exhausted if isinstance(step, Ask)), None)
            if ask is None:
                raise
            return await account.hold(amount, what, wait=self.top_ups.wait_as(ask))

    def taken_back(self, run_id: str) -> Hold | None:
        """Return what a nested run that has ended was given, to be settled."""
        for task in self._answering.pop(run_id, {}).values():
            # Nobody needs what it waits for any more.
            task.cancel()
        given = self._given.pop(run_id, None)
        return given.hold if given else None

    def _recall(self, account: Account) -> None:
        """Want back from nested runs what they do not need of an account."""
        for run_id, given in self._given.items():
            if given.recalled or given.hold.amount == Amount() or account not in given.account.with_those_above():
                continue
            given.recalled = True
            in_background(self._send_recall(run_id))

    async def _send_recall(self, run_id: str) -> None:
        recall = ShareRecalled(by=workflow.info().workflow_id)
        while run_id in self._given:
            try:
                async with self._sending:
                    await send_signal(run_id, names.SHARE_RECALLED_SIGNAL, recall)
            except FailureError:
                # It has not begun yet, or its end is on its way.
                await workflow.sleep(_UNTIL_BEGUN)
            else:
                return

    def _share_asked(self, asked: ShareAsked) -> None:
        given = self._given.get(asked.run_id)
        if given is None:
            return
        given.recalled = False
        given.hold.shrink(Amount.shared(asked.back), Amount.shared(asked.spent))
        for one in given.account.with_those_above():
            if one.waiters or one.recalled:
                # Where it was not enough, it is to give back what comes.
                self._recall(one)
        if answering := self._answering[asked.run_id].pop(asked.withdraws, None):
            answering.cancel()
        if asked.number:
            self._answering[asked.run_id][asked.number] = asyncio.create_task(self._answer(asked, given))

    async def _answer(self, asked: ShareAsked, given: _Given) -> None:
        account, hold = given.account, given.hold
        need = Amount.shared(asked.need)
        try:
            wait = self.top_ups.wait_until(asked.until) if asked.wait else None
            more = await account.hold(need, asked.what, last=asked.last, wait=wait)
        except BudgetSpentError as spent:
            self._answering[asked.run_id].pop(asked.number, None)
            answer = ShareGiven(
                number=asked.number, refused=spent.reason, limit=spent.limit, on_exhausted=spent.on_exhausted
            )
        else:
            # What it is given now it gets, whatever it says meanwhile.
            self._answering[asked.run_id].pop(asked.number, None)
            if not hold.is_open:
                more.release()
                return
            if account.ledgers:
                more.grow(account.ahead(need))
            until = account.spare().until if asked.wait else None
            answer = ShareGiven(
                number=asked.number,
                given=more.amount.share,
                until=until,
                used=max(one.nearly for one in account.with_those_above()),
            )
            hold.join(more)
        answer = answer.model_copy(update={"by": workflow.info().workflow_id})
        try:
            async with self._sending:
                await send_signal(asked.run_id, names.SHARE_GIVEN_SIGNAL, answer)
        except FailureError:
            # It has ended meanwhile: its result tells what it spent.
            return
