"""Keeps the accounts of one workflow, and gives its nested runs of them.

A nested run begins with a part of what is left. Where that is too little it gives back what it does not need at the
moment, and asks for what its next call may cost: so it waits for others as any call does, and nobody for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from temporalio import workflow
from temporalio.exceptions import FailureError

from ...contracts import names
from ...contracts.contract import Contract
from ...contracts.control.budget import Ask, Budget, Envelope
from ...contracts.wire.control.share import ShareAsked, ShareGiven
from ...contracts.wire.places import Place
from ..search_attributes import Awaiting
from .account import Account, BudgetSpentError, WaitForTopUp
from .amount import Amount
from .hold import Hold
from .top_ups import Told, TopUps


@dataclass(slots=True)
class _Question:
    """What the run above is asked for."""

    account: Account
    waits: bool
    """Whether a top-up is waited for, which may be of time."""
    answer: ShareGiven | None = None
    is_given_up: bool = False

    def is_open(self) -> bool:
        """Return whether it is not answered."""
        return self.answer is None

    def receive(self) -> None:
        """Take what the answer gives.

        Raises:
            BudgetSpentError: It gives nothing.
        """
        given = self.answer
        if given is None:
            return
        if given.refused:
            raise BudgetSpentError(given.refused, given.limit, given.on_exhausted)
        self.account.change(Amount.shared(given.given))
        self.account.until = given.until if self.waits else self.account.until

    def give_up(self) -> None:
        """Wait for the answer no longer: what it gives is taken all the same."""
        self.is_given_up = True
        with suppress(BudgetSpentError):
            self.receive()


class Accounts:
    """What may be spent in one workflow, by place.

    Args:
        awaiting: Tells the list of runs that something waits for a top-up.
        shown: Told of each budget that begins to wait for one.
    """

    def __init__(self, awaiting: Awaiting, shown: Told = lambda *_: None) -> None:
        self._accounts: dict[str, Account] = {}
        self.top_ups = TopUps(self._charged_at, self._accounts.values, awaiting, shown)
        self._given: dict[str, tuple[Account, Hold]] = {}
        self._questions: dict[int, _Question] = {}
        """Those that the run above has not answered, by their numbers."""
        self._answering: dict[str, dict[asyncio.Task[None], None]] = {}
        """By the id of the nested run that asked."""

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
            workflow.set_signal_handler(names.SHARE_GIVEN_SIGNAL, self._take)
            account = Account.of_envelope(place, envelope, self._ask_for_more)
        for budget in budgets:
            if budget is not None:
                account = Account.opened(place, budget, account, began=workflow.now().timestamp())
        if account is not None and account is not self.at(place):
            self._accounts[place] = account

    def envelope(self, place: Place) -> Envelope | None:
        """Return what the run that started this workflow allows, as it is now."""
        account = self.at(place)
        return [*account.with_those_above()][-1].envelope() if account else None

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
        left = account.left()
        part = Amount(
            (left.usd or 0.0) / account.sharers,
            (left.tokens or 0) // account.sharers,
            (left.turns or 0) // account.sharers,
        )
        self._given[run_id] = account, await self.held_or_asked(account, part, "a nested run")
        # As they are now: it may have waited for more.
        until, whole = account.left().until, account.unspent()
        decides = next((one for one in account.with_those_above() if one.on_exhausted), account)
        return Envelope(
            usd=None if left.usd is None else part.usd,
            tokens=None if left.tokens is None else part.tokens,
            turns=None if left.turns is None else part.turns,
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
        for task in tuple(self._answering.pop(run_id, ())):
            # Nobody needs what it waits for any more.
            task.cancel()
        _, hold = self._given.pop(run_id, (None, None))
        return hold

    async def _ask_for_more(
        self, account: Account, amount: Amount, what: str, last: bool, wait: WaitForTopUp | None
    ) -> None:
        """Ask the run that started this one for what a call may cost.

        Raises:
            BudgetSpentError: It has no more.
        """
        parent = workflow.info().parent
        if parent is None:
            raise BudgetSpentError("nobody can be asked for more", "usd", account.on_exhausted)
        question = _Question(account, waits=wait is not None)
        # Another execution of the workflow may get the answer, and takes it for none of its own.
        number = workflow.random().getrandbits(48)
        self._questions[number] = question
        asked = _told(account).model_copy(
            update={
                "number": number,
                "need": _limited(account, amount).share,
                "what": what,
                "last": last,
                "wait": wait is not None,
                "until": wait.until if wait else None,
            }
        )
        try:
            await _send(parent.workflow_id, names.SHARE_ASKED_SIGNAL, asked)
            while question.is_open():
                await workflow.wait_condition(lambda: not question.is_open() or account.has_untold)
                if question.is_open() and account.has_untold:
                    # What was held here may be what the answer waits for, and it knows no other way of it.
                    await _send(parent.workflow_id, names.SHARE_ASKED_SIGNAL, _told(account))
        except (asyncio.CancelledError, FailureError):
            question.give_up()
            raise
        question.receive()

    def _take(self, given: ShareGiven) -> None:
        if question := self._questions.pop(given.number, None):
            question.answer = given
            if question.is_given_up:
                question.give_up()

    def _share_asked(self, asked: ShareAsked) -> None:
        task = asyncio.create_task(self._answer(asked))
        answering = self._answering.setdefault(asked.run_id, {})
        answering[task] = None
        task.add_done_callback(lambda done: answering.pop(done, None))

    async def _answer(self, asked: ShareAsked) -> None:
        if asked.run_id not in self._given:
            return
        account, hold = self._given[asked.run_id]
        hold.shrink(Amount.shared(asked.back), Amount.shared(asked.spent))
        if not asked.number:
            return
        try:
            wait = self.top_ups.wait_until(asked.until) if asked.wait else None
            more = await account.hold(Amount.shared(asked.need), asked.what, last=asked.last, wait=wait)
        except BudgetSpentError as spent:
            answer = ShareGiven(
                number=asked.number, refused=spent.reason, limit=spent.limit, on_exhausted=spent.on_exhausted
            )
        else:
            if not hold.is_open:
                more.release()
                return
            until = account.left().until if asked.wait else None
            answer = ShareGiven(number=asked.number, given=more.amount.share, until=until)
            hold.join(more)
        try:
            await _send(asked.run_id, names.SHARE_GIVEN_SIGNAL, answer)
        except FailureError:
            # It has ended meanwhile: its result tells what it spent.
            return


def _told(account: Account) -> ShareAsked:
    """Give back what the account does not need; return what to tell of it."""
    back = account.idle()
    account.change(Amount() - back)
    spent, account.told = account.spent - account.told, account.spent
    return ShareAsked(
        run_id=workflow.info().workflow_id,
        number=0,
        need=Amount().share,
        what="",
        back=back.share,
        spent=_limited(account, spent).share,
    )


async def _send(workflow_id: str, signal: str, message: Contract) -> None:
    """Send a signal.

    A cancel that comes meanwhile is raised: the SDK would swallow it.
    """
    sending = asyncio.create_task(workflow.get_external_workflow_handle(workflow_id).signal(signal, message))
    await workflow.wait([sending])
    sending.result()


def _limited(account: Account, amount: Amount) -> Amount:
    """Return what of an amount the account limits."""
    return Amount(
        amount.usd if account.usd is not None else 0.0,
        amount.tokens if account.tokens is not None else 0,
        amount.turns if account.turns is not None else 0,
    )
