"""One directory of shards for all worker processes of a machine.

Whoever locks it first owns it, and serves the others. When that process ends, killed or not, another takes its place at
its next call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ...knowledge.store.vector_store import Hit, Layout, Leg, Point, Record, StoreUnavailable, Where
from .calls import announced
from .guest import Guest
from .owner import Owner

_WAIT_SECONDS: Final = 15.0
_PAUSE_SECONDS: Final = 0.05


class EdgeStore:
    """A vector store in a directory that several processes of this machine share.

    Args:
        directory: Where the shards are. It exists.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = asyncio.Lock()
        self._owner: Owner | None = None
        self._guest: Guest | None = None
        self._closed = False

    @property
    def owns(self) -> bool:
        """Whether this is the process that has the shards."""
        return self._owner is not None

    async def sets(self) -> Sequence[str]:
        """Return the names of all sets."""
        found: Sequence[str] = await self._call("sets")
        return found

    async def create(self, name: str, layout: Layout) -> None:
        """Make a set, where there is none."""
        await self._call("create", name=name, layout=layout)

    async def drop(self, name: str) -> None:
        """Delete a set, where there is one."""
        await self._call("drop", name=name)

    async def upsert(self, name: str, points: Sequence[Point]) -> None:
        """Store points, in place of those with the same ids."""
        await self._call("upsert", name=name, points=points)

    async def set_payload(self, name: str, where: Sequence[Where], values: Mapping[str, Any]) -> None:
        """Set values in the payload of every point that the conditions hold for."""
        await self._call("set_payload", name=name, where=where, values=values)

    async def delete(self, name: str, where: Sequence[Where]) -> None:
        """Delete every point that the conditions hold for."""
        await self._call("delete", name=name, where=where)

    async def read(self, name: str, ids: Sequence[str]) -> Sequence[Record]:
        """Return the points of these ids that are there."""
        found: Sequence[Record] = await self._call("read", name=name, ids=ids)
        return found

    async def scroll(
        self, name: str, where: Sequence[Where], *, limit: int, after: str = "", keys: Sequence[str] = ()
    ) -> Sequence[Record]:
        """Return points that the conditions hold for, in the order of their ids."""
        found: Sequence[Record] = await self._call(
            "scroll", name=name, where=where, limit=limit, after=after, keys=keys
        )
        return found

    async def count(self, name: str, where: Sequence[Where]) -> int:
        """Return how many points the conditions hold for."""
        found: int = await self._call("count", name=name, where=where)
        return found

    async def search(self, name: str, legs: Sequence[Leg], where: Sequence[Where]) -> Sequence[Sequence[Hit]]:
        """Return the nearest points of each leg, the best first.

        The conditions hold for all of them.
        """
        found: Sequence[Sequence[Hit]] = await self._call("search", name=name, legs=legs, where=where)
        return found

    async def optimize(self, name: str) -> None:
        """Build the indexes that make searches of a large set fast."""
        await self._call("optimize", name=name)

    async def close(self) -> None:
        """Release the directory, or the connections to who owns it."""
        async with self._lock:
            self._closed = True
            if self._owner:
                await self._owner.close()
            if self._guest:
                self._guest.close()
            self._owner = self._guest = None

    async def _call(self, method: str, **arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        ends = loop.time() + _WAIT_SECONDS
        while True:
            try:
                return await (await self._access(ends))(method, arguments)
            except ConnectionError as error:
                # All calls may be repeated: what they set is set once more.
                self._guest = None
                if loop.time() > ends:
                    raise StoreUnavailable(f"{self._held()} does not answer: {error}") from None
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _access(self, ends: float) -> Callable[[str, Mapping[str, Any]], Awaitable[Any]]:
        loop = asyncio.get_running_loop()
        async with self._lock:
            if self._closed:
                raise StoreUnavailable(f"the vector store in {self._directory} is closed: its worker ends")
            while self._owner is None and self._guest is None:
                self._owner = await Owner.take(self._directory)
                self._guest = None if self._owner else await Guest.connect(self._directory)
                if loop.time() > ends:
                    break
                if self._owner is None and self._guest is None:
                    await asyncio.sleep(_PAUSE_SECONDS)
            holder = self._owner or self._guest
            if holder is None:
                raise StoreUnavailable(f"{self._held()} does not answer")
            return holder.call

    def _held(self) -> str:
        pid = announced(self._directory).get("pid", "unknown")
        return f"the process (pid {pid}) that holds the vector store in {self._directory}"
