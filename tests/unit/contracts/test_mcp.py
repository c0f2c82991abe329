"""MCP servers: what is wrong with one is said at once, its keys are never shown, a catalogue has one digest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sostenuto import McpServer, SpecError
from sostenuto.contracts.mcp import McpRef, McpTool
from sostenuto.contracts.wire.mcp_call import McpCatalogue


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "McpServer: give command= (with args=) or url=, exactly one of them"),
        ({"command": "a", "url": "http://b"}, "exactly one of them"),
        ({"command": ["npx", "a"]}, "command= is one program, not ['npx', 'a']: its arguments go into args="),
        ({"command": "npx", "args": "a b"}, "args= is a list of strings, not 'a b'"),
        ({"command": "npx", "args": [1]}, "args= is a list of strings, not [1]"),
        ({"command": "npx", "headers": {"a": "b"}}, "headers= goes with url=, not with command="),
        ({"url": "localhost:80"}, "url='localhost:80' is not an http:// or https:// address"),
        ({"url": "http://a", "args": ["b"]}, "args=, env= and cwd= go with command=, not with url="),
        ({"url": "http://a", "env": {"b": "c"}}, "args=, env= and cwd= go with command="),
        ({"url": "http://a", "headers": {"X": "größe"}}, "headers['X'] has characters that are not ASCII"),
        ({"url": "http://a", "headers": {"X": "key\n"}}, "headers['X'] has a line break, or white space at an end"),
        ({"url": "http://a", "timeout": 5}, "timeout= is a timedelta above 0, not 5"),
        ({"url": "http://a", "timeout": timedelta(0)}, "timeout= is a timedelta above 0"),
        ({"url": "http://a", "prefix": "a."}, "prefix='a.': use up to 32 letters, digits, '_' and '-'"),
        ({"url": "http://a", "effects": "read"}, "effects= is a dict"),
        ({"url": "http://a", "effects": {"b": "maybe"}}, "effects['b'] is 'maybe', not one of 'read', 'idempotent'"),
    ],
)
def test_a_wrong_server(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError) as caught:
        McpServer(**fields)
    assert words in str(caught.value)


@pytest.mark.parametrize("token", ["größe", "a\nX: b", "tok "])
def test_a_header_that_no_request_can_have(token: str) -> None:
    server = McpServer(url="http://a", headers={"Authorization": "Bearer {context.token}"})
    assert server.with_context("w", {"token": "a b"}).headers == {"Authorization": "Bearer a b"}
    with pytest.raises(SpecError, match=r"MCP server 'w': headers\['Authorization'\]: .*context's value") as caught:
        server.with_context("w", {"token": token})
    assert token not in str(caught.value)


def test_keys_are_not_shown() -> None:
    shown = repr(McpServer(command="npx", args=["server"], env={"KEY": "secret"}))
    shown += repr(McpServer(url="https://a", headers={"Authorization": "secret"}))
    assert "secret" not in shown
    assert "server" in shown


@pytest.mark.parametrize(
    ("text", "server", "tool"),
    [
        ("mcp:github", "github", ""),
        ("mcp:github/create_issue", "github", "create_issue"),
        ("mcp:my.server-1/a/b.c", "my.server-1", "a/b.c"),
    ],
)
def test_a_reference(text: str, server: str, tool: str) -> None:
    ref = McpRef.parse(text)
    assert ref == McpRef(server, tool)
    assert str(ref) == text


@pytest.mark.parametrize("text", ["", "github", "mcp", "mcp:", "mcp:/x", "mcp:a/", "mcp:a b", "mcp:a/b c", "mcp:a\n"])
def test_a_wrong_reference(text: str) -> None:
    with pytest.raises(SpecError, match="is not a tool: write 'mcp:server' or 'mcp:server/tool'"):
        McpRef.parse(text)


def a_tool(name: str, **fields: Any) -> McpTool:
    """A tool of a server."""
    return McpTool(**{"name": name, "tool": name, "server": "s", "parameters": {"type": "object"}, **fields})


def test_the_digest_depends_on_the_tools_and_not_on_their_order() -> None:
    one, two = a_tool("a"), a_tool("b", parameters={"type": "object", "title": "T"})
    catalogue = McpCatalogue.of("s", [two, one])
    assert catalogue == McpCatalogue.of("s", [one, two])
    assert [tool.tool for tool in catalogue.tools] == ["a", "b"]
    again = a_tool("b", parameters={"title": "T", "type": "object"})
    assert McpCatalogue.of("s", [again, one]).digest == catalogue.digest
    others = [[one], [one, a_tool("b")], [one, two.model_copy(update={"description": "x"})], []]
    digests = {McpCatalogue.of("s", tools).digest for tools in others}
    assert len(digests - {catalogue.digest}) == len(others)


def test_the_digest_stays_the_same_for_ever() -> None:
    """It stands in histories, and tells whether a server's tools have changed since."""
    recorded = "a2340a98679213b66b91473619e7cb01a880a9a8b22494ef808df6910d086e6a"
    assert McpCatalogue.of("s", [a_tool("a")]).digest == recorded
