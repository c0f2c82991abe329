"""Servers list their tools page by page: every list comes to an end, and what it had until then is used."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.shared.message import SessionMessage
from mcp.types import jsonrpc_message_adapter
from pydantic import ValidationError

from sostenuto.activities.adapters.mcp.judged_lists import judged_lists
from sostenuto.activities.adapters.mcp.listing import FoundTools, list_all
from sostenuto.activities.mcp_session import Listing
from sostenuto.contracts import limits

OBJECT = {"type": "object", "properties": {}}
Pages = Callable[[str | None], dict[str, Any]]
"""The page of a cursor, or the error that is answered."""


def page(*names: str, **more: Any) -> dict[str, Any]:
    return {"tools": [{"name": name, "inputSchema": OBJECT} for name in names], **more}


@asynccontextmanager
async def transport_of(pages: Pages, version: str) -> AsyncIterator[Any]:
    """Streams to a server that says on the wire what no SDK would let it say."""
    to_client, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](math.inf)
    outgoing, from_client = anyio.create_memory_object_stream[SessionMessage](math.inf)
    async with to_client, incoming, outgoing, from_client:
        serving = asyncio.create_task(_serve(pages, version, from_client, to_client))
        yield incoming, outgoing
        serving.cancel()
        await asyncio.wait([serving])


async def _serve(
    pages: Pages,
    version: str,
    requests: MemoryObjectReceiveStream[SessionMessage],
    answers: MemoryObjectSendStream[SessionMessage | Exception],
) -> None:
    async for item in requests:
        asked = item.message.model_dump(by_alias=True)
        if "id" not in asked:
            continue
        answer = _answer(pages, version, asked["method"], asked.get("params") or {})
        message = jsonrpc_message_adapter.validate_python({"jsonrpc": "2.0", "id": asked["id"], **answer})
        await answers.send(SessionMessage(message))


def _answer(pages: Pages, version: str, method: str, params: dict[str, Any]) -> dict[str, Any]:
    about = {"capabilities": {"tools": {}}, "serverInfo": {"name": "pages", "version": "1"}}
    modern = version >= "2026"
    if method == "initialize" and not modern:
        return {"result": {"protocolVersion": version, **about}}
    if method == "server/discover" and modern:
        kept = {"resultType": "complete", "ttlMs": 0, "cacheScope": "private"}
        return {"result": {"supportedVersions": [version], **about, **kept}}
    if method != "tools/list":
        return {"error": {"code": -32601, "message": "no such method"}}
    said = pages(params.get("cursor"))
    return said if "error" in said else {"result": said}


@pytest.fixture(params=["2025-06-18", "2026-07-28"])
def version(request: pytest.FixtureRequest) -> str:
    """Version of the protocol that the server speaks."""
    return str(request.param)


async def listed(pages: Pages, version: str) -> Listing:
    """What is found of a server's list, as the session finds it."""
    found = FoundTools()
    failed: Exception | None = None
    async with Client(judged_lists(transport_of(pages, version)), cache=None) as client:
        assert client.protocol_version == version
        try:
            await list_all(client, found)
        except (MCPError, ValidationError) as error:
            failed = error
    if failed and not found.pages:
        raise failed
    if failed:
        found.cut(str(failed))
    return found.listing(lambda text: text.replace("secret", "[redacted]"))


def names(listing: Listing) -> list[str]:
    return [tool.name for tool in listing.tools]


def told(listing: Listing) -> list[str]:
    return [fault.told for fault in listing.faults]


async def test_all_pages_are_asked_for(version: str) -> None:
    pages = {None: page("a", nextCursor="1"), "1": page(nextCursor="2"), "2": page("b", nextCursor=None)}
    found = await listed(lambda cursor: pages[cursor], version)
    assert (names(found), told(found)) == (["a", "b"], [])


async def test_a_tool_of_two_pages_is_one(version: str) -> None:
    pages = {None: page("a", nextCursor="1"), "1": page("a", "b")}
    found = await listed(lambda cursor: pages[cursor], version)
    assert names(found) == ["a", "b"]
    assert told(found) == ["tool 'a' left out: there is another tool of this name before it, which is kept"]


