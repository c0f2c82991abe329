"""The tools that OpenAI runs itself, as the Responses API wants them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .....contracts.provider_tool import CodeExecution, FileSearch, McpConnector, WebSearch
from ....model_adapter import ModelRequest
from ..asking.hosted_tools import HostedTool, connected, place_of, untaken
from ..asking.wire_tools import sendable_name

RESULTS = {
    "web_search": "web_search_call.action.sources",
    "file_search": "file_search_call.results",
    "code_execution": "code_interpreter_call.outputs",
}
"""What `include` has to name for the results of a tool to come with the answer."""


def responses_tools(request: ModelRequest, hosted: Sequence[HostedTool]) -> list[dict[str, Any]]:
    """Return the provider's own tools as a request has them.

    Raises:
        InvalidRequest: The API has no place for something in one.
    """
    return [_tool(request, one) for one in hosted]


def most_calls(hosted: Sequence[HostedTool]) -> int | None:
    """Return the bound of calls of the provider's own tools, all together.

    Raises:
        InvalidRequest: A bound is meant for one of several.
    """
    for one in hosted:
        if isinstance(one.tool, WebSearch) and one.tool.max_uses:
            if len(hosted) > 1:
                raise untaken(one.tool, "has no max_uses for one of several tools of its own")
            return one.tool.max_uses
    return None


def _tool(request: ModelRequest, one: HostedTool) -> dict[str, Any]:
    match one.tool:
        case WebSearch() as tool:
            if tool.blocked_domains:
                raise untaken(tool, "takes no blocked_domains")
            filters = {"allowed_domains": list(tool.allowed_domains)} if tool.allowed_domains else None
            return _said(type=one.word, filters=filters, user_location=place_of(tool.location))
        case CodeExecution():
            return {"type": one.word, "container": {"type": "auto"}}
        case FileSearch() as tool:
            return _said(type=one.word, vector_store_ids=list(tool.stores), max_num_results=tool.max_results)
        case McpConnector() as tool:
            server = connected(request, tool)
            return _said(
                type=one.word,
                server_label=sendable_name(tool.server),
                server_url=server.url,
                authorization=server.token,
                headers=dict(server.headers),
                allowed_tools=list(tool.tools),
                # Otherwise the API would wait for somebody to let each call pass.
                require_approval="never",
            )


def _said(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
