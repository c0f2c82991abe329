"""What people may write of approvals, and what is wrong with the rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import pytest

from sostenuto import Agent, App, Approval, AskPerson, Effect, McpServer, Retrieve, SpecError, WebSearch, tool
from sostenuto.contracts.control.approval import call_hash
from sostenuto.contracts.mcp import McpTool
from sostenuto.contracts.tool import ToolSpec


async def pay(order: str, amount: float = 1.0) -> str:
    """Pay."""
    return order


# What type checkers refuse too.
ANY_APPROVAL: Any = Approval
ANY_ASK_PERSON: Any = AskPerson


def _with_tools(*tools: Any) -> Agent:
    return Agent(name="a", model="scripted/m", tools=tools)


def _asks(approval: Any) -> Approval | None:
    return tool(approval=approval)(pay).spec.asks


def test_what_a_tool_may_say() -> None:
    assert _asks(False) is None
    assert _asks(True) == Approval()
    assert _asks("large") == Approval(policy="large")
    asks = _asks(Approval(when=lambda amount, **_: amount > 9, quorum=2))
    assert asks is not None
    assert (asks.conditional, asks.when is not None, asks.quorum) == (True, True, 2)


def test_code_stays_where_it_is() -> None:
    agent = Agent(name="a", model="scripted/m", tools=[tool(approval=Approval(when=lambda amount: amount > 9))(pay)])
    read = Agent.model_validate_json(agent.model_dump_json()).tools[0]
    assert read.asks is not None
    assert (read.asks.conditional, read.asks.when) == (True, None)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Approval(quorum=0), "quorum: Input should be greater than or equal to 1"),
        (lambda: Approval(expires=timedelta(0)), "expires: Input should be greater than 0"),
        (lambda: Approval(escalate_to="board"), "escalate_to: it goes there when it expires: give expires="),
        (lambda: Approval(when=cast("Any", "amount > 9")), "when: 'amount > 9' is no function of the arguments"),
        (lambda: Approval(gruop="x"), "did you mean 'group'"),
        (lambda: _asks(7), "tool pay: approval: 7 is no approval: write True, the name of one in App"),
        (
            lambda: _asks(Approval(when=lambda total: total > 9)),
            "when: it takes 'total', .* by their names: order, amount",
        ),
        (lambda: App(tools=[tool(approval="big")(pay)]), r"the app has no approval 'big' \(it has: none\)"),
        (lambda: App(approvals=cast("Any", [Approval()])), "App: approvals: .* is not a dict by name"),
        (lambda: App(approvals=cast("Any", {"big": True})), r"App: approvals\['big'\]: True is not an approval"),
        (
            lambda: App(tools=[tool(approval="big")(pay)], approvals={"big": Approval(when=lambda total: total > 9)}),
            "approval 'big': when: it takes 'total'",
        ),
        (lambda: McpServer(command="x", approval="big"), "approval='big' is not one of 'once', 'write'"),
        (
            lambda: App(mcp={"s": McpServer(command="x", approval={"write": "big"})}),
            r"App: mcp\['s'\]: approval\['write'\]: the app has no approval 'big'",
        ),
        (lambda: tool(reconcile=cast("Any", 7))(pay), "tool pay: reconcile: 7 is no function"),
        (lambda: tool(effect="read", reconcile=lambda key: None)(pay), "reconcile= is for effect='once', not 'read'"),
        (lambda: AskPerson(name="ask a person"), "a name has up to 64 letters"),
        (lambda: ANY_ASK_PERSON("ops"), "^AskPerson: the argument 'ops' has no name: write group='ops'$"),
        (lambda: ANY_ASK_PERSON(gruop="ops"), "AskPerson has no field 'gruop': did you mean 'group'?"),
        (lambda: ANY_APPROVAL("ops"), "^Approval: the argument 'ops' has no name: write group='ops'$"),
        (lambda: ANY_APPROVAL(lambda amount: amount > 9), "the argument a lambda has no name: write when=...$"),
        (lambda: ANY_APPROVAL(timedelta(hours=1)), "has no name: write expires=...$"),
        (lambda: _asks(lambda amount: amount > 9), r"a lambda is no approval: .*, write Approval\(when=...\)$"),
        (lambda: _asks(Approval), r"the class Approval is no approval: write Approval\(...\), or True"),
        (
            lambda: McpServer(command="x", approval={"once": ANY_APPROVAL}),
            r"McpServer: approval\['once'\]: the class Approval is no approval: write Approval\(...\)",
        ),
        (lambda: _with_tools(AskPerson), r"tools\[0\]: the class AskPerson is not a tool: write AskPerson\(\)$"),
        (lambda: _with_tools(WebSearch), r"tools\[0\]: the class WebSearch is not a tool: write WebSearch\(...\)$"),
        (lambda: _with_tools(Agent), r"tools\[0\]: the class Agent is not a tool: write Agent\(...\)$"),
        (lambda: _with_tools(Retrieve), r"the class Retrieve is not a tool: write COLLECTION.search$"),
    ],
)
def test_what_is_wrong_is_said(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        make()


def test_tools_of_servers_by_name_before_class() -> None:
    push = Approval(group="ops")
    server = McpServer(command="x", approval={"write": "team", "push": push, "log": False, "all": True})
    assert server.approval_of("push", Effect.READ, destructive=False) == push
    assert server.approval_of("log", Effect.ONCE, destructive=True) is None
    assert server.approval_of("tag", Effect.IDEMPOTENT, destructive=False) == Approval(policy="team")
    assert server.approval_of("show", Effect.READ, destructive=False) == Approval()
    destructive = McpServer(command="x", approval="destructive")
    assert destructive.approval_of("drop", Effect.ONCE, destructive=True) == Approval()
    assert destructive.approval_of("push", Effect.ONCE, destructive=False) is None
    assert McpServer(command="x").approval_of("drop", Effect.ONCE, destructive=True) is None


def test_what_older_histories_have_of_destructive_tools_asks_nobody() -> None:
    old = {"name": "drop", "parameters": {}, "server": "s", "tool": "drop", "approval": True}
    read = McpTool.model_validate_json(json.dumps(old))
    assert (read.approval, read.asks) == (True, None)


def test_a_hash_is_of_the_tool_and_its_arguments_alone() -> None:
    assert call_hash("pay", {"a": 1, "b": [2]}) == call_hash("pay", {"b": [2], "a": 1})
    others: list[tuple[str, dict[str, Any]]] = [
        ("pay", {"a": 1}),
        ("pay", {"a": "1"}),
        ("pay", {"a": 1.5}),
        ("pay2", {"a": 1}),
        ("pay", {"a": True}),
    ]
    assert len({call_hash(name, args) for name, args in others}) == len(others)


def test_a_question_is_a_tool_that_nothing_runs() -> None:
    agent = Agent(name="a", model="scripted/m", tools=[AskPerson(group="support")])
    spec: ToolSpec = agent.tools[0]
    assert spec.name == "ask_person"
    assert spec.asks is not None
    assert (spec.asks.question, spec.asks.group) == (True, "support")
