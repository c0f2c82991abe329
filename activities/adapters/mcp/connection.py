"""One connection to an MCP server, from its handshake to its end.

Must not decide what a failed call means.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import Context
from typing import Final

from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult
from pydantic import ValidationError

from ....contracts.errors import SetupError
from ....contracts.mcp import McpServer
from ...mcp_session import ServerUnreachable
from .failure import first_cause, first_problem
from .http import REFUSED, http_client
from .judged_lists import judged_lists
from .listing import list_first_page
from .process import ProcessWatch, ServerProcess

_OPENING_SECONDS: Final = 60.0
"""For a start and a handshake: `npx` may download the server first."""
_CLOSING_SECONDS: Final = 6.0


class Connection:
    """A connection that begins to open when it is made, in a task of its own.

    The SDK's cancel scopes are to be left by the task that entered them, and no call may take the connection with it
    when it is cancelled.

    Args:
        server: How it is reached.
        watch: Ends its processes where we could not.
        on_closed: Told when the connection has ended and left nothing behind.
    """

    def __init__(
        self, server: McpServer, watch: ProcessWatch | None, on_closed: Callable[[Connection], None] = lambda _: None
    ) -> None:
        self._server = server
        self._watch = watch
        self._opened: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._ending = asyncio.Event()
        self._process: ServerProcess | None = None
        self._calls = 0
        self._retired = False
        # An empty context: the activity that comes first must not be the one that all others seem to belong to.
        self._owner = asyncio.create_task(self._own(), context=Context())
        self._owner.add_done_callback(lambda _: on_closed(self))

    @property
    def over(self) -> bool:
        """Whether no further call can be made."""
        return self._retired or self._ending.is_set()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """Yield the client for one call, once the handshake is done.

        Raises:
            SetupError: The server cannot be started or reached as it is described.
            ServerUnreachable: The server cannot be reached now.
        """
        self._calls += 1
        try:
            yield await asyncio.shield(self._opened)
        finally:
            self._calls -= 1
            if self._retired and not self._calls:
                self.end()

    async def last_words(self) -> str:
        """Tell how the server's process ended and what it wrote to standard error.

        Empty where it has no process, or runs.
        """
        return await self._process.last_words() if self._process and self._ending.is_set() else ""

    def retire(self) -> None:
        """Take no further call, and end with the last of those in flight."""
        self._retired = True

    def end(self) -> None:
        """End the connection now; calls in flight are interrupted."""
        self._ending.set()

    async def closed(self) -> None:
        """Wait until the connection has ended and left nothing behind."""
        self.end()
        if not self._opened.done():
            self._owner.cancel()
        done, _ = await asyncio.wait([self._owner], timeout=_CLOSING_SECONDS)
        if not done:
            self._owner.cancel()
            await asyncio.wait([self._owner])

    async def _own(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(_OPENING_SECONDS):
                    client = await self._enter(stack)
                self._opened.set_result(client)
                await self._ending.wait()
        except (Exception, BaseExceptionGroup, asyncio.CancelledError) as error:  # noqa: BLE001 - callers are told
            if not self._opened.done():
                self._opened.set_exception(await self._explained(error))
                self._opened.exception()  # whoever waits for it may have given up
        finally:
            self._ending.set()
            if self._process and self._watch:
                self._watch.remove(self._process.pid)

    async def _enter(self, stack: AsyncExitStack) -> Client:
        if self._server.url:
            http = await stack.enter_async_context(http_client(self._server))
            transport = judged_lists(streamable_http_client(self._server.url, http_client=http))
        else:
            self._process = await ServerProcess.start(self._server)
            if self._watch:
                self._watch.add(self._process.pid)
            transport = judged_lists(self._process.streams(self._ending))
        client = Client(transport, cache=None)
        await stack.enter_async_context(client)
        # Seen once, the tools' schemas tell the SDK which arguments the protocol wants as headers. Of a tool on another
        # page it finds them out where the server asks for one.
        await list_first_page(client)
        client.session.validate_tool_result = _accept  # type: ignore[method-assign]
        return client

    async def _explained(self, error: BaseException) -> Exception:
        cause = first_cause(error)
        if isinstance(cause, SetupError):
            return cause
        if isinstance(cause, asyncio.CancelledError):
            return ServerUnreachable("the worker is stopping")
        if isinstance(cause, MCPError) and cause.code == REFUSED:
            return SetupError(f"it refuses us: {cause.message}: check url= and headers=")
        # A process that we ended, as its session failed, has nothing to do with the cause.
        if self._process and not self._process.failed_while_running and (words := await self._process.last_words()):
            return ServerUnreachable(f"it ended while starting: {words}")
        if isinstance(cause, TimeoutError):
            return ServerUnreachable(f"it was not ready within {_OPENING_SECONDS:g} s")
        if isinstance(cause, ValidationError):
            return SetupError(f"its list of tools is not what the protocol says ({first_problem(cause)})")
        return ServerUnreachable(str(cause) or type(cause).__name__)


async def _accept(name: str, result: CallToolResult) -> None:
    """Accept any result: what the server said counts, whatever its schema says."""
