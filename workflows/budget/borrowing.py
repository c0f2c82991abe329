"""Asks what gave something to a workflow for more.

That is the run above it, and ledgers. What is not needed at the moment goes back with each question, so it waits for
others as any call does, and nobody for it; and where it is recalled.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from ...activities.control.ledgers import LedgerActivities
from ...contracts import names
from ...contracts.control.budget import Finish, WhenExhausted
from ...contracts.control.ledger import Ledger, ledger_workflow_id
from ...contracts.text import first_line
from ...contracts.wire.control.ledger import LedgerInput
from ...contracts.wire.control.share import LedgerLimits, OfLedger, Portion, ShareAsked, ShareGiven, ShareRecalled
from ...contracts.wire.places import Place
from .. import policy
from ..concurrency import own_workflow, told_by
from ..until_served import served
from .account import Account, Need
from .amount import Amount
from .signals import in_background, send_signal
from .spent_error import BudgetSpentError

_PATIENCE: Final = timedelta(minutes=5)
_LONG_PATIENCE: Final = timedelta(hours=1)
"""So long an answer of a ledger is waited for before it is asked again; and where a top-up is waited for."""

_MOST_SENT: Final = 500
"""Messages on their way at once. With over 2,000 of one workflow a server would fail its task for ever."""


@dataclass(slots=True)
class _Question:
    """What is asked for."""

    account: Account
    need: Need
    waits: bool
    """Whether a top-up is waited for, which may be of time."""
    number: int = 0
    is_awaited: bool = True
    """Whether something waits for the answer. Else what it gives is taken as it comes."""
    answer: ShareGiven | None = None

    def receive(self) -> None:
        """Take what the answer gives.

        Raises:
            BudgetSpentError: It gives nothing.
        """
        given = self.answer
        if given is None:
            return
        self.account.nearly = given.used
        if given.refused:
            raise BudgetSpentError(given.refused, given.limit, given.on_exhausted or self.account.on_exhausted)
        self.account.change(Amount.shared(given.given))
        if self.waits and self.account.ledger is None:
            self.account.until = given.until

    def take_as_it_comes(self) -> None:
        """Wait for the answer no longer."""
        self.is_awaited = False
        with suppress(BudgetSpentError):
            self.receive()


class Borrowing:
    """The accounts of one workflow that were given something, and what they ask for."""

    def __init__(self) -> None:
        self._accounts: list[Account] = []
        self._questions: dict[int, _Question] = {}
        """Those that are not answered, by their numbers."""
        self._told: dict[str, Amount] = {}
        """What each ledger was told to be spent, by its name."""
        self._is_at_work = own_workflow()
        self._telling = 0
        """How many messages are on their way, which an end of the workflow would lose."""
        self._sending = asyncio.Semaphore(_MOST_SENT)
        self._opening: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """By the name of the ledger that is not there yet."""

    def begin(self, account: Account) -> None:
        """Take in an account that was given something, or will be."""
        workflow.set_signal_handler(names.SHARE_GIVEN_SIGNAL, self._take)
        workflow.set_signal_handler(names.SHARE_RECALLED_SIGNAL, self._recalled)
        self._accounts.append(account)
        if account.recalled:
            in_background(self._give_back(account))

    def go_on(self, account: Account) -> None:
        """Go on with what an earlier execution had of a ledger."""
        if account.ledger:
            self._told[account.ledger.name] = account.told
        if account.recalled:
            in_background(self._give_back(account))

    @property
    def told(self) -> dict[str, Portion]:
        """What each ledger was told to be spent, by its name."""
        return {name: amount.share for name, amount in self._told.items()}

    def resume(self, told: Mapping[str, Portion]) -> None:
        """Go on from what earlier executions told ledgers to be spent."""
        self._told = {name: Amount.shared(portion) for name, portion in told.items()}

    @property
    def is_telling(self) -> bool:
        """Whether a message is on its way, which an end of the workflow would lose."""
        return self._telling > 0

    def of_ledgers(self, place: Place) -> list[Account]:
        """Return the accounts within a place that have something of a ledger."""
        return [one for one in self._accounts if one.ledger and one.place.is_within(place)]

    async def end(self, account: Account) -> None:
        """Give back all that an account has: nothing is charged to it any more."""
        account.is_closed = True
        self._accounts.remove(account)
        await workflow.wait_condition(lambda: not self.is_telling)
        if account.has_untold:
            await self._tell(account)

    async def ask(self, account: Account, need: Need) -> None:
        """Return once the run above has given an account more, as `More` has it."""
        await self._answered(_Question(account, need, waits=need.wait is not None))

    async def ask_ledger(self, account: Account, need: Need) -> None:
        """Return once a ledger has given an account more, as `More` has it.

        Where it has nothing and a top-up is waited for, it is asked once more, and answers when it has.
        """
        first = _Question(account, need, waits=False)
        try:
            await self._answered(first)
        except BudgetSpentError as spent:
            if need.wait is None:
                raise
            lacks = Amount.shared(first.answer.missing) if first.answer else Amount()
            missing = account.missing(need.amount, last=need.last) if lacks.is_nothing else lacks
            question = _Question(account, need, waits=True)
            reminding = asyncio.create_task(self._remind(question))
            try:
                await self._ask(question)
                await need.wait.topped_up(account, spent, missing, lambda: question.answer is not None)
            except BaseException:
                if self._is_at_work():
                    self._give_up(question)
                raise
            finally:
                reminding.cancel()
            question.receive()

    async def _answered(self, question: _Question) -> None:
        """Ask, and take the answer, or give up when it is time."""
        ledger, until = question.account.ledger, question.need.until
        summary = names.LEDGER_ANSWER + first_line(ledger.name, 80) if ledger else None
        try:
            while question.answer is None:
                await self._ask(question)
                # A ledger that was ended, and began anew, knows nothing of what it was asked before.
                left = [_PATIENCE.total_seconds()] if ledger else []
                left += [] if until is None else [max(until - workflow.now().timestamp(), 0.0)]
                with suppress(TimeoutError):
                    await workflow.wait_condition(
                        lambda: question.answer is not None, timeout=min(left, default=None), timeout_summary=summary
                    )
                if until is not None and workflow.now().timestamp() >= until:
                    break
        except (asyncio.CancelledError, FailureError):
            self._give_up(question)
            raise
        if question.answer is None:
            self._give_up(question)
        question.receive()

    async def _remind(self, question: _Question) -> None:
        """Ask time and again what waits for a top-up, for the same reason."""
        while True:
            await workflow.sleep(_LONG_PATIENCE)
            try:
                await self._ask(question)
            except (FailureError, BudgetSpentError) as error:
                # One that cannot be asked now may be later.
                if is_cancelled_exception(error):
                    return

    def _give_up(self, question: _Question) -> None:
        """Wait for an answer no longer."""
        question.take_as_it_comes()
        if question.answer is None:
            in_background(self._tell(question.account, withdraws=question.number))

    async def _ask(self, question: _Question) -> None:
        # Another execution of the workflow may get the answer, and takes it for none of its own.
        question.number = question.number or workflow.random().getrandbits(48)
        self._questions[question.number] = question
        need, waits = question.need, question.waits
        asked = {
            "number": question.number,
            "need": question.account.limited(need.amount).share,
            "what": need.what,
            "last": need.last,
            "wait": waits,
            "until": need.wait.until if need.wait and waits else None,
        }
        await self._send(question.account, self._given_back(question.account).model_copy(update=asked))

    async def _tell(self, account: Account, withdraws: int = 0) -> None:
        """Tell what an account gives back, and has spent.

        Args:
            account: Which one.
            withdraws: Number of a question that is waited for no longer. 0: of none.
        """
        self._telling += 1
        try:
            await self._send(account, self._given_back(account).model_copy(update={"withdraws": withdraws}))
        except (FailureError, BudgetSpentError):
            # What has ended meanwhile wants nothing.
            return
        finally:
            self._telling -= 1

    def _given_back(self, account: Account) -> ShareAsked:
        """Give back what an account does not need; return what to tell of it."""
        back, spent = account.idle(), account.untold
        account.told += spent
        account.recalled = False
        account.close_up()
        of = self._of(account, account.ledger, spent) if account.ledger else None
        run_id, nothing = workflow.info().workflow_id, Amount().share
        return ShareAsked(run_id=run_id, number=0, need=nothing, what="", back=back.share, spent=spent.share, of=of)

    def _of(self, account: Account, ledger: Ledger, spent: Amount) -> OfLedger:
        before = self._told.get(ledger.name, Amount())
        self._told[ledger.name] = before + spent
        limits = LedgerLimits(usd=ledger.usd, tokens=ledger.tokens, turns=ledger.turns)
        return OfLedger(
            execution=workflow.info().first_execution_run_id,
            default=limits if limits != LedgerLimits() else None,
            keep=next((step.keep for step in account.on_exhausted if isinstance(step, Finish)), 0.0),
            told=before.share,
        )

    async def _send(self, account: Account, message: ShareAsked) -> None:
        if account.ledger:
            await self._send_to_ledger(account.ledger, message, account.on_exhausted)
            return
        parent = workflow.info().parent
        if parent is None:
            raise BudgetSpentError("nobody can be asked for more", "usd", account.on_exhausted)
        await self._signal(parent.workflow_id, message)

    async def _signal(self, workflow_id: str, message: ShareAsked) -> None:
        async with self._sending:
            await send_signal(workflow_id, names.SHARE_ASKED_SIGNAL, message)

    async def _send_to_ledger(
        self, ledger: Ledger, message: ShareAsked, on_exhausted: tuple[WhenExhausted, ...]
    ) -> None:
        """Tell a ledger something, or ask it; start it where it is not there yet.

        Raises:
            BudgetSpentError: It cannot be started.
        """
        ledger_id = ledger_workflow_id(ledger.name)
        try:
            if await self._is_signalled(ledger_id, message):
                return
            # Of many that find it missing at once one starts it.
            is_starting = self._opening[ledger.name].locked()
            async with self._opening[ledger.name]:
                if is_starting and await self._is_signalled(ledger_id, message):
                    return
                opened, summary = LedgerInput(name=ledger.name), f"the ledger {ledger.name}"
                await served(LedgerActivities.open, opened, summary=summary, options=policy.ledger_policy())
                await self._signal(ledger_id, message)
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            why = f"the ledger {ledger.name!r} cannot be asked: {told_by(error)}"
            raise BudgetSpentError(why, "usd", on_exhausted) from None

    async def _is_signalled(self, ledger_id: str, message: ShareAsked) -> bool:
        """Tell a ledger something; return whether it is there."""
        try:
            await self._signal(ledger_id, message)
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            return False
        return True

    def _take(self, given: ShareGiven) -> None:
        question = self._questions.pop(given.number, None)
        if question is None:
            # An earlier execution asked for it, and waits no more.
            if given.by:
                in_background(self._return(given))
            return
        question.answer = given
        if not question.is_awaited:
            question.take_as_it_comes()
        if question.account.is_closed:
            in_background(self._tell(question.account))

    async def _return(self, given: ShareGiven) -> None:
        """Give back what was given for nothing."""
        is_ledger = given.by.startswith(names.LEDGER_ID)
        of = OfLedger(execution=workflow.info().first_execution_run_id) if is_ledger else None
        run_id, nothing = workflow.info().workflow_id, Amount().share
        back = ShareAsked(run_id=run_id, number=0, need=nothing, what="", back=given.given, of=of)
        with suppress(FailureError):
            await self._signal(given.by, back)

    def _recalled(self, recall: ShareRecalled) -> None:
        for account in self._accounts:
            if recall.by == _lender_id(account) and not account.recalled:
                account.recalled = True
                in_background(self._give_back(account))

    async def _give_back(self, account: Account) -> None:
        """Give back what is not needed, as soon as there is something."""
        account.recall(account)
        await workflow.wait_condition(lambda: account.has_untold or account.is_closed or not account.recalled)
        if account.recalled and not account.is_closed:
            await self._tell(account)


def _lender_id(account: Account) -> str:
    if account.ledger:
        return ledger_workflow_id(account.ledger.name)
    parent = workflow.info().parent
    return parent.workflow_id if parent else ""
