"""Tells what went wrong with an MCP server, and what to do about it.

Tells no secret. Must not talk to the server.
"""

from __future__ import annotations

import anyio
from mcp.shared.exceptions import MCPError
from mcp.types import CONNECTION_CLOSED
from pydantic import ValidationError

from ....contracts.errors import SetupError, ToolError
from ....contracts.mcp import McpServer
from ...call.failure import leaves
from ...mcp_session import CallInterrupted, CallTimedOut, ServerUnreachable, UnreadableResult
from .http import BUSY, LOST, TOO_LARGE, UNREACHABLE
from .redaction import Redaction, address


class Failures:
    """Makes the errors of one server's session.

    Args:
        name: What the app calls the server.
        server: How it is reached.
    """

    def __init__(self, name: str, server: McpServer) -> None:
        self._server = server
        self._where = f"MCP server {name!r} ({address(server)})"
        self.redacted = Redaction(server)

    def late(self, *, called: bool) -> Exception:
        """Return the error for a time limit that passed, in the call or before it."""
        within = f"within {self._server.timeout.total_seconds():g} s"
        if called:
            return CallTimedOut(f"{self._where} did not answer {within} and was told to stop.")
        return ServerUnreachable(f"{self._where} was not ready {within}")

    def of(self, error: Exception, *, over: bool, last_words: str) -> Exception:
        """Return the error that says what to do about this one.

        Args:
            error: Of the SDK, or of ours without the name of the server.
            over: Whether the connection has ended.
            last_words: How the server ended, where it is known.
        """
        if isinstance(error, SetupError | ServerUnreachable):
            return type(error)(self._told(str(error)))
        if isinstance(error, ToolError):
            return ToolError(self._told(str(error)))
        if self._interrupted(error, over=over):
            return CallInterrupted(self._told(f"it ended during the call: {last_words}" if last_words else str(error)))
        if isinstance(error, ValidationError):
            return UnreadableResult(self._told(f"its answer is not what the protocol says ({first_problem(error)})"))
        if not isinstance(error, MCPError):
            return ToolError(self._told(f"{type(error).__name__}: {error}"))
        if error.code == TOO_LARGE:
            return UnreadableResult(self._told(error.message))
        if error.code in (UNREACHABLE, BUSY):
            return ServerUnreachable(self._told(error.message))
        return ToolError(self._told(error.message))

    def _interrupted(self, error: Exception, *, over: bool) -> bool:
        if isinstance(error, anyio.BrokenResourceError | anyio.ClosedResourceError):
            return True
        # A server may use the SDK's code for a closed connection as one of its own.
        closed = over or bool(self._server.url)
        return isinstance(error, MCPError) and (error.code == LOST or (error.code == CONNECTION_CLOSED and closed))

    def _told(self, reason: str) -> str:
        return f"{self._where}: {self.redacted(reason)}"


def first_problem(error: ValidationError) -> str:
    """Return the first thing that is wrong with what a server sent, with its place."""
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" if problem["loc"] else problem["msg"]


def first_cause(error: BaseException) -> BaseException:
    """Return the error that tells most of a group.

    Ours come first, then those of the protocol, then any other.
    """
    found = leaves(error)
    for wanted in _MOST_TELLING:
        for leaf in found:
            if isinstance(leaf, wanted):
                return leaf
    return found[0]


_MOST_TELLING: tuple[type[BaseException], ...] = (SetupError, MCPError, ValidationError, TimeoutError, Exception)
"""What comes after these is their consequence, such as a stream that is closed because the session failed."""
