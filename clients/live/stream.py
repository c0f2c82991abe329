"""Merges the durable events of a run with what its calls say meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing, suppress
from functools import cache
from typing import Final

from pydantic import ValidationError
from temporalio.client import Client as TemporalClient

from ...activities.call.live import WATCHED_SECONDS, LiveChannelDown
from ...connection.connect import redis_url_of
from ...connection.live_channel import RedisChannel
from ...contracts.wire.event import Event
from ...contracts.wire.live import Frame, LiveItem, StreamItem, stream_name
from ...contracts.wire.places import SEPARATOR
from .open_calls import OpenCalls, durable_part

_LOG: Final = logging.getLogger(__name__)

_WAIT_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 1.0
_MOST_AT_ONCE: Final = 500
_SAYING_SECONDS: Final = WATCHED_SECONDS / 3


@cache
def tell_that_no_channel_is_known() -> None:
    """Say once that nobody sees tokens here."""
    _LOG.warning(
        "only events are told, and no tokens: no live channel is known here. `sostenuto dev` has one; else set "
        "SOSTENUTO_REDIS_URL, here and for the workers"
    )


class FrameReader:
    """Reads the live stream of a run, and says meanwhile that it is watched.

    Args:
        url: Address of the live channel. Empty: there is none, and nothing is read.
        namespace: Of Temporal, in which the run is.
        run_id: Id of the run.
        execution: Temporal's run id of the first execution of its root.
        after: Id of the frame after which to begin.
    """

    def __init__(self, url: str, namespace: str, run_id: str, execution: str, after: str = "0") -> None:
        self._channel = RedisChannel(url) if url else None
        self._run_id = run_id
        self._root = (namespace, run_id.partition(SEPARATOR)[0], stream_name(execution))
        self.after = after
        """Id of the last frame that was read."""
        self._is_down = False
        self._saying: asyncio.Task[None] | None = None

    async def next(self) -> list[Frame]:
        """Wait for frames and return them; also returns with none."""
        if self._channel is None:
            await asyncio.sleep(_PAUSE_SECONDS)
            return []
        if self._saying is None:
            self._saying = asyncio.create_task(self._say(self._channel))
        stream = self._root[-1]
        try:
            self.after, said = await self._channel.read(
                stream, self.after, wait_seconds=_WAIT_SECONDS, limit=_MOST_AT_ONCE
            )
        except LiveChannelDown as error:
            if not self._is_down:
                _LOG.warning("no tokens for now, and events go on: %s", error)
            self._is_down = True
            await asyncio.sleep(_PAUSE_SECONDS)
            return []
        self._is_down = False
        return list(self._own(said))

    def _own(self, said: Iterable[bytes]) -> Iterator[Frame]:
        for written in said:
            # What is none is of another version, or of a stranger: the history will tell.
            with suppress(ValidationError):
                frame = Frame.model_validate_json(written)
                if f"{frame.run_id}{SEPARATOR}".startswith(f"{self._run_id}{SEPARATOR}"):
                    yield frame

    async def aclose(self) -> None:
        """Close the connections."""
        if self._saying:
            self._saying.cancel()
            await asyncio.gather(self._saying, return_exceptions=True)
        if self._channel:
            await self._channel.aclose()

    async def _say(self, channel: RedisChannel) -> None:
        while True:
            pause = _SAYING_SECONDS
            try:
                await channel.watch(*self._root)
            except LiveChannelDown:
                # That it is, whoever reads it says.
                pause = _PAUSE_SECONDS
            await asyncio.sleep(pause)


async def stream_items(
    events: AsyncGenerator[Event, None], reader: FrameReader, after: str
) -> AsyncGenerator[StreamItem, None]:
    """Yield events and items in one order.

    Args:
        events: Of the run, from where `after` says.
        reader: Reads what is said meanwhile.
        after: Position of the last item that was seen; empty for none.
    """
    calls = OpenCalls.resumed(after)
    durable = durable_part(after)

    def stamped(items: Iterable[LiveItem]) -> Iterator[LiveItem]:
        for item in items:
            yield item.model_copy(update={"position": calls.position(durable)})

    async with aclosing(_either(events, reader)) as found:
        async for one in found:
            frames: Sequence[Frame]
            if isinstance(one, Sequence):
                frames = one
            else:
                for item in stamped(calls.before(one)):
                    yield item
                durable = one.position
                frames = calls.opened(one)
                position = calls.position(durable)
                yield one if position == durable else one.model_copy(update={"cursor": position})
            for item in stamped(calls.items(frames)):
                yield item


async def _either(
    events: AsyncGenerator[Event, None], reader: FrameReader
) -> AsyncGenerator[Event | Sequence[Frame], None]:
    """Yield events and frames as they come, until there are no more events.

    Both wait until they are asked for: who is slow is told more at once, of what the streams keep.
    """
    happened = asyncio.ensure_future(anext(events, None))
    heard = asyncio.ensure_future(reader.next())
    try:
        while True:
            await asyncio.wait({happened, heard}, return_when=asyncio.FIRST_COMPLETED)
            if heard.done():
                yield heard.result()
                heard = asyncio.ensure_future(reader.next())
            if happened.done():
                event = happened.result()
                if event is None:
                    return
                yield event
                happened = asyncio.ensure_future(anext(events, None))
    finally:
        for task in (happened, heard):
            task.cancel()
        await asyncio.gather(happened, heard, return_exceptions=True)


def live_url(temporal: TemporalClient, redis_url: str | None) -> str:
    """Return the address of the live channel, or nothing.

    That none is known it says once.

    Args:
        temporal: Where the run is.
        redis_url: The address, where it was given.
    """
    url = redis_url_of(temporal) if redis_url is None else redis_url
    if not url:
        tell_that_no_channel_is_known()
    return url
