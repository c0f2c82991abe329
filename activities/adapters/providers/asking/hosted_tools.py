"""The tools that a provider runs itself, as far as its profile has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .....contracts.errors import InvalidRequest
from .....contracts.mcp import McpServer
from .....contracts.provider_tool import AnyProviderTool, Location, McpConnector
from ....model_adapter import ModelRequest
from ..profiles.profile import Profile

_BEARER = "bearer "


@dataclass(frozen=True, slots=True)
class HostedTool:
    """A tool of the provider's."""

    tool: AnyProviderTool
    word: str
    """The provider's own word for it."""


@dataclass(frozen=True, slots=True)
class Connected:
    """An MCP server as a provider reaches it."""

    name: str
    url: str
    token: str
    """Of its `Authorization` header; empty where it has none."""
    headers: Mapping[str, str]
    """All others."""


def hosted_tools(request: ModelRequest, profile: Profile) -> tuple[HostedTool, ...]:
    """Return the provider's own tools that a request asks for.

    Raises:
        InvalidRequest: The model has no such tool.
    """
    words = profile.provider_tools
    refuse_tools(tool for tool in request.wanted_provider_tools if not words.get(tool.kind))
    return tuple(HostedTool(tool, words[tool.kind]) for tool in request.wanted_provider_tools)


def refuse_tools(tools: Iterable[AnyProviderTool]) -> None:
    """Refuse tools that a model does not have.

    Raises:
        InvalidRequest: There is one.
    """
    for tool in tools:
        raise untaken(tool, "has no such tool of its own")


def untaken(tool: AnyProviderTool, why: str) -> InvalidRequest:
    """Return the error for a tool that a model cannot be given."""
    return InvalidRequest(
        f"the model {why}: {type(tool).__name__}; leave it out, or set optional=True where an answer "
        "without it will do",
        refuses=tool.kind,
    )


def connected(request: ModelRequest, tool: McpConnector) -> Connected:
    """Return how the provider is to reach the server of a connector."""
    server: McpServer = request.servers[tool.server]
    headers = {name.lower(): (name, value) for name, value in server.headers.items()}
    _, said = headers.pop("authorization", ("", ""))
    token = said[len(_BEARER) :].strip() if said.lower().startswith(_BEARER) else said
    return Connected(tool.server, server.url, token, dict(headers.values()))


def place_of(location: Location | None) -> dict[str, Any] | None:
    """Return where the asker is, in the words that providers share."""
    if location is None:
        return None
    said = {name: getattr(location, name) for name in Location.model_fields}
    return {"type": "approximate", **{name: value for name, value in said.items() if value}}
