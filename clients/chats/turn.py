"""A message that is sent to a chat, and what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from temporalio.client import Client, WorkflowUpdateHandle

from ...contracts.message import Message
from ...contracts.wire.chats.chat_event import TurnFinished, TurnStarted
from ...contracts.wire.live import StreamItem
from ...contracts.wire.run import Result
from .updates import send_message, translate_refusals


@dataclass(frozen=True, slots=True)
class AskedChat:
    """What a turn needs of its chat."""

    temporal: Client
    id: str
    items: Callable[[], AsyncGenerator[StreamItem, None]]
    """Yields the items of its newest execution."""
    typed: Callable[[Result], Result]
    """Gives the output of a result its type."""


class Turn:
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
        self._sending: Any = send_message(asked.temporal, asked.id, message, message_id)
        self._sent: asyncio.Task[WorkflowUpdateHandle[Result]] | None = None

    def __repr__(self) -> str:
        return f"<turn {self.id} of chat {self._asked.id}>"

    def __await__(self) -> Generator[Any, None, Result]:
        return self.result().__await__()

    async def __aiter__(self) -> AsyncGenerator[StreamItem, None]:
        """Yield what happens in the turn, from its start to its end.

        Raises:
            ChatBusy: The chat takes no message now.
            SpecError: It has ended, there is none, or it does not take such a message.
            SetupError: The server is away, or denies access.
        """
        await self._send()
        begun = False
        async with aclosing(self._asked.items()) as items:
            async for item in items:
                begun = begun or (isinstance(item, TurnStarted) and item.message_id == self.id)
                is_end = isinstance(item, TurnFinished) and item.message_id == self.id
                if begun or is_end:
                    yield item
                if is_end:
                    return
        # The chat was ended before: this says so.
        await self.result()

    async def accepted(self) -> None:
        """Send the message, and wait until the chat has taken it.

        Raises:
            ChatBusy: The chat takes no message now.
            SpecError: It has ended, there is none, or it does not take such a message.
            SetupError: The server is away, or denies access.
        """
        await self._send()

    async def result(self) -> Result:
        """Wait until the turn has ended and return what it came to.

        The output of a completed turn is a value of the runnable's output type where this process knows it.

        Raises:
            ChatBusy: The chat takes no message now.
            SpecError: It has ended, there is none, or it does not take such a message.
            SetupError: The server is away, or denies access.
        """
        sent = await self._send()
        with translate_refusals(self._asked.id):
            result = await sent.result()
        return self._asked.typed(result)

    async def _send(self) -> WorkflowUpdateHandle[Result]:
        if self._sent is None:
            self._sent = asyncio.create_task(self._sending)
        # Whoever gives up waiting has sent it all the same.
        return await asyncio.shield(self._sent)
