"""Asks at the prompt about calls that wait, while a run or a chat is shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ....contracts.errors import SostenutoError
from ....contracts.wire.control.approval_event import ApprovalRequested, PendingApproval
from ..chat.written_lines import WrittenLines
from .deciding import login_name, missing_words
from .shown import argument_lines, command_for

if TYPE_CHECKING:
    from ....contracts.wire.control.decision import Decided
    from ...chats.chat import Chat
    from ...run import Run

_LOOK_SECONDS: Final = 1.0
"""How often it is looked whether somebody else has decided meanwhile."""

_Said = dict[str, Any]


class Asking:
    """Asks whoever sits at the terminal, one call after the other.

    Where nobody does, it says by which command a call is decided.

    Args:
        run: Whose calls.
        say: Prints a line.
        lines: What is written, where something else reads it too.
    """

    def __init__(self, run: Run | Chat, say: Callable[[str], None], lines: WrittenLines | None = None) -> None:
        self._run = run
        self._say = say
        self._lines = lines or WrittenLines()
        self._asks = self._lines.is_typed

    async def about(self, event: ApprovalRequested) -> None:
        """Ask about a call that waits, until it is decided or left."""
        shown = ""
        while call := await self._pending(event):
            if call.hash != shown:
                for told in argument_lines(call.arguments):
                    self._say(f"         {told}")
                shown = call.hash
            if not self._asks:
                self._say(f"       {self._command(call)}")
                return
            line = await self._written(event, _choices(call))
            if line is None or not await self._said(call, line.strip()):
                return

    async def _written(self, event: ApprovalRequested, choices: str) -> str | None:
        """Return what is written; None where the call waits no more."""
        if self._lines.is_stale:
            # What is written now may have been meant for a call that waits no more.
            self._say("       an earlier call waits no more: press Enter to be asked about this one")
            await self._lines.next()
        self._say(f"       {choices}")
        reading = asyncio.ensure_future(self._lines.next())
        try:
            while not reading.done():
                await asyncio.wait([reading], timeout=_LOOK_SECONDS)
                if not reading.done() and not await self._pending(event):
                    self._lines.is_stale = True
                    self._say(f"       {event.name} waits no more")
                    return None
            # Where nothing more comes it is left, as by Enter.
            return reading.result() or ""
        finally:
            # Whoever asks next gets the line.
            reading.cancel()

    async def _pending(self, event: ApprovalRequested) -> PendingApproval | None:
        """Return the call as it is now; None where it waits no more."""
        waiting = await self._run.approvals()
        return next((one for one in waiting if (one.path, one.call_id) == (event.path, event.call_id)), None)

    async def _said(self, call: PendingApproval, line: str) -> bool:
        """Take what was written; return whether to ask once more."""
        if not line:
            self._say(f"       left: {self._command(call)}")
            return False
        try:
            decided = await self._decided(call, line)
        except (SostenutoError, ValueError) as error:
            self._say(f"       {error}")
            return True
        if decided and decided.missing:
            self._say(f"       noted{missing_words(decided)}")
        return decided is None

    async def _decided(self, call: PendingApproval, line: str) -> Decided | None:
        """Decide as was written; None where that is nothing that was offered.

        Raises:
            SostenutoError: The run does not take it.
            ValueError: The arguments are no JSON object.
        """
        said: _Said = {"by": login_name(), "path": call.path, "hash": call.hash}
        if call.question:
            return await self._run.answer(call.call_id, line, **said)
        word, _, rest = line.partition(" ")
        match word.lower():
            case "y" | "yes":
                return await self._run.approve(call.call_id, **said, note=rest.strip())
            case "a" | "always" if call.grants:
                return await self._run.approve(call.call_id, **said, note=rest.strip(), for_rest=True)
            case "n" | "no":
                return await self._run.deny(call.call_id, **said, note=rest.strip())
            case "e" | "edit":
                return await self._run.edit(call.call_id, json.loads(rest), **said)
            case _:
                return None

    def _command(self, call: PendingApproval) -> str:
        return f"to decide: {command_for(self._run.id, call.call_id, question=call.question)}"


def _choices(call: PendingApproval) -> str:
    if call.question:
        return "your answer, or Enter to leave it:"
    rest = " · a yes, and to all of its calls" if call.grants else ""
    return f"y yes{rest} · n no, with a note · e {{…}} yes with other arguments · Enter leaves it:"
