"""Turns the tools that an MCP server lists into those of a run.

Says what the model calls them, and what a repeat does.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

from ..contracts import limits
from ..contracts.errors import SetupError
from ..contracts.mcp import McpServer, McpTool
from ..contracts.tool import Effect
from ..contracts.wire.mcp_call import McpCatalogue
from .mcp_session import ListedTool

_LONGEST_NAME = 64


def catalogue_of(name: str, server: McpServer, listed: Iterable[ListedTool]) -> McpCatalogue:
    """Return the catalogue of a server's tools.

    Args:
        name: What the app calls the server.
        server: How it is described there.
        listed: Its tools.

    Raises:
        SetupError: Two tools have one name, a schema is nested too deeply, or `effects=` names a tool that the server
            does not have.
    """
    tools = tuple(listed)
    counted = Counter(tool.name for tool in tools)
    if repeated := [tool for tool, times in counted.items() if times > 1]:
        raise SetupError(f"MCP server {name!r} lists two tools of one name: {', '.join(repeated)}")
    if unknown := sorted(set(server.effects) - set(counted)):
        known = ", ".join(sorted(counted)) or "none"
        raise SetupError(
            f"MCP server {name!r} has no tool {', '.join(map(repr, unknown))}, which effects= names; it has: {known}"
        )
    if deep := [tool.name for tool in tools if limits.is_too_deep(tool.parameters)]:
        raise SetupError(
            f"MCP server {name!r}: the schema of tool {deep[0]!r} is nested deeper than {limits.MAX_DEPTH} levels"
        )
    called = _names(server.prefix, counted)
    return McpCatalogue.of(name, [_tool(name, server, tool, called[tool.name]) for tool in tools])


def _tool(name: str, server: McpServer, listed: ListedTool, called: str) -> McpTool:
    return McpTool(
        name=called,
        description=listed.description,
        parameters=listed.parameters,
        effect=_effect(server, listed),
        timeout=server.timeout,
        server=name,
        tool=listed.name,
        approval=listed.destructive and not listed.read_only,
    )


def _effect(server: McpServer, listed: ListedTool) -> Effect:
    if listed.name in server.effects:
        return Effect(server.effects[listed.name])
    if listed.read_only:
        return Effect.READ
    return Effect.IDEMPOTENT if listed.idempotent else Effect.ONCE


def _names(prefix: str, tools: Iterable[str]) -> dict[str, str]:
    """Name each tool for the model, no two alike.

    By its own name where providers take it.
    """
    cleaned = {tool: _cleaned(f"{prefix}{tool}") for tool in tools}
    taken = Counter(cleaned.values())
    return {
        tool: _told_apart(name, tool) if taken[name] > 1 and name != f"{prefix}{tool}" else name
        for tool, name in cleaned.items()
    }


def _cleaned(name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    return (plain if re.match(r"[A-Za-z_]", plain) else f"_{plain}")[:_LONGEST_NAME]


def _told_apart(name: str, tool: str) -> str:
    suffix = f"_{hashlib.sha256(tool.encode()).hexdigest()[:8]}"
    return name[: _LONGEST_NAME - len(suffix)] + suffix
