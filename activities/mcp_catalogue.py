"""Turns the tools that an MCP server lists into those of a run.

Says what the model calls them, and what a repeat does.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Container, Iterable

from ..contracts import limits
from ..contracts.errors import SetupError
from ..contracts.mcp import McpServer, McpTool
from ..contracts.tool import Effect
from ..contracts.wire.mcp_call import McpCatalogue, ToolFault
from .mcp_session import ListedTool, Listing

_LONGEST_NAME = 64


def catalogue_of(name: str, server: McpServer, listing: Listing) -> McpCatalogue:
    """Return the catalogue of a server's tools.

    Args:
        name: What the app calls the server.
        server: How it is described there.
        listing: Its tools.

    Raises:
        SetupError: `effects=` or `approval=` names a tool that the server does not have.
    """
    _check_named(name, server, listing)
    called = _names(server.prefix, [tool.name for tool in listing.tools])
    tools: list[McpTool] = []
    faults = list(listing.faults)
    size = 0
    for listed in listing.tools:
        tool = _tool(name, server, listed, called[listed.name])
        size += limits.written_bytes(tool)
        if size > limits.MAX_TOOL_OUTPUT_BYTES:
            why = limits.excess("the catalogue with all before it", size, limits.MAX_TOOL_OUTPUT_BYTES)
            faults.append(ToolFault.of(why, tool=listed.name, left_out=True))
        else:
            tools.append(tool)
    return McpCatalogue.of(name, tools, faults)


def _check_named(name: str, server: McpServer, listing: Listing) -> None:
    """Check that each tool that is named is one that the server has.

    Or of one that it may have, where not all are known.

    Raises:
        SetupError: It is not.
    """
    left_out = [fault for fault in listing.faults if fault.left_out]
    if any(not fault.tool for fault in left_out):
        return
    known = sorted(tool.name for tool in listing.tools)
    unknown = [
        tool
        for tool in sorted(server.named_tools - set(known))
        if not any(fault.leaves_out(tool) for fault in left_out)
    ]
    if unknown:
        raise SetupError(
            f"MCP server {name!r} has no tool {', '.join(map(repr, unknown))}, which effects= or approval= names; "
            f"it has: {', '.join(known) or 'none'}"
        )


def _tool(name: str, server: McpServer, listed: ListedTool, called: str) -> McpTool:
    effect, destructive = _effect(server, listed), listed.destructive and not listed.read_only
    return McpTool(
        name=called,
        description=listed.description,
        parameters=listed.parameters,
        effect=effect,
        asks=server.approval_of(listed.name, effect, destructive=destructive),
        timeout=server.timeout,
        server=name,
        tool=listed.name,
        approval=destructive,
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
    alike = Counter(cleaned.values())
    taken = set(alike)
    names: dict[str, str] = {}
    for tool, name in cleaned.items():
        names[tool] = name if alike[name] == 1 or name == f"{prefix}{tool}" else _told_apart(name, tool, taken)
        taken.add(names[tool])
    return names


def _cleaned(name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    return (plain if re.match(r"[A-Za-z_]", plain) else f"_{plain}")[:_LONGEST_NAME]


def _told_apart(name: str, tool: str, taken: Container[str]) -> str:
    told = tool
    while True:
        told = hashlib.sha256(told.encode()).hexdigest()
        apart = f"{name[: _LONGEST_NAME - 9]}_{told[:8]}"
        if apart not in taken:
            return apart
