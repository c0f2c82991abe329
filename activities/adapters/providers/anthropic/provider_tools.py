"""The tools that Anthropic runs itself, as the Messages API wants them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .....contracts.message import Message, OpaquePart
from .....contracts.provider_tool import CodeExecution, McpConnector, WebSearch
from ....model_adapter import ModelRequest
from ..asking.hosted_tools import Connected, HostedTool, connected, place_of, untaken

CONTAINER = "container"
"""Type of the part that says where the provider runs code."""


@dataclass(slots=True)
class HostedTools:
    """What a request says of the provider's own tools."""

    tools: list[dict[str, Any]] = field(default_factory=list)
    servers: list[dict[str, Any]] = field(default_factory=list)
    """MCP servers that it is to connect to."""


def messages_tools(request: ModelRequest, hosted: Iterable[HostedTool]) -> HostedTools:
    """Return the provider's own tools as a request has them.

    Raises:
        InvalidRequest: The API has no place for something in one.
    """
    sent = HostedTools()
    for one in hosted:
        match one.tool:
            case WebSearch() as tool:
                said = {
                    "allowed_domains": list(tool.allowed_domains),
                    "blocked_domains": list(tool.blocked_domains),
                    "max_uses": tool.max_uses,
                    "user_location": place_of(tool.location),
                }
                search = {"type": one.word, "name": "web_search"}
                sent.tools.append(search | {key: value for key, value in said.items() if value})
            case CodeExecution():
                sent.tools.append({"type": one.word, "name": "code_execution"})
            case McpConnector() as tool:
                sent.tools.append(_toolset(tool))
                sent.servers.append(_server(tool, connected(request, tool)))
            case tool:
                raise untaken(tool, "has no such tool of its own")
    return sent


def beta_header(hosted: Iterable[HostedTool]) -> dict[str, str]:
    """Return the header that names what is not for everybody yet.

    It is empty where nothing is.
    Of an MCP connector, the profile's word is the name of its beta.
    """
    betas = dict.fromkeys(one.word for one in hosted if isinstance(one.tool, McpConnector))
    return {"anthropic-beta": ",".join(betas)} if betas else {}


class ProviderCalls:
    """The calls of the provider's own tools in an answer, by the names of their tools."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def name_of(self, block: dict[str, Any]) -> str:
        """Return the name of the tool of a call or a result.

        It is empty where a block is neither.
        """
        kind = str(block["type"])
        if kind == "server_tool_use":
            name = str(block.get("name"))
            # One tool with several names.
            name = "code_execution" if name.endswith("_code_execution") else name
        elif kind == "mcp_tool_use":
            name = f"{block.get('server_name')}/{block.get('name')}"
        elif kind.endswith("_tool_result"):
            return self._names.get(str(block.get("tool_use_id"))) or kind.removesuffix("_tool_result")
        else:
            return ""
        self._names[str(block.get("id"))] = name
        return name


def container_of(messages: Iterable[Message], provider: str) -> dict[str, Any] | None:
    """Return the container in which the model last ran code, if any."""
    found = [
        part.data
        for message in messages
        for part in message.parts
        if isinstance(part, OpaquePart)
        and part.provider == provider
        and part.data.get("type") == CONTAINER
        # A history of before may have one without.
        and isinstance(part.data.get("id"), str)
    ]
    return found[-1] if found else None


def is_alive(container: dict[str, Any]) -> bool:
    """Return whether a container is there still, as far as the provider said.

    It refuses one that is not.
    """
    try:
        expires = datetime.fromisoformat(str(container.get("expires_at")))
    except ValueError:
        return False
    return (expires if expires.tzinfo else expires.replace(tzinfo=UTC)) > datetime.now(UTC)


def _toolset(tool: McpConnector) -> dict[str, Any]:
    chosen = {name: {"enabled": True} for name in tool.tools}
    only = {"default_config": {"enabled": False}, "configs": chosen} if chosen else {}
    return {"type": "mcp_toolset", "mcp_server_name": tool.server, **only}


def _server(tool: McpConnector, server: Connected) -> dict[str, Any]:
    if server.headers:
        named = ", ".join(server.headers)
        raise untaken(tool, f"sends an MCP server no header but Authorization, and {tool.server!r} has {named}")
    token = {"authorization_token": server.token} if server.token else {}
    return {"type": "url", "name": server.name, "url": server.url, **token}
