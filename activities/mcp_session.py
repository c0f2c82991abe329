"""What a worker's session with an MCP server is to the activities.

One interface, without any MCP library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import JsonValue

from ..contracts.errors import SostenutoError
from ..contracts.mcp import McpServer
from ..contracts.wire.mcp_call import ToolFault
from ..contracts.wire.tool_call import ToolOutput


class ServerUnreachable(SostenutoError):
    """The server could not be reached or started, so nothing was called.

    Later it may be.
    """


class CallInterrupted(SostenutoError):
    """The server or the way to it was lost during the call.

    Whether the call took effect is unknown.
    """


class UnreadableResult(SostenutoError):
    """The server answered, but not as the protocol says.

    A tool that was called has run.
    """


class CallTimedOut(SostenutoError):
    """The server did not answer in time and was told to stop.

    Whether the call took effect is unknown.
    """


@dataclass(frozen=True, slots=True)
class ListedTool:
    """A tool as its server lists it."""

    name: str
    description: str
    parameters: dict[str, Any] = field(default_factory=dict)
    """JSON Schema of the arguments."""
    read_only: bool = False
    """The server says that the tool only looks."""
    idempotent: bool = False
    """The server says that a second call of the same arguments changes nothing more."""
    destructive: bool = False
    """The server says outright that the tool may destroy something. The protocol takes silence for a yes; we do not."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The tools that a server lists, as far as they can be used."""

    tools: tuple[ListedTool, ...] = ()
    """No two of one name."""
    faults: tuple[ToolFault, ...] = ()
    """What it lists otherwise than it should."""


@dataclass(frozen=True, slots=True)
class McpCall:
    """One call of a tool."""

    tool: str
    """The server's name of it."""
    arguments: Mapping[str, JsonValue]
    idempotency_key: str
    """Sent along as `sostenuto/idempotency-key` in the request's `_meta`, for servers that know it."""
    on_progress: Callable[[Any], None] = lambda _: None
    """Told of the progress that the server reports."""


class McpSession(Protocol):
    """A worker's one session with a server, shared by all calls.

    It is opened at first use, and anew when lost.

    What it raises names no secret: nothing of the server's `env` and `headers`, and no query of its `url`.
    """

    server: McpServer

    def with_context(self, values: Mapping[str, JsonValue]) -> McpSession:
        """Return the session for runs with this context.

        Itself, where nothing in the server depends on it.

        Raises:
            SpecError: The server wants a value that the context lacks; names it.
        """
        ...

    async def list_tools(self, *, whole: bool) -> Listing:
        """List all tools that the server has now.

        Args:
            whole: Raise also where the list breaks off after its first page by something that may pass.

        Raises:
            SetupError: The server cannot be started or reached as it is described.
            ServerUnreachable: The server cannot be reached now.
            CallInterrupted: The server was lost meanwhile.
            CallTimedOut: The server did not answer within the server's `timeout`.
            ToolError: The server refused, in its words.
        """
        ...

    async def call_tool(self, call: McpCall) -> ToolOutput:
        """Call a tool of the server and return what it returned.

        Raises:
            SetupError: The server cannot be started or reached as it is described.
            ServerUnreachable: The server cannot be reached now; the tool was not called.
            CallInterrupted: The server was lost during the call.
            CallTimedOut: The server did not answer within the server's `timeout`.
            ToolError: The tool failed or the server refused, in its words.
        """
        ...

    async def close(self) -> None:
        """End the session, and the server's processes if it has any here."""
        ...