@pytest.mark.parametrize(
    ("pages", "had", "why"),
    [
        (lambda at: page(f"t{at}", nextCursor="same"), ["tNone", "tsame"], "page 2: its cursor was that of a page"),
        (lambda _: page("a", nextCursor="same"), ["a"], "its list: page 2 has the tools of those before"),
        (
            lambda _: page("a", nextCursor=""),
            ["a"],
            "its list: page 2 has the tools of those before: taken for its end",
        ),
        (lambda at: page("a", nextCursor=f"{at}x"), ["a"], "its list: page 2 has the tools of those before"),
        (
            lambda _: page("a", nextCursor=7),
            ["a"],
            "left out of its list: what comes after a page whose nextCursor is a",
        ),
        (lambda _: page("a", nextCursor=["x"]), ["a"], "whose nextCursor is a list"),
        (lambda at: {"error": {"code": -32000, "message": "secret"}} if at else page("a", nextCursor="1"), ["a"], ""),
        (lambda at: {"tools": None} if at else page("a", nextCursor="1"), ["a"], "what comes after page 1: "),
        (lambda at: {} if at else page("a", nextCursor="1"), ["a"], "what comes after page 1: "),
    ],
    ids=["repeated", "one page", "empty", "new cursors", "number", "list", "refused", "no list", "nothing"],
)
async def test_a_list_that_breaks_off(pages: Pages, had: list[str], why: str, version: str) -> None:
    found = await listed(pages, version)
    assert names(found) == had
    (said,) = told(found)
    assert why in said
    assert "secret" not in said


@pytest.mark.parametrize("named", [True, False], ids=["tools", "no tools"])
async def test_an_endless_list(named: bool, version: str) -> None:
    asked: list[str | None] = []

    def pages(cursor: str | None) -> dict[str, Any]:
        asked.append(cursor)
        return page(*([f"t{cursor}"] if named else []), nextCursor=f"{len(asked)}")

    found = await listed(pages, version)
    assert len(asked) == limits.MAX_PAGES
    assert len(found.tools) == (limits.MAX_PAGES if named else 0)
    assert told(found) == ["left out of its list: what comes after page 100: its list does not end"]


@pytest.mark.parametrize("last", [0, 1], ids=["full", "too full"])
async def test_a_list_of_too_many(last: int, version: str) -> None:
    most = limits.MAX_TOOLS
    pages = {
        None: page(*(f"a{index}" for index in range(most - 1)), nextCursor="1"),
        "1": page(*(f"b{index}" for index in range(1 + last))),
    }
    found = await listed(lambda cursor: pages[cursor], version)
    assert len(found.tools) == most
    assert told(found) == ["tool 'b1' left out: there are 5,000 tools before it"] * last


async def test_a_list_that_goes_on_when_there_are_enough(version: str) -> None:
    found = await listed(lambda at: page(*(f"{at}{n}" for n in range(limits.MAX_TOOLS)), nextCursor="1"), version)
    assert told(found) == ["left out of its list: what comes after page 1: there are 5,000 tools before it"]


async def test_a_first_page_that_is_none(version: str) -> None:
    with pytest.raises(ValidationError, match="1 validation error") as caught:
        await listed(lambda _: {"tools": "none"}, version)
    assert caught.value.errors()[0]["loc"] == ("tools",)
    with pytest.raises(MCPError, match="closed"):
        await listed(lambda _: {"error": {"code": 1, "message": "closed"}}, version)


async def test_what_the_protocol_forbids_is_told() -> None:
    """The SDK leaves it out, of servers of 2026."""
    header = {"type": "object", "properties": {"a": {"type": "number", "x-mcp-header": "A"}}}
    tools = [{"name": "bad", "inputSchema": header}, {"name": "good", "inputSchema": OBJECT}]
    found = await listed(lambda _: {"tools": tools}, "2026-07-28")
    assert names(found) == ["good"]
    assert told(found) == [
        "tool 'bad' left out: property 'a': x-mcp-header is only permitted on integer/string/boolean properties "
        "(got 'number')"
    ]
