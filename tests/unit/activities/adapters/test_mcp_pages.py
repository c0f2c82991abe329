"""Servers list their tools page by page; one that never comes to an end is found out."""

from __future__ import annotations

from typing import Any

import pytest
from mcp import Client
from mcp.server import Server
from mcp.types import ListToolsResult, PaginatedRequestParams, Tool

from sostenuto import SetupError
from sostenuto.activities.adapters.mcp.connection import list_all


def server_of(pages: int | None) -> Server[Any]:
    """A server with a tool on each of its pages; None: with no last page."""

    async def list_tools(_: Any, params: PaginatedRequestParams | None) -> ListToolsResult:
        page = int((params and params.cursor) or 0)
        following = None if page + 1 == pages else str(page + 1)
        return ListToolsResult(tools=[Tool(name=f"t{page}", input_schema={"type": "object"})], next_cursor=following)

    return Server("pages", on_list_tools=list_tools)


async def test_all_pages_are_asked_for() -> None:
    async with Client(server_of(3), cache=None) as client:
        assert [tool.name for tool in await list_all(client)] == ["t0", "t1", "t2"]


async def test_an_endless_list() -> None:
    async with Client(server_of(None), cache=None) as client:
        with pytest.raises(SetupError, match="does not end within 100 pages"):
            await list_all(client)


async def test_a_server_without_tools() -> None:
    async with Client(Server("none"), cache=None) as client:
        assert await list_all(client) == []
