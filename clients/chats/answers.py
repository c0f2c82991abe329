"""Waits for what the turns of a chat come to, in one reading for all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from ...contracts.wire.chats.chat_event import TurnFinished
from ...contracts.wire.live import StreamItem
from ...contracts.wire.run import Result
from .bookmark import Bookmark
from .updates import ended_before


class _NotRead(Exception):  # noqa: N818 - no error of anybody's
    """The common reading began after the turn of a message did."""


class Answers:
    """What became of the messages of one chat.

    Args:
        chat_id: Of which.
        begin: Gives a place before the turn of a message from which to read on.
        items: Yields the items of the chat from there, and moves it along.
        keep: Takes the place back.
    """

    def __init__(
        self,
        chat_id: str,
        begin: Callable[[str, str], Bookmark],
        items: Callable[[Bookmark], AsyncGenerator[StreamItem, None]],
        keep: Callable[[Bookmark], None],
    ) -> None:
        self._chat_id = chat_id
        self._begin = begin
        self._items = items
        self._keep = keep
        self._waiting: dict[str, list[asyncio.Future[Result]]] = {}
        self._reading: asyncio.Task[None] | None = None
        self._bookmark: Bookmark | None = None

    async def of(self, message_id: str, execution: str) -> Result:
        """Wait for the result of the turn of a message.

        Args:
            message_id: Id of the message, which was sent before.
            execution: Temporal's run id of the execution that took it.

        Raises:
            SpecError: The chat has ended before.
            SetupError: The server denies access.
        """
        if self._bookmark and (known := self._bookmark.projection.chat.results.get(message_id)):
            return known
        waiting: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(message_id, []).append(waiting)
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(message_id, execution))
        try:
            return await waiting
        except _NotRead:
            alone = self._begin(message_id, execution)
            return await self._read_until(alone, message_id)
        finally:
            others = [one for one in self._waiting.pop(message_id, []) if one is not waiting]
            if others:
                self._waiting[message_id] = others
            if not self._waiting and self._reading is not None:
                self._reading.cancel()

    async def _read(self, message_id: str, execution: str) -> None:
        """Read for as long as anybody waits."""
        self._bookmark = bookmark = self._begin(message_id, execution)
        try:
            await self._tell_all(bookmark)
        except Exception as error:  # noqa: BLE001 - raised where they wait
            for one in list(self._waiting):
                self._tell(one, error)
        finally:
            self._bookmark = self._reading = None
            self._keep(bookmark)
            # Those who came while this was ending.
            for one in list(self._waiting):
                self._tell(one, _NotRead())

    async def _tell_all(self, bookmark: Bookmark) -> None:
        for message_id in list(self._waiting):
            if known := bookmark.projection.chat.results.get(message_id):
                self._tell(message_id, known)
        async with aclosing(self._items(bookmark)) as items:
            while self._waiting:
                item = await anext(items, None)
                if item is None:
                    raise ended_before(self._chat_id)
                if isinstance(item, TurnFinished) and (result := bookmark.projection.chat.results.get(item.message_id)):
                    self._tell(item.message_id, result)
                for message_id in [one for one in self._waiting if bookmark.projection.chat.is_past(one)]:
                    self._tell(message_id, _NotRead())

    async def _read_until(self, bookmark: Bookmark, message_id: str) -> Result:
        async with aclosing(self._items(bookmark)) as items:
            while (result := bookmark.projection.chat.results.get(message_id)) is None:
                if await anext(items, None) is None:
                    raise ended_before(self._chat_id)
        return result

    def _tell(self, message_id: str, found: Result | Exception) -> None:
        for waiting in self._waiting.pop(message_id, ()):
            if waiting.done():
                continue
            if isinstance(found, Exception):
                waiting.set_exception(found)
            else:
                waiting.set_result(found)
