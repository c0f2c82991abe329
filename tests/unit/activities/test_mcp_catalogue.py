"""What the model calls the tools of a server, and what a repeat of each does."""

from __future__ import annotations

import pytest

from sostenuto import Effect, SetupError
from sostenuto.activities.mcp_catalogue import catalogue_of
from sostenuto.activities.mcp_session import ListedTool
from sostenuto.contracts.mcp import McpServer, McpTool
from sostenuto.contracts.tool import check_spec


def tools_of(*listed: ListedTool | str, server: McpServer | None = None) -> dict[str, McpTool]:
    """The catalogue's tools by the server's names of them."""
    tools = [ListedTool(tool, "") if isinstance(tool, str) else tool for tool in listed]
    found = catalogue_of("s", server or McpServer(command="x"), tools)
    for tool in found.tools:
        check_spec(tool)
    return {tool.tool: tool for tool in found.tools}


def names_of(*listed: str, prefix: str = "") -> list[str]:
    tools = tools_of(*listed, server=McpServer(command="x", prefix=prefix))
    return [tools[name].name for name in listed]


def test_names_are_the_servers_own_where_providers_take_them() -> None:
    assert names_of("create_issue", "get-sum", prefix="gh_") == ["gh_create_issue", "gh_get-sum"]
    assert names_of("issues.create", "2fa", "späh") == ["issues_create", "_2fa", "sp_h"]
    assert names_of("x" * 100) == ["x" * 64]


def test_no_two_are_alike() -> None:
    plain, dotted, slashed = names_of("a_b", "a.b", "a/b")
    assert plain == "a_b"
    assert len({plain, dotted, slashed}) == 3
    assert names_of("a/b", "a_b", "a.b") == [slashed, plain, dotted]
    long = names_of("x" * 64 + "1", "x" * 64 + "2")
    assert len(set(long)) == 2
    assert {len(name) for name in long} == {64}


def test_hints_become_effects() -> None:
    tools = tools_of(
        ListedTool("look", "", read_only=True, destructive=True),
        ListedTool("put", "", idempotent=True),
        ListedTool("drop", "", destructive=True),
        "silent",
    )
    assert [(name, tool.effect, tool.approval) for name, tool in tools.items()] == [
        ("drop", Effect.ONCE, True),
        ("look", Effect.READ, False),
        ("put", Effect.IDEMPOTENT, False),
        ("silent", Effect.ONCE, False),
    ]


def test_the_app_knows_better() -> None:
    server = McpServer(command="x", effects={"look": "once", "silent": Effect.READ})
    tools = tools_of(ListedTool("look", "", read_only=True), "silent", server=server)
    assert (tools["look"].effect, tools["silent"].effect) == (Effect.ONCE, Effect.READ)


def test_the_same_tools_have_the_same_digest() -> None:
    server = McpServer(command="x")
    one, other = ListedTool("a", "first"), ListedTool("b", "second")
    digest = catalogue_of("s", server, [one, other]).digest
    assert catalogue_of("s", server, [other, one]).digest == digest
    assert catalogue_of("s", server, [one, ListedTool("b", "changed")]).digest != digest


def test_a_list_that_contradicts_itself() -> None:
    with pytest.raises(SetupError, match="MCP server 's' lists two tools of one name: a"):
        tools_of("a", "a")
    with pytest.raises(SetupError, match="'s' has no tool 'c', which effects= names; it has: a, b"):
        tools_of("b", "a", server=McpServer(command="x", effects={"c": "read"}))
