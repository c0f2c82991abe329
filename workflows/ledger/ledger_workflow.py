"""The workflow of a ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from ...activities.control.ledgers import LedgerActivities
    from ...contracts import names
    from ...contracts.contract import Contract
    from ...contracts.wire.control.ledger import (
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
    from .book import Block, Book

_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError)

_FIRST_LOOK: Final = timedelta(seconds=5)
_LONGEST_LOOK: Final = timedelta(minutes=2)
"""How long runs that were asked to give something back are waited for, before it is looked whether they go on."""

_SILENCE: Final = timedelta(minutes=20)
"""After so long without a word of any run it is looked whether they go on, although nobody waits for them."""

_MOST_LOOKED_FOR = 200
"""Runs that are looked for at once."""


@workflow.defn(name=names.LEDGER_WORKFLOW, sandboxed=False, failure_exception_types=_UNREADABLE)
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
        self._heard = 0
        """How many messages came."""

    @workflow.run
    async def run(self, ledger: LedgerInput) -> None:  # noqa: ARG002 - taken by __init__, as the SDK wants it
        """Serve until a further execution does."""
        self._serve()
        looking = asyncio.create_task(self._look_after())
        await workflow.wait_condition(lambda: workflow.info().is_continue_as_new_suggested())
        # From now on it answers nothing: what it is told comes with the next execution.
        await workflow.wait_condition(lambda: not self._sending and workflow.all_handlers_finished())
        looking.cancel()
        workflow.continue_as_new(self._book.carried())

    @workflow.signal(name=names.SHARE_ASKED_SIGNAL)
    def asked(self, asked: ShareAsked) -> None:
        """Take in what a run gives back and has spent, and what it asks for."""
        self._heard += 1
        self._book.hear(asked, workflow.now())
        self._serve()

    @workflow.update(name=names.LEDGER_SET_UPDATE)
    def limit(self, limits: LedgerSet) -> LedgerState:
        """Take in its limits from now on."""
        self._book.limit(limits)
        self._serve()
        return self._book.state(workflow.now())

    @limit.validator
    def _check_set(self, limits: LedgerSet) -> None:
        _refuse(why_not_said_by(limits.by, limits.note))

    @workflow.update(name=names.LEDGER_TOP_UP_UPDATE)
    def top_up(self, by: LedgerTopUp) -> LedgerState:
        """Allow more in this period."""
        if self._book.top_up(by, update_id(), workflow.now()):
            self._serve()
        return self._book.state(workflow.now())

    @top_up.validator
    def _check_top_up(self, by: LedgerTopUp) -> None:
        _refuse(why_not_said_by(by.by, by.note) or self._book.why_not_topped_up(by))

    @workflow.query(name=names.LEDGER_QUERY)
    def state(self, query: LedgerQuery) -> LedgerState:
        """Return what it may spend, holds and has spent."""
        return self._book.state(query.at)

    def _serve(self) -> None:
        """Answer what can be answered, and want back what is lacking."""
        if workflow.info().is_continue_as_new_suggested():
            return
        for asked, given in self._book.answers(workflow.now()):
            in_background(self._answer(asked, given))
        for block in self._book.to_recall():
            in_background(self._recall(block))

    async def _answer(self, asked: ShareAsked, given: ShareGiven) -> None:
        if not await self._sent(asked.run_id, names.SHARE_GIVEN_SIGNAL, given):
            self._book.take_back(asked, given)
            self._serve()

    async def _recall(self, block: Block) -> None:
        # One that has ended is found out by looking.
        await self._sent(block.run_id, names.SHARE_RECALLED_SIGNAL, ShareRecalled(by=workflow.info().workflow_id))

    async def _sent(self, run_id: str, signal: str, message: Contract) -> bool:
        self._sending += 1
        try:
            await send_signal(run_id, signal, message)
        except FailureError:
            return False
        finally:
            self._sending -= 1
        return True

    async def _look_after(self) -> None:
        """Look for runs that say nothing, and for the next period, time and again."""
        book, pause = self._book, _FIRST_LOOK
        while True:
            await workflow.wait_condition(lambda: bool(book.blocks or book.waiting))
            heard = self._heard
            with suppress(TimeoutError):
                quiet = book.quiet_for(_SILENCE, workflow.now())
                await workflow.wait_condition(_stirred(book), timeout=quiet)
            # Another period may have begun.
            self._serve()
            if lacks := book.lacks:
                await workflow.sleep(pause)
            if lacks and book.lacks:
                pause = min(pause * 2, _LONGEST_LOOK)
                await self._look_for([one for one in book.blocks.values() if one.recalled])
            elif lacks or heard != self._heard:
                pause = _FIRST_LOOK
            elif book.blocks:
                await self._look_for([*book.blocks.values()])

    async def _look_for(self, silent: list[Block]) -> None:
        asked = LedgerHolders(blocks=tuple(one.told for one in silent[:_MOST_LOOKED_FOR]))
        try:
            found = await served(
                LedgerActivities.holders,
                asked,
                summary=f"which of {len(asked.blocks)} runs go on",
                options=policy.ledger_policy(),
            )
        except FailureError:
            # The server cannot be asked: it is tried again after a while.
            return
        for run in found.ended:
            self._book.ended(run)
        self._serve()


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
