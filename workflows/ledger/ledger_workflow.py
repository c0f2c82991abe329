"""The workflow of a ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from ...activities.control.ledgers import LedgerActivities
    from ...contracts import limits, names
    from ...contracts.wire.control.ledger import (
        LedgerBlock,
        LedgerHolders,
        LedgerInput,
        LedgerQuery,
        LedgerSet,
        LedgerState,
        LedgerTopUp,
    )
    from ...contracts.wire.control.share import ShareAsked, ShareGiven, ShareRecalled
    from .. import policy
    from ..budget.signals import in_background, send_signal
    from ..control.said_by import why_not_said_by
    from ..control.update_id import update_id
    from ..until_served import served
    from .block import Block
    from .book import Book

_FIRST_LOOK: Final = timedelta(seconds=5)
_LONGEST_LOOK: Final = timedelta(minutes=2)
"""How long runs that were asked to give something back are waited for, before it is looked whether they go on."""

_SILENCE: Final = timedelta(minutes=20)
"""After so long without a word of any run it is looked whether they go on, although nobody waits for them."""

_MOST_SENT = 500
"""Messages on their way at once. With over 2,000 of one workflow a server would fail its task for ever."""

_MOST_LOOKED_FOR = 200
"""Runs that are looked for at once."""


# No error ends it: a bug of ours fails its task until it is mended, and what it knows is not lost.
@workflow.defn(name=names.LEDGER_WORKFLOW, sandboxed=False)
class LedgerWorkflow:
    """Gives runs blocks of what they may spend together, for ever.

    It accepts what runs tell and ask, limits, top-ups and the query at any moment. Where it is not enough it asks the
    runs that have something for what they do not need; where those do not answer, it looks whether they go on. It
    continues as new when the server suggests so, with all that it knows. After a crash it goes on where the history
    ends.
    """

    @workflow.init
    def __init__(self, ledger: LedgerInput) -> None:
        self._book = Book(ledger)
        self._sending = 0
        """How many messages are on their way."""
        self._is_due = False
        self._is_behind = False
        """Whether more is to be said once they are."""

    @workflow.run
    async def run(self, ledger: LedgerInput) -> None:  # noqa: ARG002 - taken by __init__, as the SDK wants it
        """Serve until a further execution does."""
        self._serve()
        looking = asyncio.create_task(self._look_after())
        await workflow.wait_condition(lambda: looking.done() or workflow.info().is_continue_as_new_suggested())
        if looking.done():
            # A bug of ours, which fails the task until it is mended: what it knows must not be lost.
            looking.result()
        # From now on it answers nothing: what it is told comes with the next execution.
        await workflow.wait_condition(lambda: not self._sending and workflow.all_handlers_finished())
        looking.cancel()
        workflow.continue_as_new(self._book.carried())

    @workflow.signal(name=names.SHARE_ASKED_SIGNAL)
    def asked(self, asked: ShareAsked) -> None:
        """Take in what a run gives back and has spent, and what it asks for."""
        if not _can_be_answered(asked):
            return
        self._book.hear(asked, workflow.now())
        self._serve()

    @workflow.update(name=names.LEDGER_SET_UPDATE)
    def limit(self, said: LedgerSet) -> LedgerState:
        """Take in its limits from now on."""
        self._book.limit(said, workflow.now())
        self._serve_now()
        return self._book.state(workflow.now())

    @limit.validator
    def _check_set(self, said: LedgerSet) -> None:
        _refuse(why_not_said_by(said.by, said.note))

    @workflow.update(name=names.LEDGER_TOP_UP_UPDATE)
    def top_up(self, by: LedgerTopUp) -> LedgerState:
        """Allow more in this period."""
        is_new = self._book.top_up(by, by.id or update_id(), workflow.now())
        if is_new:
            self._serve_now()
        return self._book.state(workflow.now()).model_copy(update={"repeated": not is_new})

    @top_up.validator
    def _check_top_up(self, by: LedgerTopUp) -> None:
        if not self._book.has_taken(by.id or update_id()):
            _refuse(why_not_said_by(by.by, by.note) or self._book.why_not_topped_up(by))

    @workflow.query(name=names.LEDGER_QUERY)
    def state(self, query: LedgerQuery) -> LedgerState:
        """Return what it may spend, holds and has spent."""
        return self._book.state(query.at)

    def _serve(self) -> None:
        """Serve once all is taken in that came at once, as it takes long where many wait."""
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._serve_now)

    def _serve_now(self) -> None:
        """Answer what can be answered, and want back what is lacking."""
        self._is_due = False
        if workflow.info().is_continue_as_new_suggested():
            return
        for asked, given in self._book.answers(workflow.now(), _MOST_SENT - self._sending):
            self._sending += 1
            in_background(self._answer(asked, given))
        for block in self._book.to_recall(_MOST_SENT - self._sending):
            self._sending += 1
            in_background(self._recall(block))
        self._is_behind = self._sending >= _MOST_SENT

    async def _answer(self, asked: ShareAsked, given: ShareGiven) -> None:
        try:
            answer = given.model_copy(update={"by": workflow.info().workflow_id})
            await send_signal(asked.run_id, names.SHARE_GIVEN_SIGNAL, answer)
        except FailureError:
            self._book.take_back(asked, given)
            self._is_behind = True
        self._sent()

    async def _recall(self, block: Block) -> None:
        # One that has ended is found out by looking.
        with suppress(FailureError):
            recall = ShareRecalled(by=workflow.info().workflow_id)
            await send_signal(block.run_id, names.SHARE_RECALLED_SIGNAL, recall)
        self._sent()

    def _sent(self) -> None:
        self._sending -= 1
        if self._is_behind:
            self._serve()

    async def _look_after(self) -> None:
        """Look for runs that say nothing, and for the next period, time and again."""
        book, pause, look_at = self._book, _FIRST_LOOK, workflow.now() + _SILENCE
        while True:
            await workflow.wait_condition(lambda: bool(book.blocks or book.waiting))
            next_at = min(look_at, book.next_period(workflow.now()) or look_at)
            with suppress(TimeoutError):
                left = max(next_at - workflow.now(), timedelta(0))
                await workflow.wait_condition(_stirred(book), timeout=left)
            # Another period may have begun.
            self._serve()
            if book.lacks:
                await workflow.sleep(pause)
                owing = book.owing(_MOST_LOOKED_FOR)
                pause = min(pause * 2, _LONGEST_LOOK) if owing else _FIRST_LOOK
                await self._look_for(owing)
            if workflow.now() >= look_at:
                await self._look_for(book.silent(_MOST_LOOKED_FOR))
                look_at = workflow.now() + _SILENCE

    async def _look_for(self, silent: list[LedgerBlock]) -> None:
        if not silent:
            return
        asked = LedgerHolders(blocks=tuple(silent))
        try:
            found = await served(
                LedgerActivities.holders,
                asked,
                summary=f"which of {len(asked.blocks)} runs go on",
                options=policy.ledger_holders_policy(),
            )
        except FailureError as error:
            if is_cancelled_exception(error):
                # The next execution looks. The server refuses for ever what would begin after the end of this one.
                raise asyncio.CancelledError from error
            # The server cannot be asked: it is tried again after a while.
            return
        for run in found.ended:
            self._book.ended(run)
        self._serve()


def _can_be_answered(asked: object) -> bool:
    """Return whether something was sent by a run.

    Anybody who reaches the namespace may send a signal.
    """
    return isinstance(asked, ShareAsked) and 0 < len(asked.run_id.encode(errors="replace")) <= limits.ID_BYTES


def _stirred(book: Book) -> Callable[[], bool]:
    """Return what says whether somebody lacks something.

    Or began or ceased to wait for more.
    """
    waits = bool(book.waiting)
    return lambda: book.lacks or bool(book.waiting) != waits


def _refuse(why: str) -> None:
    """Refuse what cannot be taken, if there is a reason.

    Nothing of it comes into the history.
    """
    if why:
        raise ApplicationError(why, type=names.LEDGER_REFUSED, non_retryable=True)
