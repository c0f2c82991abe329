"""A worker's session with an MCP server, by the official SDK.

Only workers import this folder.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Final, TypeVar, cast

from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import RequestParamsMeta

from ....contracts.errors import ToolError
from ....contracts.mcp import McpServer
from ....contracts.wire.tool_call import ToolOutput
from ...mcp_session import CallInterrupted, CallTimedOut, Listing, McpCall, ServerUnreachable, UnreadableResult
from .connection import Connection
from .content import error_text, output_of
from .failure import Failures
from .http import SESSION_GONE
from .listing import FoundTools, list_all
from .process import ProcessWatch

R = TypeVar("R")

_IDEMPOTENCY_KEY: Final = "sostenuto/idempotency-key"
_PING_SECONDS: Final = 5.0
_SESSIONS: Final = 2
"""How many sessions one request may try: the first may be one that a restarted server no longer knows."""


class SharedSession:
    """One connection at a time to one server, shared by all calls.

    It is opened at first use, and anew when it is lost.

    Args:
        name: What the app calls the server; messages name it.
        server: How it is reached.
        watch: Ends its processes where we could not.
    """

    def __init__(self, name: str, server: McpServer, watch: ProcessWatch | None = None) -> None:
        self.server = server
        self._watch = watch
        self._connection: Connection | None = None
        self._open: set[Connection] = set()
        self._pings: set[asyncio.Task[None]] = set()
        self._failures = Failures(name, server)

    async def list_tools(self, *, whole: bool) -> Listing:
        """List the tools that the server has now.

        The server is asked every time, since each run records them anew.
        """
        found = FoundTools()
        try:
            await self._ask(lambda client: list_all(client, found))
        except (CallInterrupted, ServerUnreachable) as error:
            if whole or not found.pages:
                raise
            found.cut(str(error))
        except (CallTimedOut, ToolError, UnreadableResult) as error:
            if not found.pages:
                raise
            found.cut(str(error))
        return found.listing(self._failures.redacted)

    async def call_tool(self, call: McpCall) -> ToolOutput:
        """Call a tool of the server and return what it returned."""

        async def on_progress(progress: float, total: float | None, message: str | None) -> None:
            told = {"progress": progress, "total": total, "message": message}
            call.on_progress({key: value for key, value in told.items() if value is not None})

        meta = cast("RequestParamsMeta", {_IDEMPOTENCY_KEY: call.idempotency_key})
        arguments = dict(call.arguments)
        result = await self._ask(
            lambda client: client.call_tool(call.tool, arguments, progress_callback=on_progress, meta=meta)
        )
        if result.is_error:
            raise ToolError(self._failures.redacted(error_text(result)))
        return output_of(result)

    async def close(self) -> None:
        """End the connection, and the server's processes if it has any here."""
        for ping in self._pings:
            ping.cancel()
        await asyncio.gather(*(connection.closed() for connection in self._open))

    async def _ask(self, ask: Callable[[Client], Awaitable[R]]) -> R:
        limit = asyncio.timeout(self.server.timeout.total_seconds())
        reached: Connection | None = None
        try:
            async with limit:
                for _ in range(_SESSIONS):
                    connection = self._connected()
                    async with connection.client() as client:
                        reached = connection
                        try:
                            return await ask(client)
                        except MCPError as error:
                            if error.code != SESSION_GONE:
                                raise
                            connection.retire()
                raise ServerUnreachable("it forgets every session that it opens")
        except Exception as error:  # noqa: BLE001 - whatever went wrong is told in terms of what to do about it
            if limit.expired() and reached:
                self._ping(reached)
            if limit.expired():
                raise self._failures.late(called=reached is not None) from None
            words = await reached.last_words() if reached else ""
            over = reached is not None and reached.over
            raise self._failures.of(error, over=over, last_words=words) from None

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.over:
            self._connection = Connection(self.server, self._watch, on_closed=self._open.discard)
            self._open.add(self._connection)
        return self._connection

    def _ping(self, connection: Connection) -> None:
        ping = asyncio.create_task(_end_unless_alive(connection), context=Context())
        self._pings.add(ping)
        ping.add_done_callback(self._pings.discard)


async def _end_unless_alive(connection: Connection) -> None:
    """End a connection whose server does not answer a ping.

    Its process may hang for ever.
    """
    try:
        async with asyncio.timeout(_PING_SECONDS), connection.client() as client:
            await client.session.send_ping()
    except MCPError:
        return  # newer protocols have no ping; a refusal is an answer too, and a lost connection ends by itself
    except Exception:  # noqa: BLE001 - no answer, whatever the reason
        connection.end()
