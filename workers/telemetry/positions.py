"""How far runs were told of.

Known to all workers that share a Valkey or Redis server: one that takes over a run goes on where the one before it was
killed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from ...connection.live_channel import redis_client

if TYPE_CHECKING:
    from redis.asyncio import Redis

_LOG: Final = logging.getLogger(__name__)
_KEPT_SECONDS: Final = 30 * 24 * 3600
_PATIENCE_SECONDS: Final = 2.0
_MOST_KNOWN: Final = 100_000


class Positions:
    """How far each run was told of, as `execution/event`.

    Args:
        redis_url: Address of the server. None: what this process did not tell itself is not known.

    Raises:
        SetupError: The address is none, or the package `redis` is not installed.
    """

    def __init__(self, redis_url: str | None) -> None:
        self._server: Redis | None = redis_client(redis_url) if redis_url else None
        self._known: dict[str, str] = {}

    @property
    def are_shared(self) -> bool:
        """Whether other workers know them."""
        return self._server is not None

    async def of(self, run: str) -> tuple[str, ...]:
        """Return how far a run was told of, where that is known.

        By this process, then by any.
        """
        found = await self._asked(self._server.get(_key(run))) if self._server else None
        known = (self._known.get(run), found.decode() if isinstance(found, bytes) else None)
        return tuple(text for text in known if text)

    def know(self, positions: Mapping[str, str]) -> None:
        """Take in how far this process has told of runs, by run."""
        for run, position in positions.items():
            self._known.pop(run, None)
            self._known[run] = position
        while len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]

    async def share(self, positions: Mapping[str, str]) -> None:
        """Keep for other workers how far runs were told of, by run."""
        if self._server and positions:
            pipeline: Any = self._server.pipeline(transaction=False)
            for run, position in positions.items():
                pipeline.set(_key(run), position, ex=_KEPT_SECONDS)
            await self._asked(pipeline.execute())

    async def close(self) -> None:
        """Close the connections."""
        if self._server:
            with suppress(Exception):
                await self._server.aclose()

    async def _asked(self, asked: Any) -> Any:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await asked
        except Exception as error:  # noqa: BLE001 - a run is told of again, from its beginning at worst
            _LOG.debug("telemetry: positions of runs are not shared now: %s", error)
            return None


def _key(run: str) -> str:
    return f"sostenuto:telemetry:{run}"
