"""A message that is sent to a chat, and what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Generic

from ...contracts.contract import OutT_co
from ...contracts.message import Message
from ...contracts.wire.chats.chat import Taken
from ...contracts.wire.chats.chat_event import TurnFinished, TurnStarted
from ...contracts.wire.live import StreamItem
from ...contracts.wire.run import Result
from ..waiting import HeldUp, logging_hindrances
from .bookmark import Bookmark
from .updates import ended_before


@dataclass(frozen=True, slots=True)
class AskedChat:
    """What a turn needs of its chat."""

    id: str
    send: Callable[[Message, str], Coroutine[Any, Any, tuple[Taken, str]]]
    """Sends a message under an id; tells Temporal's run id of the execution that took it, too."""
    bookmark: Callable[[str, str], Bookmark]
    """Gives a place from which to read, before the turn of a message that an execution took."""
    items: Callable[[Bookmark], AsyncGenerator[StreamItem, None]]
    """Yields the items of the chat from there, those of the live channel too."""
    result: Callable[[str, str], Coroutine[Any, Any, Result]]
    """Waits for the result of the turn of a message that an execution took."""
    keep: Callable[[Bookmark], None]
    """Takes a bookmark back."""
    original: Callable[[Result], Result]
    """Puts back what was redacted, where this process can."""
    typed: Callable[[Result], Result]
    """Gives the output of a result its type."""
    held_up: Callable[[], Coroutine[Any, Any, Sequence[HeldUp]]]
    """Tells what holds it up, people too."""


class Turn(Generic[OutT_co]):
    """One turn of a chat. Made by `Chat.send`.

    The message is sent as soon as one of these is awaited:

        async for item in chat.send("Where is order 7?"): ...   # what happens in the turn, tokens too
        result = await chat.send("Where is order 7?")           # what it came to
        turn = chat.send("Where is order 7?")
        await turn.accepted()                                   # that the chat has the message
    """

    def __init__(self, asked: AskedChat, message: Message, message_id: str) -> None:
        self.id = message_id
        """Id of the message. One that is sent again with the same id is answered once."""
        self.message = message
        self._asked = asked
        # A coroutine warns where nobody awaits it: what is never sent must not go unnoticed.
        self._sending = self._send()
        self._sent: asyncio.Task[None] | None = None
        self._result: Result[OutT_co] | None = None
        self._execution = ""

    def __repr__(self) -> str:
        return f"<turn {self.id} of chat {self._asked.id}>"

    def __await__(self) -> Generator[Any, None, Result[OutT_co]]:
        return self.result().__await__()

    async def __aiter__(self) -> AsyncGenerator[StreamItem, None]:
        """Yield what happens in the turn, from its start to its end.

        Raises:
            ChatBusy: The chat takes no message now.
            SpecError: It has ended, there is none, or it does not take such a message.
            SetupError: The server is away, or denies access.
        """
        await self.accepted()
        bookmark = self._asked.bookmark(self.id, self._execution)
        begun = False
        async with aclosing(self._asked.items(bookmark)) as items:
            async for item in items:
                begun = begun or (isinstance(item, TurnStarted) and item.message_id == self.id)
                is_end = isinstance(item, TurnFinished) and item.message_id == self.id
                if is_end:
                    self._result = bookmark.projection.chat.results.get(self.id)
                if begun or is_end:
                    yield self._shown(item) if is_end else item
                if is_end:
                    break
        if self._result is None:
            raise ended_before(self._asked.id)
        self._asked.keep(bookmark)

    def _shown(self, end: StreamItem) -> StreamItem:
        """Return the end of the turn with originals, where this process has them."""
        if self._result is None:
            return end
        return end.model_copy(update={"output": self._asked.original(self._result).output})

    async def accepted(self) -> None:
        """Send the message, and wait until the chat has taken it.

        Raises:
            ChatBusy: The chat takes no message now.
            SpecError: It has ended, there is none, or it does not take such a message.
            SetupError: The server is away, or denies access.
        """
        if self._sent is None:
            self._sent = asyncio.create_task(self._sending)
            # Whoever gave up waiting wants to hear no error.
            self._sent.add_done_callback(lambda sent: sent.cancelled() or sent.exception())
        # Whoever gives up waiting has sent it all the same.
        await asyncio.shield(self._sent)

    async def result(self) -> Result[OutT_co]:
        """Wait until the turn has ended and return what it came to.

        The output of a completed turn is a value of the runnable's output type where this process knows it. What holds
        it up is logged, as by `Run.result`.

        Raises:
            ChatBusy: The chat takes no message now.
            SpecError: It has ended, there is none, or it does not take such a message.
            SetupError: The server is away, or denies access.
        """
        async with logging_hindrances(f"chat {self._asked.id!r}", self._asked.held_up):
            await self.accepted()
            self._result = self._result or await self._asked.result(self.id, self._execution)
        return self._asked.typed(self._result)

    async def _send(self) -> None:
        taken, self._execution = await self._asked.send(self.message, self.id)
        self._result = taken.result
