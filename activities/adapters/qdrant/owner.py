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
from weakref import WeakSet

from pydantic import ValidationError

from ....contracts.errors import SetupError
from ...knowledge.store.vector_store import StoreError
from .calls import AT_WORK, CALLS, NOT_UNDERSTOOD, PULSE_SECONDS, REFUSED_BY_OWNER, announce, withdraw
from .edge import EdgeShards
from .frames import receive, send_bytes

_LOCK: Final = "lock"
_THREADS: Final = 8
_TOKEN_BYTES: Final = 32
# In base64, with quotes. Of whoever has not said it, no more is read.
_MAX_TOKEN_BYTES: Final = 2 * _TOKEN_BYTES


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
        self._token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._server: asyncio.Server
        self._served: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        _OWNERS.add(self)

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
        self._served[task] = writer
        try:
            said = await receive(reader, max_bytes=_MAX_TOKEN_BYTES)
            if not isinstance(said, str) or not hmac.compare_digest(said.encode(), self._token.encode()):
                return
            while True:
                await self._answer(await receive(reader), writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            del self._served[task]
            writer.close()

    async def _answer(self, asked: Any, writer: asyncio.StreamWriter) -> None:
        answering = asyncio.ensure_future(self._answered(asked))
        try:
            while not (await asyncio.wait({answering}, timeout=PULSE_SECONDS))[0]:
                await send_bytes(writer, AT_WORK)
            await send_bytes(writer, answering.result())
        finally:
            answering.cancel()

    async def _answered(self, asked: Any) -> bytes:
        method, arguments = asked["method"], asked["arguments"]
        call = CALLS.get(method)
        if call is None:
            return NOT_UNDERSTOOD + f"and knows no call {method}".encode()
        try:
            given = call.arguments.model_validate(arguments)
        except ValidationError as error:
            problem = error.errors()[0]
            place = ".".join(map(str, (method, *problem["loc"])))
            return NOT_UNDERSTOOD + f"and asks for another call: {place}: {problem['msg']}".encode()
        try:
            value = await self.call(method, {name: getattr(given, name) for name in type(given).model_fields})
        except StoreError as error:
            return REFUSED_BY_OWNER + str(error).encode()
        return call.result.dump_json(value)

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
        _OWNERS.discard(self)
        os.close(self._lock)

    def leave_to_parent(self) -> None:
        """Let go of lock and connections in a process that was forked off.

        They live as long as any process has them. Their numbers stay taken, so that nothing here closes another's file
        by one of them.
        """
        sockets = [writer.get_extra_info("socket") for writer in self._served.values()]
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in (self._lock, *(each.fileno() for each in (*self._server.sockets, *sockets))):
            os.dup2(nowhere, number, inheritable=False)
        os.close(nowhere)


_OWNERS: Final[WeakSet[Owner]] = WeakSet()


def _leave_to_parent() -> None:
    for owner in _OWNERS:
        owner.leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


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
