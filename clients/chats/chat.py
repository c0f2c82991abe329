"""A conversation as its clients see it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from functools import partial
from typing import Any, Generic
from uuid import uuid4

from pydantic import TypeAdapter
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

from ...contracts import names
from ...contracts.contract import OutT_co
from ...contracts.errors import SpecError
from ...contracts.guardrails.any_guardrail import AnyGuardrail
from ...contracts.limits import written_bytes
from ...contracts.message import Message, Role
from ...contracts.specs.input import Input, question_from
from ...contracts.specs.runnable import Runnable
from ...contracts.text import encodable, printable, shorten
from ...contracts.wire.chats.chat import ChatTurn, Taken
from ...contracts.wire.event import Event
from ...contracts.wire.live import StreamItem
from ...contracts.wire.run import Result
from ...history.events.projection import Projection
from ...history.reading.executions import context_of
from ...workflows.search_attributes import TENANT
from ..approvals.top_up_calls import TopUpCalls
from ..guardrails.restoring import Originals
from ..guardrails.screening import guardrails_of_chat, screened_messages
from ..hindrances import Hindrance
from ..live.stream import FrameReader, live_url, stream_items
from ..rpc_errors import translate_rpc_errors
from ..run import Run
from ..scores import ScoreCalls
from ..start_request import check_id, check_size
from ..typed_result import typed
from ..watch import Watch
from .answers import Answers
from .bookmark import Bookmark
from .opening import chat_begun, find_chat, open_chat, written_title
from .reading import read_chat, read_fork
from .summary import ChatSummary
from .turn import AskedChat, Turn
from .updates import send_message, send_update

_LARGE_BYTES = 100_000
_MOST_ID_CHARS = 200
"""Longest id of a message: it stands in the history of its chat for ever."""


class Chat(ScoreCalls, TopUpCalls, Generic[OutT_co]):
    """One chat. Made by `Client.chat`.

    Any number of clients may have it at once: they see the same.

    Args:
        temporal: Where it is.
        id: Its id, which is the id of its workflow.
        execution: Temporal's run id of any of its executions.
        output_type: Type of its answers, where that is known in this process.
        redis_url: Address of the live channel, see `Client`.
    """

    def __init__(
        self,
        temporal: Client,
        id: str,
        execution: str,
        output_type: TypeAdapter[Any] | None = None,
        redis_url: str | None = None,
    ) -> None:
        self.id = id
        self._temporal = temporal
        self._output_type = output_type
        self._redis_url = redis_url
        self._run = Run(temporal, id, execution, None, redis_url)
        self._first = ""
        self._large = asyncio.Lock()
        self._bookmark: Bookmark | None = None
        self._guardrails: tuple[AnyGuardrail, ...] | None = None
        self._originals = Originals(temporal, f"chat {id!r}")
        self._asked = AskedChat(
            id=id,
            send=self._send,
            bookmark=self._before,
            items=partial(self._items, live=True),
            result=Answers(id, self._before_end, partial(self._items, live=False), self._keep).of,
            keep=self._keep,
            original=self._original,
            typed=self._typed,
            held_up=self.held_up,
        )

    def __repr__(self) -> str:
        return f"<chat {self.id}>"

    def send(self, input: Input, *, id: str | None = None, pinned: bool = False) -> Turn[OutT_co]:
        """Send a message, as soon as the turn is awaited or read.

        Args:
            input: Text, a message, a list of texts and parts, or fields, as for `Client.start`.
            id: Of the message. One that is sent again is answered once. Default: a random one.
            pinned: Whether it stays in the prompt where older messages leave it.

        Raises:
            SpecError: The input is empty or too large, or the id is none.
        """
        message = question_from(input)
        if message.role is not Role.USER:
            raise SpecError(f"a message of role {message.role} is none that a chat can be sent: Message.user(…)")
        check_size(message, offload=self._temporal.data_converter.external_storage is not None)
        if id is not None and (not 0 < len(id) <= _MOST_ID_CHARS or printable(encodable(id)) != id):
            raise SpecError(
                f"id={shorten(id, 40)!r} is no id of a message: it has 1 to {_MOST_ID_CHARS} printable characters"
            )
        if pinned:
            message = message.model_copy(update={"pinned": True})
        return Turn(self._asked, message, uuid4().hex[:16] if id is None else id)

    async def events(self, after: str | None = None) -> AsyncGenerator[Event, None]:
        """Yield the events of the chat until it ends.

        As `Run.events`: durable, the same for everybody, and at no cost for the chat. Of a chat that is older than the
        server keeps histories, from what is left of it.

        Args:
            after: `Event.position` of the last event seen.

        Raises:
            SpecError: `after` is not an event of it.
        """
        async with aclosing(self._run.events(after)) as events:
            async for event in events:
                yield event

    async def stream(self, after: str | None = None) -> AsyncGenerator[StreamItem, None]:
        """Yield the events of the chat, and what its calls say meanwhile.

        As `Run.stream`.

        Args:
            after: `position` of the last item seen.

        Raises:
            SpecError: `after` is not a position in it.
            SetupError: The address of the live channel is none.
        """
        async with aclosing(self._run.stream(after)) as items:
            async for item in items:
                yield item

    async def history(self) -> tuple[ChatTurn, ...]:
        """Return its turns so far, those that wait too.

        Without those that failed before anything was said.

        Raises:
            SpecError: There is no such chat any more.
        """
        read = await self._read()
        return tuple(self._originals.put_back(turn, read.sealed) for turn in read.chat.all)

    async def transcript(self) -> tuple[Message, ...]:
        """Return all messages so far, where it is one of an agent.

        Tool calls and their results are among them.

        Raises:
            SpecError: There is no such chat any more.
        """
        return self._originals.transcript(await self._read())

    async def describe(self) -> ChatSummary:
        """Return where it is now, without reading its history.

        Raises:
            SpecError: There is no such chat any more.
        """
        return await ChatSummary.of(await self._newest())

    async def hindrances(self) -> tuple[Hindrance, ...]:
        """Return what holds up the turn under way, as `Run.hindrances`.

        Raises:
            SpecError: There is no such chat any more.
        """
        return await self._run.hindrances()

    async def interrupt(self) -> None:
        """Cancel the turn under way, if there is one. What was said in it stays.

        Raises:
            SpecError: The chat has ended.
            SetupError: The server is away, or denies access.
        """
        await send_update(self._temporal, self.id, names.CHAT_INTERRUPT_UPDATE)

    async def rename(self, title: str) -> None:
        """Give it another title.

        Raises:
            SpecError: The title is empty, or the chat has ended.
            SetupError: The server is away, or denies access.
        """
        await send_update(self._temporal, self.id, names.CHAT_RENAME_UPDATE, written_title(title))

    async def end(self) -> None:
        """Take no more messages: it ends once those that wait are answered.

        Raises:
            SpecError: It has ended already.
            SetupError: The server is away, or denies access.
        """
        await send_update(self._temporal, self.id, names.CHAT_END_UPDATE)

    async def fork(
        self, runnable: Runnable | None = None, *, at: str | None = None, id: str | None = None, title: str = ""
    ) -> Chat:
        """Begin another chat that goes on from a turn of this one.

        This one stays as it is, and no model is called.

        Args:
            runnable: Who answers there. Default: who does here, as it was when this chat began.
            at: Id of the message whose turn is the last one that it has. Default: the last that has ended.
            id: Of the new chat, without `/`. Default: this one's and a random suffix.
            title: Its title. Default: this one's.

        Raises:
            SpecError: No turn of that message has ended here, or the id belongs to something else.
            SetupError: The server is away, denies access, or no worker answers.
        """
        check_id(id)
        found = await self._newest()
        with translate_rpc_errors(f"chat {self.id!r}"):
            chat = await read_fork(self._temporal, self.id, found.run_id, at or "")
        offload = self._temporal.data_converter.external_storage is not None
        context, tenant = await context_of(found), found.typed_search_attributes.get(TENANT) or ""
        if runnable:
            runnable = chat_begun(runnable, context or None, tenant or None).runnable
        new = chat.model_copy(
            update={
                "runnable": runnable or chat.runnable,
                "title": written_title(title) or (await ChatSummary.of(found)).title,
                "offload": offload,
            }
        )
        new_id = id or f"{self.id}-{uuid4().hex[:6]}"
        execution = await open_chat(self._temporal, found.task_queue or "", new, new_id, tenant, context)
        output_type = runnable.output_type if runnable else self._output_type
        return Chat(self._temporal, new_id, execution, output_type, self._redis_url)

    async def _newest(self) -> WorkflowExecutionDescription:
        return await find_chat(self._temporal, self.id)

    async def _read(self) -> Projection:
        newest = await self._newest()
        with translate_rpc_errors(f"chat {self.id!r}"):
            return await read_chat(self._temporal, self.id, newest.run_id)

    async def _send(self, message: Message, message_id: str) -> tuple[Taken, str]:
        """Send a message; one after the other where they are large.

        All that a server lets be under way at once goes to the worker in one message, which has four megabytes.
        """
        if self._guardrails is None:
            self._guardrails = await guardrails_of_chat(self._temporal, self.id, (await self._newest()).run_id)
        found = await screened_messages(self._temporal, self._guardrails, self.id, (message,))
        [message], screened = found.messages, found.screened
        if written_bytes(message) < _LARGE_BYTES:
            return await send_message(self._temporal, self.id, message, message_id, screened)
        async with self._large:
            return await send_message(self._temporal, self.id, message, message_id, screened)

    def _original(self, result: Result) -> Result:
        return self._originals.in_result(result, {})

    def _typed(self, result: Result) -> Result:
        return typed(f"chat {self.id!r}", self._output_type, self._original(result))

    def _before(self, message_id: str, execution: str) -> Bookmark:
        """Return a place before the turn of a message, to read all of it.

        Where somebody stopped reading, if nobody reads on from there; else the beginning of the execution that took it.
        """
        if self._bookmark and self._bookmark.projection.chat.knows(message_id):
            return Bookmark.at_the_beginning(self._temporal.data_converter, execution)
        return self._before_end(message_id, execution)

    def _before_end(self, message_id: str, execution: str) -> Bookmark:
        """Return a place that knows what a turn came to, or comes before its end."""
        bookmark, self._bookmark = self._bookmark, None
        if bookmark is None or bookmark.projection.chat.is_past(message_id):
            return Bookmark.at_the_beginning(self._temporal.data_converter, execution)
        return bookmark

    def _keep(self, bookmark: Bookmark) -> None:
        self._bookmark = bookmark

    async def _items(self, bookmark: Bookmark, *, live: bool) -> AsyncGenerator[StreamItem, None]:
        """Yield the items of its newest execution from a bookmark on, and move that along."""
        if not self._first:
            self._first = (await self._newest()).raw_info.first_run_id
        url = live_url(self._temporal, self._redis_url) if live else ""
        async with AsyncExitStack() as stack:
            stack.enter_context(translate_rpc_errors(f"chat {self.id!r}"))
            events = await stack.enter_async_context(aclosing(self._events(bookmark)))
            if not url:
                async for event in events:
                    yield event
                return
            reader = FrameReader(url, self._temporal.namespace, self.id, self._first, bookmark.frames)
            await stack.enter_async_context(aclosing(reader))
            items = await stack.enter_async_context(aclosing(stream_items(events, reader, "")))
            async for item in items:
                bookmark.frames = reader.after
                yield item

    async def _events(self, bookmark: Bookmark) -> AsyncGenerator[Event, None]:
        """Yield the events from a bookmark on.

        Also where its execution was reset meanwhile, or is past the retention time.
        """
        while True:
            going_on = (bookmark.projection, bookmark.mark)
            watch = Watch(self._temporal, self.id, [bookmark.mark.execution], going_on=going_on)
            gone: RPCError | None = None
            try:
                async with aclosing(watch.events()) as events:
                    async for event in events:
                        yield event
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                gone = error
            newest = await self._newest()
            if newest.run_id == bookmark.mark.execution:
                if gone:
                    raise gone
                return
            bookmark.begin_again(newest.run_id)
