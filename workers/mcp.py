"""Makes sessions with an app's MCP servers.

Loads no SDK and starts nothing: the first use does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ..activities.mcp_session import Listing, McpCall, McpSession
from ..contracts.errors import SetupError
from ..contracts.mcp import McpServer
from ..contracts.wire.tool_call import ToolOutput
from .stack.reaper_process import Reaper

if TYPE_CHECKING:
    from ..activities.adapters.mcp.session import SharedSession


@asynccontextmanager
async def mcp_sessions(servers: Mapping[str, McpServer]) -> AsyncIterator[dict[str, McpSession]]:
    """Yield a session for each server, by its name.

    No server's process outlives the block, nor this process where it is killed.
    """
    watch = _LazyReaper()
    sessions: dict[str, McpSession] = {name: LazySession(name, server, watch) for name, server in servers.items()}
    try:
        yield sessions
    finally:
        await asyncio.gather(*(session.close() for session in sessions.values()))
        await watch.close()


class LazySession:
    """A session that is built at its first use.

    The SDK is loaded in a thread, so that its import stalls nothing.
    """

    def __init__(self, name: str, server: McpServer, watch: _LazyReaper) -> None:
        self.server = server
        self._name = name
        self._watch = watch
        self._lock = asyncio.Lock()
        self._session: SharedSession | None = None

    async def list_tools(self, *, whole: bool) -> Listing:
        """List the tools that the session itself lists."""
        return await (await self._built()).list_tools(whole=whole)

    async def call_tool(self, call: McpCall) -> ToolOutput:
        """Call a tool of the session itself."""
        return await (await self._built()).call_tool(call)

    async def close(self) -> None:
        """Close the session, where there is one yet."""
        if self._session:
            await self._session.close()

    async def _built(self) -> SharedSession:
        async with self._lock:
            if self._session is None:
                try:
                    shared = await asyncio.to_thread(_load)
                except ImportError as error:
                    raise SetupError(
                        f"this worker cannot use MCP server {self._name!r}: {error}: pip install 'sostenuto[worker]'"
                    ) from None
                self._session = shared(self._name, self.server, self._watch)
            return self._session


class _LazyReaper:
    """A reaper that is started with the first process that it is to watch."""

    def __init__(self) -> None:
        self._reaper: Reaper | None = None

    def add(self, group: int) -> None:
        if self._reaper is None:
            self._reaper = Reaper()
        self._reaper.add(group)

    def remove(self, group: int) -> None:
        if self._reaper:
            self._reaper.remove(group)

    async def close(self) -> None:
        if self._reaper:
            await self._reaper.close()


def _load() -> type[SharedSession]:
    from ..activities.adapters.mcp.session import SharedSession

    return SharedSession
