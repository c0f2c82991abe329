"""Asks MCP servers for their tools, once per run.

The answer stands in the history, so that a run is held to the tools that it saw.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from ...activities.mcp import McpActivities
from ...contracts.errors import SpecError
from ...contracts.mcp import McpRef, McpTool
from ...contracts.specs.agent import Agent
from ...contracts.specs.node import check_distinct
from ...contracts.tool import ToolDefinition
from ...contracts.wire.mcp_call import McpCatalogue, McpCatalogueCall
from ...contracts.wire.places import Place
from .. import policy
from ..run_context import has_context
from ..until_served import until_served


async def mcp_tools(agent: Agent, place: Place, transfers: Iterable[ToolDefinition] = ()) -> tuple[McpTool, ...]:
    """Return the MCP tools that an agent refers to, in the order of its references.

    Args:
        agent: Whose references.
        place: Where it stands.
        transfers: What else its model is given, whose names are taken.

    Raises:
        SpecError: A server cannot be asked or has no such tool, or two tools have one name.
    """
    servers = list(dict.fromkeys(ref.server for _, ref in agent.mcp_refs()))
    asked = await asyncio.gather(*(fetch_catalogue(server, place) for server in servers))
    catalogues = dict(zip(servers, asked, strict=True))
    found: dict[tuple[str, str], McpTool] = {}
    for _, ref in agent.mcp_refs():
        catalogue = catalogues[ref.server]
        meant = (find_tool(catalogue, ref),) if ref.tool else catalogue.tools
        found.update({(tool.server, tool.tool): tool for tool in meant})
    _check_names(agent, transfers, list(found.values()))
    return tuple(found.values())


def find_tool(catalogue: McpCatalogue, ref: McpRef) -> McpTool:
    """Return the one tool that a reference means.

    Raises:
        SpecError: The server has no such tool, or one that had to be left out.
    """
    for tool in catalogue.tools:
        if tool.tool == ref.tool:
            return tool
    where = f"tools: 'mcp:{ref.server}/{ref.tool}': the MCP server {ref.server!r}"
    for fault in catalogue.faults:
        if fault.leaves_out(ref.tool):
            raise SpecError(f"{where} has a tool of this name, which was left out: {fault.problem}")
    known = ", ".join(tool.tool for tool in catalogue.tools) or "none"
    unknown = "".join(f"; {fault.told}" for fault in catalogue.faults if fault.left_out and not fault.tool)
    raise SpecError(f"{where} has no such tool; it has: {known}{unknown}")


async def fetch_catalogue(server: str, place: Place) -> McpCatalogue:
    """Ask a server for its tools, by an activity of the place that asks.

    Raises:
        SpecError: The server cannot be asked.
    """
    try:
        return await until_served(
            lambda _: workflow.execute_activity_method(
                McpActivities.catalogue,
                McpCatalogueCall(server=server, context=has_context()),
                activity_id=place.mcp_catalogue(server),
                summary=f"tools of {server}",
                **policy.catalogue_policy(),
            )
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        cause = error.cause
        message = cause.message if isinstance(cause, ApplicationError) else str(cause or error)
        raise SpecError(f"tools: 'mcp:{server}': {message}") from None


class Catalogues:
    """The catalogues that a workflow has asked for, of each server once."""

    def __init__(self) -> None:
        self._known: dict[str, McpCatalogue] = {}
        self._asking = asyncio.Lock()

    async def of(self, server: str, place: Callable[[], Place]) -> McpCatalogue:
        """Return the tools that a server had when it was first asked.

        Args:
            server: The server.
            place: Says which place asks.

        Raises:
            SpecError: The server cannot be asked.
        """
        async with self._asking:
            if server not in self._known:
                self._known[server] = await fetch_catalogue(server, place())
            return self._known[server]


def _check_names(agent: Agent, transfers: Iterable[ToolDefinition], tools: list[McpTool]) -> None:
    own = [(f"tool {one.name!r}", one.name) for one in (*agent.tools, *agent.delegates, *transfers)]
    own += [(f"tool {one.reserved!r}", one.reserved) for one in agent.provider_tools]
    try:
        check_distinct([*own, *((f"'mcp:{tool.server}/{tool.tool}'", tool.name) for tool in tools)])
    except ValueError as error:
        raise SpecError(f"tools: {error}; name the tools that you want one by one, or set McpServer(prefix=)") from None
