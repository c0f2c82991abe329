"""Calls of MCP servers: for their tools, and of one of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from ..contract import Contract
from ..mcp import McpTool
from ..tool import Effect
from .tool_call import ToolInvocation


class McpCatalogueCall(Contract):
    """Asks for the catalogue of a server."""

    server: str


class McpCatalogue(Contract):
    """The tools that a server had when the run asked for them."""

    server: str
    tools: tuple[McpTool, ...] = ()
    digest: str
    """SHA-256 of the tools, see `McpCatalogue.of`."""

    @classmethod
    def of(cls, server: str, tools: Sequence[McpTool]) -> McpCatalogue:
        """Return the catalogue of these tools, in an order that fixes its digest."""
        ordered = tuple(sorted(tools, key=lambda tool: tool.tool))
        written = json.dumps([tool.model_dump(mode="json") for tool in ordered], sort_keys=True)
        return cls(server=server, tools=ordered, digest=hashlib.sha256(written.encode()).hexdigest())


class McpInvocation(ToolInvocation):
    """Input of one call of an MCP server's tool."""

    server: str
    tool: str
    name: str
    """What the model calls it."""
    effect: Effect = Effect.ONCE
    """As the catalogue of the run has it."""
