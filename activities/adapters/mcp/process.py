"""An MCP server that is a process of ours: streams, standard error, and end.

The SDK's own transport tells neither the process nor why it ended. Must not know what the messages mean.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCMessage, jsonrpc_message_adapter

from ....contracts.errors import SetupError
from ....contracts.mcp import McpServer
from .readable_json import readable_json

Streams = tuple[MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]]
"""The server's messages, and ours to it."""

_LOG = logging.getLogger("sostenuto.mcp")
_LONGEST_LINE_BYTES = 64 * 1024 * 1024
_LAST_LINES = 5
_PATIENCE_SECONDS = 1.5
"""How long a server may take to end when its input closes, and once more when it is asked to."""


class ProcessWatch(Protocol):
    """Ends process groups that we could not end ourselves, as after SIGKILL."""

    def add(self, group: int) -> None:
        """Watch a process group, to end it if this process cannot."""
        ...

    def remove(self, group: int) -> None:
        """Forget a process group that has ended."""
        ...


class ServerProcess:
    """A started server, in a process group of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.pid = process.pid
        self._process = process
        self._said: deque[str] = deque(maxlen=_LAST_LINES)
        self.failed_while_running = False
        """Whether its session failed although the process ran on."""

    @classmethod
    async def start(cls, server: McpServer) -> ServerProcess:
        """Start the server's command.

        Raises:
            SetupError: The server cannot be started.
        """
        if sys.platform == "win32":
            raise SetupError("servers started by command= do not run on Windows: use url=, or a worker in WSL")
        try:
            process = await asyncio.create_subprocess_exec(
                server.command,
                *server.args,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=_LONGEST_LINE_BYTES,
                env=get_default_environment() | dict(server.env),
                cwd=server.cwd,
                start_new_session=True,  # so that what it starts, as npx does, ends with it
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            if server.cwd and not os.path.isdir(server.cwd):  # noqa: ASYNC240 - the error does not say which
                raise SetupError(f"cwd {str(server.cwd)!r} is not a directory of this worker") from None
            raise SetupError(
                f"command {server.command!r} cannot be started ({reason}): "
                "install it on this worker, or give its path in McpServer(command=…)"
            ) from None
        return cls(process)

    @asynccontextmanager
    async def streams(self, on_end: asyncio.Event) -> AsyncIterator[Streams]:
        """Open the SDK's transport until the block ends; then end the process too.

        Args:
            on_end: Set when the server closes its output or its input.
        """
        to_us, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        # Without a bound: a server that no longer reads must not hold up the call that is to be cut off.
        outgoing, to_server = anyio.create_memory_object_stream[SessionMessage](math.inf)
        listening = asyncio.create_task(self._listen())
        reading = asyncio.create_task(self._read(to_us, on_end))
        writing = asyncio.create_task(self._write(to_server, on_end))
        try:
            yield incoming, outgoing
        except BaseException:
            self.failed_while_running = not await self._ends_by_itself()
            raise
        finally:
            for stream in (incoming, outgoing, to_us, to_server):
                stream.close()
            await self._stop()
            await asyncio.wait([reading], timeout=_PATIENCE_SECONDS)
            await _ended(reading, writing, listening)

    async def last_words(self) -> str:
        """Tell how the process ended, with the last lines of its standard error.

        Empty while it runs.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await self._process.wait()
        status = self._process.returncode
        how = "" if status is None else f"exit status {status}" if status >= 0 else f"signal {-status}"
        return ": ".join(part for part in (how, " / ".join(self._said)) if part)

    async def _read(self, to_us: MemoryObjectSendStream[SessionMessage | Exception], on_end: asyncio.Event) -> None:
        output = self._process.stdout
        if output is None:
            return
        async with to_us:
            try:
                while line := await output.readline():
                    await _deliver(line, to_us)
            except ValueError:
                self._said.append(f"it sent a message of more than {_LONGEST_LINE_BYTES:,} bytes")
            finally:
                on_end.set()  # before the calls in flight are told that the stream has closed: they look at it
        # Of what is left nothing is kept, but the pipe would not be closed before it is read.
        while await output.read(_LONGEST_LINE_BYTES):
            pass

    async def _write(
        self,
        to_server: MemoryObjectReceiveStream[SessionMessage],
        on_end: asyncio.Event,
    ) -> None:
        pipe = self._process.stdin
        if pipe is None:
            return
        try:
            async for item in to_server:
                pipe.write(item.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
                await pipe.drain()
        except OSError:
            on_end.set()

    async def _listen(self) -> None:
        output = self._process.stderr
        if output is None:
            return
        with contextlib.suppress(ValueError):
            while line := await output.readline():
                text = line.decode(errors="replace").strip()
                if text:
                    self._said.append(text[:500])

    async def _ends_by_itself(self) -> bool:
        """Return whether the process ends although nobody asked it to."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await self._process.wait()
        return self._process.returncode is not None

    async def _stop(self) -> None:
        """Close its input, then end the process and all that it started.

        It is asked first, and killed where it does not listen.
        """
        if self._process.stdin:
            self._process.stdin.close()
        try:
            if not await self._gone():
                self._signal(signal.SIGTERM)
                await self._gone()
        finally:
            # Whoever waits for us may give up, and what it started may outlive it.
            self._signal(signal.SIGKILL)
        await self._gone()

    async def _gone(self) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._process.wait()
        return self._process.returncode is not None

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


async def _deliver(line: bytes, to_us: MemoryObjectSendStream[SessionMessage | Exception]) -> None:
    try:
        message = _message(line)
    except ValueError:
        _LOG.debug("what an MCP server wrote to its output is not a message: %.200r", line)
        return
    await to_us.send(SessionMessage(message))


def _message(line: bytes) -> JSONRPCMessage:
    try:
        return jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValueError:
        return jsonrpc_message_adapter.validate_json(readable_json(line), by_name=False)


async def _ended(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
