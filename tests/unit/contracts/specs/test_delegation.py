"""Runnables as tools: what a model sees, what the runnable is told, and what the model hears of it."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from sostenuto import Agent, Chain, Parallel, Prompt, Result, Status
from sostenuto.contracts.message import ToolResultPart
from sostenuto.contracts.specs.agent_tools import delegate_tool, message_for_delegate, transfer_tool
from sostenuto.contracts.specs.node import Node
from sostenuto.contracts.wire.delegate_answer import delegate_answer

AGENT = Agent(name="billing", model="scripted/m", instructions="You know invoices.\nAll of them.")
PROMPT = Prompt(name="ask", model="scripted/m", template="{input}: {topic} for {audience}", description="Asks.")


def test_a_runnable_without_names_takes_a_task() -> None:
    seen = delegate_tool(AGENT)
    assert (seen.name, seen.description) == ("billing", "You know invoices.")
    assert seen.parameters["required"] == ["task"]
    assert seen.parameters["additionalProperties"] is False
    assert message_for_delegate(AGENT, {"task": "Find 7."}).text == "Find 7."
    assert message_for_delegate(AGENT, {"task": {"n": 7}}).text == '{"n": 7}'


def test_a_runnable_with_names_takes_them() -> None:
    seen = delegate_tool(PROMPT)
    assert seen.description == "Asks."
    assert seen.parameters == {
        "type": "object",
        "properties": {"topic": {"type": "string"}, "audience": {"type": "string"}},
        "required": ["topic", "audience"],
        "additionalProperties": False,
    }
    assert message_for_delegate(PROMPT, {"audience": "ä", "topic": "t"}).text == '{"audience": "ä", "topic": "t"}'


@pytest.mark.parametrize(
    "node",
    [
        Chain(name="chain", steps=[PROMPT], inputs=["topic", "audience"]),
        Parallel(name="both", branches=[PROMPT, AGENT]),
        Parallel(name="each", each=AGENT, over="topic"),
    ],
)
def test_names_of_what_is_nested_are_arguments_too(node: Node) -> None:
    assert delegate_tool(node).parameters["required"] == list(node.needs())


@pytest.mark.parametrize(
    ("node", "arguments", "words"),
    [
        (AGENT, {}, "The call lacks task. Valid arguments follow this JSON schema: {"),
        (AGENT, {"task": "a", "topic": "b"}, "The call has no use for topic. "),
        (PROMPT, {"topic": "a"}, "The call lacks audience. "),
        (PROMPT, {"task": "a"}, "The call lacks topic, audience and has no use for task. "),
    ],
)
def test_a_wrong_call_says_what_would_be_valid(node: Node, arguments: dict[str, JsonValue], words: str) -> None:
    with pytest.raises(ValueError, match="JSON schema") as caught:
        message_for_delegate(node, arguments)
    assert words in str(caught.value)
    assert all(name in str(caught.value) for name in delegate_tool(node).parameters["required"])


@pytest.mark.parametrize("name", ["a.b", "1st"])
def test_a_name_that_is_none_for_a_tool(name: str) -> None:
    with pytest.raises(ValueError, match=f"here: '{name}' is not a name for a tool: use letters, digits, '_' and '-'"):
        delegate_tool(Agent(name=name, model="scripted/m"), "here")


def test_a_transfer_asks_for_a_reason_and_needs_none() -> None:
    seen = transfer_tool(AGENT)
    assert seen.name == "transfer_to_billing"
    assert "You know invoices." in seen.description
    assert list(seen.parameters["properties"]) == ["reason"]
    assert "required" not in seen.parameters


@pytest.mark.parametrize(
    ("result", "content", "is_error"),
    [
        (Result(status=Status.COMPLETED, output="42"), "42", False),
        (Result(status=Status.COMPLETED, output={"n": 42}), '{"n": 42}', False),
        (Result(status=Status.COMPLETED), "", False),
        (Result(status=Status.FAILED, reason="broke"), "billing ended as failed: broke", True),
        (
            Result(status=Status.EXHAUSTED, reason="50 turns", output="so far"),
            "billing ended as exhausted: 50 turns\nBefore that it said: so far",
            True,
        ),
    ],
)
def test_what_the_model_is_told_of_the_result(result: Result, content: str, is_error: bool) -> None:
    assert delegate_answer("c1", "billing", result) == ToolResultPart(
        call_id="c1", name="billing", content=content, is_error=is_error
    )
