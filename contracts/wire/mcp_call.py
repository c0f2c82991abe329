"""Calls of MCP servers: for their tools, and of one of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from .. import limits
from ..contract import Contract
from ..mcp import McpTool
from ..text import one_line, printable, shorten
from ..tool import Effect
from .tool_call import ToolInvocation


class McpCatalogueCall(Contract):
    """Asks for the catalogue of a server."""

    server: str
    context: bool = False
    """Whether the run has a context, which may say how the server is reached."""


class ToolFault(Contract):
    """What is wrong with a tool that a server lists, or with its list.

    And what was done about it.
    """

    tool: str = ""
    """The server's name of the tool, at most `MAX_FAULT_NAME_CHARS` of it. Empty where the list is meant, or one of its
    entries that has no name."""
    problem: str
    """What is wrong, and what it was taken for. At most `MAX_FAULT_CHARS` characters."""
    left_out: bool = False
    """Whether the run has to do without it. Otherwise it was repaired."""

    @classmethod
    def of(cls, problem: str, *, tool: str = "", left_out: bool = False) -> ToolFault:
        """Return a fault in a line, cut where it is long: it may quote what a server said."""
        return cls(
            tool=shorten(tool, limits.MAX_FAULT_NAME_CHARS),
            problem=printable(one_line(problem, limits.MAX_FAULT_CHARS)),
            left_out=left_out,
        )

    def leaves_out(self, tool: str) -> bool:
        """Return whether it is why the run does without this tool."""
        return self.left_out and self.tool == shorten(tool, limits.MAX_FAULT_NAME_CHARS)

    @property
    def told(self) -> str:
        """The fault in words that go behind the name of the server."""
        if not self.tool:
            return f"left out of its list: {self.problem}" if self.left_out else f"its list: {self.problem}"
        return f"tool {self.tool!r} {'left out' if self.left_out else 'repaired'}: {self.problem}"


class McpCatalogue(Contract):
    """The tools that a server had when the run asked for them."""

    server: str
    tools: tuple[McpTool, ...] = ()
    digest: str
    """SHA-256 of the tools, see `McpCatalogue.of`."""
    faults: tuple[ToolFault, ...] = ()
    """What the server lists otherwise than it should, the tools first that were left out. At most `MAX_FAULTS`."""

    @classmethod
    def of(cls, server: str, tools: Sequence[McpTool], faults: Sequence[ToolFault] = ()) -> McpCatalogue:
        """Return the catalogue of these tools, in an order that fixes its digest."""
        ordered = tuple(sorted(tools, key=lambda tool: tool.tool))
        written = json.dumps([tool.model_dump(mode="json") for tool in ordered], sort_keys=True)
        digest = hashlib.sha256(written.encode()).hexdigest()
        return cls(server=server, tools=ordered, digest=digest, faults=_bounded(faults))


class McpInvocation(ToolInvocation):
    """Input of one call of an MCP server's tool."""

    server: str
    tool: str
    name: str
    """What the model calls it."""
    effect: Effect = Effect.ONCE
    """As the catalogue of the run has it."""


def _bounded(faults: Sequence[ToolFault]) -> tuple[ToolFault, ...]:
    """Return the faults that are told, those of what is left out first."""
    told = sorted(faults, key=lambda fault: not fault.left_out)
    if len(told) <= limits.MAX_FAULTS:
        return tuple(told)
    rest = told[limits.MAX_FAULTS - 1 :]
    left_out = sum(fault.left_out for fault in rest)
    more = f"{left_out:,} more, and {len(rest) - left_out:,} more were repaired"
    return (*told[: limits.MAX_FAULTS - 1], ToolFault(problem=more, left_out=bool(left_out)))
