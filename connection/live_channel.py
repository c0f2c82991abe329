"""The live channel: streams of Valkey or Redis.

They carry what calls say while they are under way. Must not know what that is.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ..activities.call.live import LiveChannelDown, Watched
from ..contracts.errors import SetupError

if TYPE_CHECKING:
    from redis.asyncio import Redis

_FIELD: Final = b"f"
_WATCHED: Final = "sostenuto:watched"
_MOST_FRAMES: Final = 10_000
"""Of a stream, about: the oldest go first."""
_EXPIRY_SECONDS: Final = 600
"""A stream goes so long after its last frame: by then the history has what it said."""
_RENEWAL_SECONDS: Final = 60.0
_PATIENCE_SECONDS: Final = 2.0
_SCHEMES: Final = ("redis", "rediss", "unix")


class RedisChannel:
    """The streams of one server.

    Args:
        url: `redis://[[user]:password@]host:port[/database]`, `rediss://` with TLS, or `unix://` and a path.

    Raises:
        SetupError: The address is none, or the package `redis` is not installed.
    """

    def __init__(self, url: str) -> None:
        self.shown = _without_password(url)
        """The address, for people."""
        self._client = redis_client(url)
        self._renewed: dict[str, float] = {}

    async def append(self, frames: Mapping[str, Sequence[bytes]]) -> None:
        """Add frames to streams, by name.

        Raises:
            LiveChannelDown: The server does not take them.
        """
        now = time.monotonic()
        # Its type is that of a client, whose calls are to be awaited; here they are kept.
        pipeline: Any = self._client.pipeline(transaction=False)
        for stream, said in frames.items():
            for frame in said:
                pipeline.xadd(stream, {_FIELD: frame}, maxlen=_MOST_FRAMES, approximate=True)
            if now - self._renewed.get(stream, -_RENEWAL_SECONDS) >= _RENEWAL_SECONDS:
                pipeline.expire(stream, _EXPIRY_SECONDS)
                self._renewed[stream] = now
        if len(self._renewed) > _MOST_FRAMES:
            self._renewed = {one: when for one, when in self._renewed.items() if now - when < _RENEWAL_SECONDS}
        await self._answered(pipeline.execute(), _PATIENCE_SECONDS)

    async def read(self, stream: str, after: str, *, wait_seconds: float, limit: int) -> tuple[str, Sequence[bytes]]:
        """Return the id of the last entry that was read, and the frames.

        Waits for the first of them.

        Args:
            stream: Its name.
            after: Id of the entry after which to begin; `0` stands before all.
            wait_seconds: How long to wait: then nothing is returned.
            limit: Most entries.

        Raises:
            LiveChannelDown: The server does not answer.
        """
        entries = await self._entries(stream, after, wait_seconds, limit)
        return entries[-1][0].decode() if entries else after, [fields.get(_FIELD, b"") for _, fields in entries]

    async def watch(self, namespace: str, root_id: str, stream: str) -> None:
        """Say that somebody watches a run. To be said again every few seconds.

        Raises:
            LiveChannelDown: The server does not take it.
        """
        pipeline: Any = self._client.pipeline(transaction=False)
        said = {"namespace": namespace, "root": root_id, "stream": stream}
        pipeline.xadd(_WATCHED, said, maxlen=_MOST_FRAMES, approximate=True)
        pipeline.expire(_WATCHED, _EXPIRY_SECONDS)
        await self._answered(pipeline.execute(), _PATIENCE_SECONDS)

    async def watched(self, after: str, *, wait_seconds: float) -> Sequence[Watched]:
        """Return what is watched.

        Raises:
            LiveChannelDown: The server does not answer.
        """
        entries = await self._entries(_WATCHED, after, wait_seconds, _MOST_FRAMES)
        return [
            Watched(entry.decode(), *(_text(fields.get(name, b"")) for name in (b"namespace", b"root", b"stream")))
            for entry, fields in entries
        ]

    async def check(self) -> None:
        """Return if the server answers.

        Raises:
            LiveChannelDown: It does not; says why.
        """
        await self._answered(self._client.ping(), _PATIENCE_SECONDS)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _entries(self, stream: str, after: str, wait_seconds: float, limit: int) -> Sequence[Any]:
        asked = self._client.xread({stream: after}, count=limit, block=max(1, int(wait_seconds * 1000)))
        found = await self._answered(asked, wait_seconds + _PATIENCE_SECONDS)
        return found[0][1] if found else ()

    async def _answered(self, asked: Any, seconds: float) -> Any:
        from redis.exceptions import RedisError  # noqa: PLC0415 - see `redis_client`

        try:
            async with asyncio.timeout(seconds):
                return await asked
        except TimeoutError:
            why = f"no answer within {seconds:g} s"
        except (RedisError, OSError) as error:
            why = str(error) or type(error).__name__
        raise LiveChannelDown(f"the live channel at {self.shown} does not answer ({why})")


def _text(said: bytes) -> str:
    return said.decode(errors="replace")


def redis_url_setting(environ: Mapping[str, str] = os.environ) -> str:
    """Return the address that `SOSTENUTO_REDIS_URL` names, or nothing."""
    return environ.get("SOSTENUTO_REDIS_URL", "").strip()


def redis_client(url: str) -> Redis:
    """Return a client of a server, which tries nothing for long.

    Raises:
        SetupError: The address is none, or the package `redis` is not installed.
    """
    # Its import takes a third of a second, and few processes need it.
    try:
        from redis.asyncio import Redis  # noqa: PLC0415
        from redis.asyncio.retry import Retry  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415
    except ImportError:
        raise SetupError("the package redis is not installed, which SOSTENUTO_REDIS_URL needs") from None
    try:
        if urlsplit(url).scheme not in _SCHEMES:
            raise ValueError(f"it begins with none of {', '.join(f'{scheme}://' for scheme in _SCHEMES)}")
        # A frame that cannot be sent at once is old when it can be.
        return Redis.from_url(
            url, protocol=2, socket_timeout=None, socket_connect_timeout=_PATIENCE_SECONDS, retry=Retry(NoBackoff(), 1)
        )
    except ValueError as error:
        raise SetupError(f"SOSTENUTO_REDIS_URL {_without_password(url)!r} is no address of a server: {error}") from None


def _without_password(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = f"{parts.hostname or ''}" + (f":{parts.port}" if parts.port else "")
    except ValueError:
        return "(unreadable)"
    return f"{parts.scheme}://{host}{parts.path}"
