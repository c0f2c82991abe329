"""A server on loopback: what every fake one has, whatever it speaks."""

from __future__ import annotations

import asyncio
from typing import Self


class LoopbackServer:
    """Listens on a free port, and serves one request after the other on each connection. An async context manager."""

    def __init__(self) -> None:
        self.port = 0
        """Where it listens, or listened."""
        self.connections = 0
        self.disconnects = 0
        """Connections that clients have broken off."""
        self._server: asyncio.Server | None = None
        self._handlers: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """`http://127.0.0.1:PORT`."""
        assert self.port, "the server was never running"
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server
        self._server.close()
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether another may come on the connection."""
        raise NotImplementedError

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task
        self._handlers.add(task)
        task.add_done_callback(self._handlers.discard)
        try:
            while await self._serve(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            self.disconnects += 1
        except asyncio.CancelledError:
            pass  # the server is closing: the stream protocol would log it
        finally:
            writer.close()
