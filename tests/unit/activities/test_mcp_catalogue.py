"""What the model calls the tools of a server, and what a repeat of each does."""

from __future__ import annotations

import pytest

from sostenuto import Effect, SetupError
from sostenuto.activities.mcp_catalogue import catalogue_of
from sostenuto.activities.mcp_session import ListedTool, Listing
from sostenuto.contracts import limits
from sostenuto.contracts.mcp import McpServer, McpTool
from sostenuto.contracts.tool import check_spec
from sostenuto.contracts.wire.mcp_call import McpCatalogue, ToolFault

SERVER = McpServer(command="x")
BAD = ToolFault(tool="bad", problem="its inputSchema is a list", left_out=True)


def tools_of(*listed: ListedTool | str, server: McpServer | None = None) -> dict[str, McpTool]:
    """The catalogue's tools by the server's names of them."""
    tools = [ListedTool(tool, "") if isinstance(tool, str) else tool for tool in listed]
    found = catalogue_of("s", server or McpServer(command="x"), Listing(tuple(tools)))
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
    one, other = ListedTool("a", "first"), ListedTool("b", "second")
    digest = catalogue_of("s", SERVER, Listing((one, other))).digest
    assert catalogue_of("s", SERVER, Listing((other, one), (BAD,))).digest == digest
    assert catalogue_of("s", SERVER, Listing((one, ListedTool("b", "changed")))).digest != digest


def test_no_tool_has_the_name_that_another_one_was_given() -> None:
    given = names_of("a.b", "a/b")[0]
    found = names_of("a.b", "a/b", given)
    assert len(set(found)) == 3
    assert found[2] == given


def test_effects_of_what_the_server_does_not_have() -> None:
    server = McpServer(command="x", effects={"c": "read"})
    tools = (ListedTool("b", ""), ListedTool("a", ""))
    with pytest.raises(SetupError, match="'s' has no tool 'c', which effects= or approval= names; it has: a, b"):
        catalogue_of("s", server, Listing(tools, (BAD, ToolFault(tool="c", problem="has no type"))))


@pytest.mark.parametrize("fault", [BAD.model_copy(update={"tool": "c"}), ToolFault(problem="page 2", left_out=True)])
def test_effects_of_what_had_to_be_left_out(fault: ToolFault) -> None:
    found = catalogue_of("s", McpServer(command="x", effects={"c": "read"}), Listing((ListedTool("a", ""),), (fault,)))
    assert [tool.tool for tool in found.tools] == ["a"]
    assert found.faults == (fault,)


def test_a_catalogue_too_large_for_the_history_is_cut() -> None:
    third = "x" * (limits.MAX_TOOL_OUTPUT_BYTES // 3)
    found = catalogue_of("s", SERVER, Listing(tuple(ListedTool(name, third) for name in ("c", "b", "a"))))
    assert [tool.tool for tool in found.tools] == ["b", "c"]
    (fault,) = found.faults
    assert fault.leaves_out("a")
    assert "and the limit is 1,500,000" in fault.problem


def test_faults_are_bounded_and_those_of_what_is_left_out_come_first() -> None:
    repaired = [ToolFault(tool=f"r{number}", problem="p") for number in range(limits.MAX_FAULTS)]
    left_out = [ToolFault(tool=f"l{number}", problem="p", left_out=True) for number in range(30)]
    found = McpCatalogue.of("s", [], [*repaired, *left_out])
    assert len(found.faults) == limits.MAX_FAULTS
    assert found.faults[:30] == tuple(left_out)
    assert found.faults[-1].told == "its list: 0 more, and 31 more were repaired"
    assert (
        McpCatalogue.of("s", [], left_out * 4).faults[-1].told
        == "left out of its list: 21 more, and 0 more were repaired"
    )
    long = ToolFault.of("p" * 1000, tool="n" * 1000, left_out=True)
    assert (len(long.problem), len(long.tool)) == (limits.MAX_FAULT_CHARS, limits.MAX_FAULT_NAME_CHARS)
    assert long.leaves_out("n" * 1000)
