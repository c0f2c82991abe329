"""A process that calls the shards of the one that owns them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ...knowledge.store.vector_store import StoreError, StoreUnavailable
from .calls import AT_WORK, CALLS, MAX_SILENCE_SECONDS, NOT_UNDERSTOOD, REFUSED_BY_OWNER, announced
from .frames import receive_bytes, send


class Guest:
    """Another process's shards, called over connections that are kept.

    Made by `connect`.
    """

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    @classmethod
    async def connect(cls, directory: Path) -> Guest | None:
        """Connect to the process that owns a directory; None where it cannot be found now."""
        said = announced(directory)
        if not said:
            return None
        guest = cls(said["port"], said["token"])
        try:
            guest._idle.append(await guest._opened())
        except OSError:
            return None
        return guest

    async def call(self, method: str, arguments: Mapping[str, Any]) -> Any:
        """Call the owner.

        Raises:
            ConnectionError: It has ended, or says nothing.
            StoreError: It refuses.
            StoreUnavailable: It is of another version, and does not understand us, or we it.
        """
        connection = self._idle.pop() if self._idle else await self._opened()
        reader, writer = connection
        try:
            await send(writer, {"method": method, "arguments": arguments})
            answer = await _answer(reader)
        except BaseException:
            # What comes over it next would be the answer to another call.
            writer.close()
            raise
        self._idle.append(connection)
        if answer.startswith(REFUSED_BY_OWNER):
            raise StoreError(answer.removeprefix(REFUSED_BY_OWNER).decode())
        if answer.startswith(NOT_UNDERSTOOD):
            raise _other_version(answer.removeprefix(NOT_UNDERSTOOD).decode())
        try:
            # Read once, from the bytes: passages are long.
            return CALLS[method].result.validate_json(answer)
        except ValidationError as error:
            raise _other_version(f"and answers {method} in a form of its own: {error.errors()[0]['msg']}") from None

    def close(self) -> None:
        """Close the connections."""
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        await send(writer, self._token)
        return reader, writer


async def _answer(reader: asyncio.StreamReader) -> bytes:
    while True:
        try:
            async with asyncio.timeout(MAX_SILENCE_SECONDS):
                said = await receive_bytes(reader)
        except TimeoutError:
            raise ConnectionError(f"not a word for {MAX_SILENCE_SECONDS:.0f} s") from None
        if said != AT_WORK:
            return said


def _other_version(why: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"the process that holds the vector store is of another version of Sostenuto than this one {why}. It works "
        "once that process has ended"
    )
