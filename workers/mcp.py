"""Makes sessions with an app's MCP servers.

Loads no SDK and starts nothing: the first use does.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final

from ..activities.mcp_session import Listing, McpCall, McpSession
from ..contracts.context.values import Values
from ..contracts.errors import SetupError
from ..contracts.mcp import McpServer
from ..contracts.wire.tool_call import ToolOutput
from .stack.reaper_process import Reaper

if TYPE_CHECKING:
    from ..activities.adapters.mcp.session import SharedSession


_MOST_BY_CONTEXT: Final = 32
"""Sessions with one server for as many contexts of runs. Those that were not asked for longest are closed."""


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
        self._by_context: OrderedDict[str, LazySession] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()
        self._at_work = 0
        self._name = name
        self._watch = watch
        self._lock = asyncio.Lock()
        self._session: SharedSession | None = None

    def with_context(self, values: Values) -> LazySession:
        """Return the session for runs with this context.

        Itself, where nothing in the server depends on it.

        Raises:
            SpecError: The server wants a value that the context lacks; names it.
        """
        if not self.server.wants_context:
            return self
        server = self.server.with_context(self._name, values)
        key = json.dumps([dict(server.env), dict(server.headers)])
        if key not in self._by_context:
            self._let_go()
            self._by_context[key] = LazySession(self._name, server, self._watch)
        self._by_context.move_to_end(key)
        return self._by_context[key]

    async def list_tools(self, *, whole: bool) -> Listing:
        """List the tools that the session itself lists."""
        with self._working():
            return await (await self._built()).list_tools(whole=whole)

    async def call_tool(self, call: McpCall) -> ToolOutput:
        """Call a tool of the session itself."""
        with self._working():
            return await (await self._built()).call_tool(call)

    async def close(self) -> None:
        """Close the session, where there is one yet, and those for contexts."""
        await asyncio.gather(*(session.close() for session in self._by_context.values()), *self._closing)
        if self._session:
            await self._session.close()

    @contextmanager
    def _working(self) -> Iterator[None]:
        self._at_work += 1
        try:
            yield
        finally:
            self._at_work -= 1

    def _let_go(self) -> None:
        """Close those for contexts that were not asked for longest.

        Where there are too many.

        One that is at work is kept: its call may have an effect.
        """
        idle = [key for key, session in self._by_context.items() if not session._at_work]  # noqa: SLF001 - its own kind
        for key in idle[: max(len(self._by_context) + 1 - _MOST_BY_CONTEXT, 0)]:
            closing = asyncio.create_task(self._by_context.pop(key).close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

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
