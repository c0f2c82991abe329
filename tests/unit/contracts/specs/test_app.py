"""Apps: what they serve is gathered from every depth, and what cannot be served is refused with its place."""

from __future__ import annotations

from typing import Any

import pytest

from sostenuto import Agent, App, Chain, McpServer, Prompt, Router, SpecError, Team, tool
from sostenuto.contracts.specs.node import check_tree

SERVER = McpServer(url="http://localhost/mcp")


@tool(effect="read")
def look(at: str) -> str:
    """Look at a thing."""
    return at


def polite(answer: str) -> str | None:
    """Whether it is polite."""
    return None if "please" in answer else "not polite"


def agent(name: str = "a", **fields: Any) -> Agent:
    """An agent with what a test says of it."""
    return Agent(**{"name": name, "model": "scripted/m", **fields})


def prompt(name: str, **fields: Any) -> Prompt:
    """A prompt with what a test says of it."""
    return Prompt(**{"name": name, "model": "scripted/m", "template": "{input}", **fields})


def test_it_knows_what_it_serves() -> None:
    first, second = agent("first", tools=[look]), agent("second", tools=[look])
    app = App(first, second)
    assert list(app) == [first, second]
    assert list(app.tools) == ["look"]
    assert app.runnable("second") is second


def test_tools_and_validators_of_what_is_nested_are_served() -> None:
    inner = agent("inner", tools=[look, prompt("leaf", validators=[polite, "by_name"])])
    app = App(Router(name="r", routes=[Chain(name="c", steps=[Team(name="t", members=[inner], model="a/b")])]))
    assert app.tools == {"look": look}
    assert app.validators == {"polite": polite}
    assert [node.name for node in app.walk()] == ["r", "c", "t", "inner", "leaf"]
    assert list(app.runnables) == ["r"]
    assert dict(app.runnable("r").places())["routes[0].steps[0].members[0].tools[leaf]"].name == "leaf"


def test_tools_and_validators_of_its_own_are_served() -> None:
    app = App(tools=[look], validators=[polite], mcp={"s": SERVER}, workflows=[Chain])
    assert (app.tools, app.validators, app.mcp) == ({"look": look}, {"polite": polite}, {"s": SERVER})
    assert app.workflows == (Chain,)


def test_a_name_that_is_taken() -> None:
    @tool(name="look")
    def other(at: str) -> str:
        return at

    def impolite(answer: str) -> None:
        """Another one of that name."""

    impolite.__name__ = "polite"
    one = agent("one", tools=[look], validators=[polite])
    with pytest.raises(SpecError, match="App: argument 2: there is already a runnable named 'one'"):
        App(one, one)
    with pytest.raises(SpecError, match=r"App: argument 2 \(two\): there is already another tool named 'look'"):
        App(one, agent("two", tools=[other]))
    with pytest.raises(SpecError, match=r"App: tools\[0\]: there is already another tool named 'look'"):
        App(one, tools=[other])
    chain = Chain(name="c", steps=[one, prompt("p", validators=[impolite])])
    with pytest.raises(SpecError, match=r"App: argument 1: steps\[1\] \(p\): there is already another validator named"):
        App(chain)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"tools": [print]},
            "App: tools[0]: <built-in function print> is not a tool: pass a function decorated with @tool",
        ),
        ({"tools": look}, "App: tools: <tool look (read)> is not a list: write [...]"),
        ({"validators": [polite, 7]}, "App: validators[1]: 7 is not a validator"),
        ({"validators": ["polite"]}, "App: validators: 'polite' is a name: pass the function that has it"),
        ({"validators": polite}, "App: validators: the function polite"),
        ({"workflows": ["W"]}, "App: workflows[0]: 'W' is not a class: pass one made by @workflow.defn"),
        ({"mcp": SERVER}, "is not a dict of servers by name: write {'name': McpServer(...)}"),
        (
            {"mcp": {"s": "npx server"}},
            "App: mcp['s']: 'npx server' is not a server: write McpServer(command=...) or McpServer(url=...)",
        ),
        ({"mcp": {"a/b": SERVER}}, "App: mcp: 'a/b' is not a name of a server: use up to 64 letters"),
        ({"mcp": {"a\n": SERVER}}, "App: mcp: 'a\\n' is not a name of a server"),
    ],
)
def test_a_wrong_app(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError) as caught:
        App(**fields)
    assert words in str(caught.value)


def test_what_cannot_be_run() -> None:
    with pytest.raises(SpecError, match="App: argument 1: 'one' cannot be run: pass an Agent, Prompt, Retrieve, Chain"):
        App("one")  # type: ignore[arg-type]
    with pytest.raises(SpecError, match="the app has no runnable named 'tow'; it has: one"):
        App(agent("one")).runnable("tow")
    with pytest.raises(SpecError, match="it has: none"):
        App().runnable("one")


def test_a_server_that_is_not_there() -> None:
    nested = Chain(name="c", steps=[agent("z", tools=["mcp:s"])])
    words = r"App: argument 1: steps\[0\] \(z\): tools: 'mcp:s': the app has no MCP server 's' \(it has: none\)"
    with pytest.raises(SpecError, match=words):
        App(nested)
    assert App(nested, mcp={"s": SERVER}).mcp == {"s": SERVER}


def test_tools_of_two_servers_with_one_name_need_a_prefix() -> None:
    both = agent("z", tools=["mcp:s/list", "mcp:t/list"])
    with pytest.raises(SpecError, match=r"\(z\): tools: 'mcp:t/list' has the name 'list' of 'mcp:s/list'.*: give one"):
        App(both, mcp={"s": SERVER, "t": SERVER})
    App(both, mcp={"s": SERVER, "t": McpServer(command="server", prefix="t_")})


def test_a_runnable_that_contains_itself() -> None:
    inner = Team(name="t", members=[agent()], model="a/b")
    outer = Team(name="t", members=[agent("b"), Chain(name="c", steps=[inner])], model="a/b")
    words = r"Team 't': members\[1\]\.steps\[0\]: 't' is already above it: it cannot contain itself"
    with pytest.raises(SpecError, match=words):
        check_tree(outer)
    with pytest.raises(SpecError, match=words):
        App(outer)
    # The same specialist may work in two places, and a name may come again for something else.
    check_tree(Chain(name="a", steps=[agent(), Chain(name="d", steps=[agent()])]))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"agents": [agent()]},
            r"App has no field 'agents': write App\(one, another\): what runs is given without a name",
        ),
        ({"tols": [look]}, r"App has no field 'tols': did you mean 'tools'\?"),
    ],
)
def test_a_field_that_there_is_not(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        App(agent(), **fields)
