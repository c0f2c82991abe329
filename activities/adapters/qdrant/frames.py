"""Messages over a stream: JSON after its length. Must not know what they say."""

from __future__ import annotations

import asyncio
import struct
from typing import Any, Final

from pydantic_core import from_json, to_json

_LENGTH: Final = struct.Struct(">I")

MAX_FRAME_BYTES: Final = 256 * 1024 * 1024
"""Largest message that is read."""


async def send(writer: asyncio.StreamWriter, message: Any) -> None:
    """Send one message."""
    await send_bytes(writer, to_json(message))


async def send_bytes(writer: asyncio.StreamWriter, written: bytes) -> None:
    """Send a message that is written already."""
    writer.write(_LENGTH.pack(len(written)))
    writer.write(written)
    await writer.drain()


async def receive(reader: asyncio.StreamReader, *, max_bytes: int = MAX_FRAME_BYTES) -> Any:
    """Return the next message, of at most so many bytes.

    Raises:
        ConnectionError: The other side has ended, or sends something else.
    """
    try:
        return from_json(await receive_bytes(reader, max_bytes=max_bytes))
    except ValueError as error:
        raise ConnectionError(f"the connection has other messages than ours: {error}") from None


async def receive_bytes(reader: asyncio.StreamReader, *, max_bytes: int = MAX_FRAME_BYTES) -> bytes:
    """Return the next message as it is written. Raises as `receive`."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if length > max_bytes:
            raise ConnectionError(f"a message of {length:,} bytes is larger than any of ours")
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        raise ConnectionError(f"the connection ended: {error}") from None
