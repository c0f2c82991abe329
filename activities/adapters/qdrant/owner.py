"""The process that owns a directory of shards.

It serves them to the others of its machine.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from ....contracts.errors import SetupError
from ...knowledge.store.vector_store import StoreError
from .calls import CALLS, REFUSED_BY_OWNER, announce, withdraw
from .edge import EdgeShards
from .frames import receive, send_bytes

_LOCK: Final = "lock"
_THREADS: Final = 8


class Owner:
    """The process that has the shards.

    It calls them, and serves the others on loopback.

    Made by `take`.
    """

    def __init__(self, directory: Path, lock: int) -> None:
        self._directory = directory
        self._lock = lock
        self._shards = EdgeShards(directory)
        self._threads = ThreadPoolExecutor(_THREADS, "vector-store")
        self._token = secrets.token_urlsafe(32)
        self._server: asyncio.Server
        self._served: set[asyncio.Task[None]] = set()

    @classmethod
    async def take(cls, directory: Path) -> Owner | None:
        """Lock the directory and serve it; None where another process has it.

        Raises:
            SetupError: It cannot be written, or this machine cannot lock it.
        """
        lock = _locked(directory / _LOCK)
        if lock is None:
            return None
        owner = cls(directory, lock)
        owner._server = await asyncio.start_server(owner._accept, "127.0.0.1", 0)
        port = owner._server.sockets[0].getsockname()[1]
        announce(directory, {"pid": os.getpid(), "port": port, "token": owner._token})
        return owner

    async def call(self, method: str, arguments: Mapping[str, Any]) -> Any:
        """Call the shards in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: self._called(method, arguments))

    def _called(self, method: str, arguments: Mapping[str, Any]) -> Any:
        try:
            return getattr(self._shards, method)(**arguments)
        except (StoreError, ConnectionError):
            raise
        except Exception as error:  # noqa: BLE001 - the engine raises plain exceptions
            raise StoreError(f"the embedded vector store cannot {method} ({type(error).__name__}): {error}") from None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._served.add(task)
        try:
            said = await receive(reader)
            if not isinstance(said, str) or not hmac.compare_digest(said, self._token):
                return
            while True:
                await self._answer(await receive(reader), writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._served.discard(task)
            writer.close()

    async def _answer(self, asked: Any, writer: asyncio.StreamWriter) -> None:
        method = asked["method"]
        call = CALLS[method]
        try:
            given = call.arguments.model_validate(asked["arguments"])
            value = await self.call(method, {name: getattr(given, name) for name in type(given).model_fields})
        except StoreError as error:
            await send_bytes(writer, REFUSED_BY_OWNER + str(error).encode())
        else:
            await send_bytes(writer, call.result.dump_json(value))

    async def close(self) -> None:
        """Let another process have the directory."""
        withdraw(self._directory)
        self._server.close()
        for task in self._served:
            task.cancel()
        await asyncio.gather(*self._served, return_exceptions=True)
        self._shards.stop()
        await asyncio.to_thread(self._threads.shutdown)
        await asyncio.to_thread(self._shards.close)
        os.close(self._lock)


def _locked(path: Path) -> int | None:
    try:
        import fcntl  # noqa: PLC0415 - Windows lacks it
    except ImportError:
        raise SetupError(
            "the embedded vector store cannot lock its directory on this system: set SOSTENUTO_QDRANT_URL"
        ) from None
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SetupError(f"the vector store's directory {path.parent} cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock
