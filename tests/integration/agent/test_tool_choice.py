"""A call that an agent demands is demanded until it was made, and no longer."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import Client

from sostenuto import Agent, App, Status, tool
from sostenuto.contracts.errors import SpecError
from sostenuto.contracts.model import ANY_TOOL
from tests.fakes.cast import Cast
from tests.integration.agent.conftest import Serve


@tool(effect="read")
async def look(at: str) -> str:
    """Look at something."""
    return f"a {at}"


@tool(effect="read")
async def note(text: str) -> str:
    """Note something."""
    return "noted"


def _calls(name: str, **arguments: Any) -> dict[str, Any]:
    return {"tool_calls": [{"name": name, "arguments": arguments}]}


@pytest.mark.parametrize(
    ("choice", "demanded"),
    [
        (ANY_TOOL, [ANY_TOOL, "", ""]),
        ("note", ["note", "note", ""]),
        ("", ["", "", ""]),
    ],
)
async def test_it_is_demanded_until_it_was_made(serve: Serve, choice: str, demanded: list[str]) -> None:
    agent = Agent(name="a", model="scripted/m", tools=[look, note], tool_choice=choice)
    cast = Cast({"m": [_calls("look", at="cat"), _calls("note", text="a cat"), {"text": "Done."}]})
    async with serve(App(agent), cast) as stage:
        outcome = await stage.ask(agent, "Go.")
    assert (outcome.result.status, outcome.result.output) == (Status.COMPLETED, "Done.")
    assert [asked.tool_choice for asked in cast.requests] == demanded
    assert [call.tool_choice for call in outcome.history.model_calls] == demanded


async def test_it_is_still_demanded_after_a_run_has_continued_as_new(serve: Serve, impatient: Client) -> None:
    agent = Agent(name="a", model="scripted/m", tools=[look, note], tool_choice="note", parallel_tool_calls=False)
    script = [_calls("look", at=f"cat {n}") for n in range(12)] + [_calls("note", text="cats"), {"text": "Done."}]
    cast = Cast({"m": script})
    async with serve(App(agent), cast, temporal=impatient) as stage:
        outcome = await stage.ask(agent, "Go.")
    assert outcome.result.output == "Done."
    [started] = outcome.history.attributes("workflow_execution_started")
    assert started.continued_execution_run_id, "it was to continue as new"
    assert [asked.tool_choice for asked in cast.requests] == ["note"] * 13 + [""]
    assert not any(asked.parallel_tool_calls for asked in cast.requests)


@pytest.mark.parametrize(
    ("tools", "choice", "words"),
    [
        ([look], "note", "there is no tool 'note'; there are: required, look"),
        ([], "required", "there are: none, for the agent has none that it can be held to"),
    ],
)
def test_what_cannot_be_demanded_is_told_at_once(tools: list[Any], choice: str, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        Agent(name="a", model="scripted/m", tools=tools, tool_choice=choice)


def test_a_tool_of_a_server_may_be_demanded() -> None:
    assert Agent(name="a", model="scripted/m", tools=["mcp:files"], tool_choice="read").tool_choice == "read"
