"""A talk: takes lines, sends them to a chat, and shows what comes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing, suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from ....contracts.errors import SetupError, SostenutoError, SpecError
from ....contracts.text import plural
from ....contracts.wire.chats.chat_event import TurnFinished
from ....contracts.wire.live import STREAM_ITEM
from ....contracts.wire.run import Status
from ..approvals.asking import Asking, is_asked
from ..exit_status import FAILED, INTERRUPTED, USAGE, exit_status_of
from ..footnotes import with_notes
from ..hindrances import telling_hindrances
from ..interrupts import leaving, stopping
from .slash_commands import SlashCommand, help_lines, read_line
from .speakers import speaks_for
from .turn_view import TurnView

if TYPE_CHECKING:
    from ....contracts.collection.citation import Citation
    from ....contracts.specs.runnable import Runnable
    from ....contracts.wire.chats.chat import ChatTurn
    from ...chats.chat import Chat
    from ...chats.turn import Turn
    from .screen import Screen
    from .written_lines import WrittenLines

_SHOWN_TURNS: Final = 3
_HOW_TO_FORK: Final = "/fork goes on in another chat, which has all turns so far"


class Talk:
    """What is said in one chat from here, until somebody leaves.

    Args:
        chat: The chat.
        runnable: Who answers.
        screen: Where it is shown.
        lines: What is written.
        way_back: Tells how to come back to the chat of an id.
        as_json: Whether each item of a turn is printed, in place of the answer.
    """

    def __init__(
        self,
        chat: Chat,
        runnable: Runnable,
        screen: Screen,
        lines: WrittenLines,
        way_back: Callable[[str], str],
        *,
        as_json: bool = False,
    ) -> None:
        self._chat = chat
        self._runnable = runnable
        self._screen = screen
        self._lines = lines
        self._way_back = way_back
        self._as_json = as_json
        self._status = 0
        self._has_ended = False
        self._is_asking = False

    async def hold(self) -> int:
        """Talk until somebody leaves; return the exit status, that of the last turn.

        Raises:
            SpecError: There is no such chat any more.
            SetupError: The server is away, or denies access.
        """
        try:
            with leaving():
                goes_on = await self._take_up()
                while goes_on:
                    goes_on = await self._next()
        except asyncio.CancelledError:
            self._status = INTERRUPTED
        finally:
            self._screen.clear_foot()
        if self._is_asking and self._lines.is_typed:
            # The prompt still stands there.
            self._screen.say("")
        what = "has ended; /fork goes on from it" if self._has_ended else "stays open; to come back"
        self._screen.say(f"{self._chat.id} {what}: {self._way_back(self._chat.id)}")
        return self._status

    def tell_beginning(self) -> None:
        """Say which chat begins, and how to come back to it."""
        here = self._chat.id
        self._screen.say(f"▶ {here}  a chat with {self._runnable.name}; to come back: {self._way_back(here)}")

    async def _take_up(self) -> bool:
        """Show where the chat is, and follow what is under way; tell whether to go on."""
        summary, turns = await self._chat.describe(), await self._chat.history()
        if summary.title:
            self._screen.say(summary.title, style="bold")
        ended = [turn for turn in turns if turn.status]
        if len(ended) > _SHOWN_TURNS:
            self._screen.aside(f"… {plural(len(ended) - _SHOWN_TURNS, 'turn')} before: /history shows them")
        self._show(ended[-_SHOWN_TURNS:])
        self._has_ended = not summary.is_open
        if self._has_ended:
            self._screen.say(f"{self._chat.id} has ended, and takes no more messages: {_HOW_TO_FORK}")
        elif self._lines.is_typed:
            self._screen.aside("/help tells the commands; Ctrl-D leaves")
        for turn in turns:
            if turn.status is None:
                self._screen.say(f"> {turn.message.text}")
                # Sent again with its id, it is answered once.
                if not await self._attempt(self._answered(self._chat.send(turn.message, id=turn.id))):
                    return False
        return True

    async def _next(self) -> bool:
        """Do what the next line says; return whether to go on."""
        self._is_asking = True
        try:
            line = await self._lines.next()
        except SpecError as error:
            self._screen.say(str(error))
            self._status = USAGE
            return True
        if line is None:
            return False
        self._is_asking = False
        match read_line(line):
            case SlashCommand() as command:
                return await self._done(command)
            case str() as message:
                return await self._attempt(self._asked(message))
            case _:
                return True

    async def _attempt(self, doing: Awaitable[None]) -> bool:
        """Do something, or say why it cannot be done; return whether to go on."""
        try:
            await doing
        except SostenutoError as error:
            self._screen.clear_foot()
            self._screen.say(str(error))
            self._status = USAGE if isinstance(error, SpecError) else FAILED
            with suppress(SostenutoError):
                self._has_ended = not (await self._chat.describe()).is_open
            if self._has_ended:
                self._screen.say(_HOW_TO_FORK)
            # A person sees what is wrong, and a program would lose all its lines.
            return self._lines.is_typed or not (self._has_ended or isinstance(error, SetupError))
        return True

    async def _asked(self, message: str, *, pinned: bool = False) -> None:
        if self._screen.shows_words and not self._lines.is_typed:
            self._screen.say(f"> {message}")
        await self._answered(self._chat.send(message, pinned=pinned))

    async def _answered(self, turn: Turn) -> None:
        """Follow a turn to its end, and show it."""
        view = None if self._as_json else TurnView(self._screen, partial(speaks_for, self._runnable))
        interrupting = stopping(
            self._chat.interrupt,
            self._screen.say,
            first="interrupting the turn; Ctrl-C again leaves it",
            second="left the turn, which is still to be interrupted",
        )
        with interrupting:
            async with telling_hindrances(self._chat, self._screen.say) as happened, aclosing(aiter(turn)) as items:
                if view:
                    view.wait()
                await self._taken(turn)
                async for item in items:
                    happened()
                    if view is None:
                        self._screen.answer(STREAM_ITEM.dump_json(item).decode())
                    if isinstance(item, TurnFinished) and item.message_id == turn.id:
                        self._status = exit_status_of(item.status, item.reason)
                        if view:
                            view.finish(item, await self._citations(turn, item))
                        continue
                    if view:
                        view.take(item)
                    if asked := is_asked(item):
                        self._screen.clear_foot()
                        asks = view is not None
                        await Asking(self._chat, self._screen.say, self._lines, asks=asks).about(asked)

    async def _taken(self, turn: Turn) -> None:
        try:
            await turn.accepted()
        except asyncio.CancelledError:
            self._screen.say("the chat has not taken this message: send it again when you are back")
            raise

    async def _citations(self, turn: Turn, finished: TurnFinished) -> Sequence[Citation]:
        if self._runnable.may_cite and finished.status is Status.COMPLETED:
            with suppress(SostenutoError):
                return (await turn.result()).citations
        return ()

    async def _done(self, command: SlashCommand) -> bool:
        """Carry out a command; return whether to go on."""
        match command.name:
            case "quit":
                return False
            case "help":
                for text in help_lines():
                    self._screen.say(text)
                return True
            case "pin":
                return await self._attempt(self._asked(command.text, pinned=True))
            case "history":
                doing = self._show_all()
            case "title":
                doing = self._rename(command.text)
            case "fork":
                doing = self._fork()
            case "end":
                doing = self._end()
            case _:
                self._screen.say(f"there is no /{command.name}: /help tells the commands; a message has two slashes")
                self._status = self._status if self._lines.is_typed else USAGE
                return True
        before = self._status
        goes_on = await self._attempt(doing)
        self._status = before if goes_on else self._status
        return goes_on and not (self._has_ended and command.name == "end")

    async def _show_all(self) -> None:
        self._show(await self._chat.history())

    async def _rename(self, title: str) -> None:
        await self._chat.rename(title)
        self._screen.say((await self._chat.describe()).title, style="bold")

    async def _fork(self) -> None:
        self._chat = await self._chat.fork()
        self._has_ended = False
        self.tell_beginning()

    async def _end(self) -> None:
        await self._chat.end()
        self._has_ended = True

    def _show(self, turns: Iterable[ChatTurn]) -> None:
        for turn in turns:
            self._screen.say(f"> {turn.message.text}")
            if turn.output is not None:
                self._screen.say(with_notes(turn.output, ()))
            if turn.status and turn.status is not Status.COMPLETED:
                self._screen.aside(f"□ {turn.status}{f': {turn.reason}' if turn.reason else ''}")
