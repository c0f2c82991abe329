"""Takes secrets out of texts that enter a history.

A server's errors may repeat what it was given.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from ....contracts.mcp import McpServer
from ....contracts.text import redacted


class Redaction:
    """Knows the secrets of one server."""

    def __init__(self, server: McpServer) -> None:
        self._secrets = frozenset(secrets_of(server))

    def __call__(self, text: str) -> str:
        """Return the text without the secrets."""
        return redacted(text, self._secrets)


def address(server: McpServer) -> str:
    """Return how messages name the server.

    Its command alone, or its address without what may be a key.
    """
    if server.command:
        return server.command
    parts = urlsplit(server.url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def secrets_of(server: McpServer) -> Iterator[str]:
    """Yield what may be a key among what a server was given."""
    yield from server.env.values()
    for value in server.headers.values():
        yield value
        yield from value.split()  # "Bearer" and the token itself, which a server may repeat alone
    parts = urlsplit(server.url)
    yield parts.password or ""
    yield parts.query
    for _, value in parse_qsl(parts.query):
        yield value
