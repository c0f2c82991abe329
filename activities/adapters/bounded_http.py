"""Bounds what is received over HTTP, while it is received.

A small answer may unpack to hundreds of megabytes. So nothing is taken compressed: what is counted is what is kept.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final, cast

import httpx2

MAX_RESPONSE_BYTES: Final = 16 * 1024 * 1024
"""Most bytes of one response: a picture in an answer has a few megabytes, and its stream says most of it twice. Reading
much more would hold up the loop for longer than a heartbeat may be late."""


class ResponseTooLargeError(httpx2.StreamError):
    """A response has more bytes than are taken, or comes compressed after all."""


async def decline_compression(request: httpx2.Request) -> None:
    """Ask for the response as it is. A hook for requests."""
    request.headers["accept-encoding"] = "identity"


async def bound(response: httpx2.Response) -> None:
    """Count the bytes of a response as they come in. A hook for responses.

    Raises:
        ResponseTooLargeError: It comes compressed.
    """
    encoding = response.headers.get("content-encoding", "identity")
    # What an error says is short, and tells when to try again.
    if response.status_code < 400 and encoding.lower() not in ("", "identity"):
        await response.aclose()
        raise ResponseTooLargeError(f"the response comes compressed ({encoding[:40]}), which was declined")
    response.stream = _Counted(cast("httpx2.AsyncByteStream", response.stream))


HOOKS: Final[Mapping[str, list[Callable[..., Awaitable[Any]]]]] = {
    "request": [decline_compression],
    "response": [bound],
}
"""Of an HTTP client whose responses are bounded."""


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        async for chunk in self._stream:
            received += len(chunk)
            if received > MAX_RESPONSE_BYTES:
                raise ResponseTooLargeError(f"the response has more than {MAX_RESPONSE_BYTES:,} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
