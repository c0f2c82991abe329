"""Asks at the prompt about what waits, while a run or a chat is shown."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from ....contracts.errors import SostenutoError
from ....contracts.wire.control.approval_event import ApprovalRequested
from ....contracts.wire.control.budget_event import BudgetSpent
from ....contracts.wire.live import StreamItem
from ..chat.written_lines import WrittenLines
from .questions import BudgetQuestion, CallQuestion, Prompted

if TYPE_CHECKING:
    from ...chats.chat import Chat
    from ...run import Run

_LOOK_SECONDS: Final = 1.0
"""How often it is looked whether somebody else has decided meanwhile."""

Waits: TypeAlias = ApprovalRequested | BudgetSpent


def is_asked(item: StreamItem) -> Waits | None:
    """Return an event that says that something waits for a person; None of any other."""
    if isinstance(item, ApprovalRequested) or (isinstance(item, BudgetSpent) and item.then == "ask"):
        return item
    return None


class Asking:
    """Asks whoever sits at the terminal, about one thing after the other.

    Where nobody does, it says by which command it is decided.

    Args:
        run: Whose calls and budgets.
        say: Prints a line.
        lines: What is written, where something else reads it too.
        asks: Whether to ask at all: else it says how it is decided.
    """

    def __init__(
        self,
        run: Run | Chat,
        say: Callable[[str], None],
        lines: WrittenLines | None = None,
        *,
        asks: bool = True,
    ) -> None:
        self._run = run
        self._say = say
        self._lines = lines or WrittenLines()
        self._asks = asks and self._lines.is_typed

    async def about(self, event: Waits) -> None:
        """Ask about what waits, until it is decided or left."""
        question: Prompted = (
            CallQuestion(self._run, event) if isinstance(event, ApprovalRequested) else BudgetQuestion(self._run, event)
        )
        shown: list[str] | None = None
        while await question.waits():
            if question.lines != shown:
                shown = [*question.lines]
                for told in shown:
                    self._say(f"         {told}")
            if not (self._asks and question.choices):
                self._say(f"       {question.command}")
                return
            line = await self._written(question)
            if line is None or not await self._said(question, line.strip()):
                return

    async def _written(self, question: Prompted) -> str | None:
        """Return what is written; None where it waits no more."""
        if self._lines.is_stale:
            # What is written now may have been meant for what waits no more.
            self._say("       an earlier call waits no more: press Enter to be asked about this one")
            await self._lines.next()
        self._say(f"       {question.choices}")
        reading = asyncio.ensure_future(self._lines.next())
        try:
            while not reading.done():
                await asyncio.wait([reading], timeout=_LOOK_SECONDS)
                if not reading.done() and not await question.waits():
                    self._lines.is_stale = True
                    self._say(f"       {question.name} waits no more")
                    return None
            # Where nothing more comes it is left, as by Enter.
            return reading.result() or ""
        finally:
            # Whoever asks next gets the line.
            reading.cancel()

    async def _said(self, question: Prompted, line: str) -> bool:
        """Take what was written; return whether to ask once more."""
        if not line:
            self._say(f"       left: {question.command}")
            return False
        try:
            told, is_all = await question.take(line)
        except (SostenutoError, ValueError, argparse.ArgumentTypeError) as error:
            self._say(f"       {error}")
            return True
        if told:
            self._say(f"       {told}")
        return not is_all
