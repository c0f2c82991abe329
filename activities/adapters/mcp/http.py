"""The HTTP client of an MCP session.

One failed request is one failed call, and the session goes on.

The SDK's transport lets an unreachable server take down every call in flight, and tells no status. Here both become
answers of the protocol, under codes of ours.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, Final, cast

import httpx2

from ....contracts.mcp import McpServer
from ..bounded_http import HOOKS, ResponseTooLargeError
from .readable_json import readable_json

UNREACHABLE: Final = -32018
"""The request was never sent."""
LOST: Final = -32017
"""The request was sent, and whether it was done is unknown."""
REFUSED: Final = -32016
"""The server answered with a status that no repeat changes."""
BUSY: Final = -32015
"""The server answered that it cannot now, and so did nothing."""
SESSION_GONE: Final = -32014
"""The server no longer knows the session, and so did nothing."""
TOO_LARGE: Final = -32013
"""The server answered with more than is taken."""

_DATA = b"data:"
_CONNECT_SECONDS = 10.0
_SESSION_ID = "mcp-session-id"
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_TRY_LATER = frozenset({429, 503})


class AnsweringClient(httpx2.AsyncClient):
    """Answers requests that fail on their way, instead of raising."""

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Return the server's response, or one of ours that tells why it failed."""
        try:
            response = await super().send(request, **options)
            if response.status_code < 400:
                return await _readable(request, response)
        except _NOT_SENT as error:
            return _answer(request, UNREACHABLE, f"no connection ({_reason(error)})")
        except ResponseTooLargeError as error:
            return _answer(request, TOO_LARGE, _reason(error))
        except httpx2.TransportError as error:
            return _answer(request, LOST, f"the connection broke ({_reason(error)})")
        await response.aread()
        if _session_gone(request, response):
            return _answer(request, SESSION_GONE, "the session is gone")
        if _is_json_rpc(response):
            return response
        message = f"HTTP status {response.status_code} {response.reason_phrase}".strip()
        return _answer(request, _code(response.status_code), message, status=response.status_code)


def http_client(server: McpServer) -> AnsweringClient:
    """Return a client that sends the server's headers and outwaits its slowest call."""
    seconds = server.timeout.total_seconds()
    timeout = httpx2.Timeout(seconds, connect=min(seconds, _CONNECT_SECONDS), read=seconds + 30)
    # Each call in flight holds a connection, and the worker bounds the calls.
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=20)
    return AnsweringClient(headers=dict(server.headers), timeout=timeout, limits=limits, event_hooks=HOOKS)


async def _readable(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
    """Return a response that the SDK can read.

    One with more bytes than are taken says so: the SDK would tell a stream of events that breaks off for one that ended
    without an answer.

    Raises:
        ResponseTooLargeError: It has, and is one piece.
    """
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        response.stream = _Events(request, cast("httpx2.AsyncByteStream", response.stream))
        return response
    written = await response.aread()
    if (read := readable_json(written)) is written:
        return response
    headers = [(name, value) for name, value in response.headers.multi_items() if name.lower() != "content-length"]
    return httpx2.Response(response.status_code, headers=headers, content=read, request=request)


class _Events(httpx2.AsyncByteStream):
    """Events that can be read.

    The last one says it where there are more than are taken.
    """

    def __init__(self, request: httpx2.Request, stream: httpx2.AsyncByteStream) -> None:
        self._request = request
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for line in _lines(self._stream):
                yield _DATA + readable_json(line.removeprefix(_DATA)) if line.startswith(_DATA) else line
        except ResponseTooLargeError as error:
            if not self._request.content:
                raise  # what the server says unasked answers no request
            said = json.loads(self._request.content)
            body = {"jsonrpc": "2.0", "id": said.get("id"), "error": {"code": TOO_LARGE, "message": _reason(error)}}
            # The event that is not whole becomes one of a kind that nobody reads.
            yield f"\nevent: too-large\n\nevent: message\ndata: {json.dumps(body)}\n\n".encode()

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _lines(stream: httpx2.AsyncByteStream) -> AsyncIterator[bytes]:
    """Yield the lines of a stream, each with its end."""
    begun: list[bytes] = []
    async for chunk in stream:
        *lines, rest = _split(chunk)
        if lines:
            yield b"".join([*begun, lines[0]])
            begun = []
            for line in lines[1:]:
                yield line
        begun.append(rest)
    yield b"".join(begun)


def _split(chunk: bytes) -> list[bytes]:
    """Return the lines of a chunk, the last one without an end."""
    lines = chunk.splitlines(keepends=True)
    return [*lines, b""] if not lines or lines[-1].endswith((b"\n", b"\r")) else lines


def _code(status: int) -> int:
    if status in _TRY_LATER:
        return BUSY
    return LOST if status >= 500 else REFUSED


def _session_gone(request: httpx2.Request, response: httpx2.Response) -> bool:
    """Return whether the server has lost the session.

    The protocol says 404; the reference servers say 400, and the reason in words.
    """
    if _SESSION_ID not in request.headers:
        return False
    return response.status_code == 404 or (response.status_code == 400 and "session" in response.text.lower())


def _is_json_rpc(response: httpx2.Response) -> bool:
    try:
        body = json.loads(response.content)
    except ValueError:
        return False
    return isinstance(body, dict) and "jsonrpc" in body


def _answer(request: httpx2.Request, code: int, message: str, *, status: int = 503) -> httpx2.Response:
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}
    return httpx2.Response(status, json=body, request=request)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
