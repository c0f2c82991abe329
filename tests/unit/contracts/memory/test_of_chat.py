"""The memory of one chat in place of its agent's own."""

from __future__ import annotations

import pytest

from sostenuto import Agent, Chain, Memory, Prompt, SpecError, Team, tool
from sostenuto.contracts.memory.of_chat import with_memory
from sostenuto.contracts.specs.node import Node

MEMORY = Memory(window=4_000, strategy="summary")
BOT = Agent(name="bot", model="local/m")
ASK = Prompt(name="ask", template="{input}", model="local/m")


@tool(effect="read")
async def read_result() -> str:
    """Of the name of a tool of ours."""
    return ""


@pytest.mark.parametrize("runnable", [BOT, Team(name="crew", model="local/m", members=[BOT])])
def test_it_takes_the_place_of_the_agents_own(runnable: Node) -> None:
    made = with_memory(runnable, MEMORY)
    assert made.agent is not None
    assert made.agent.memory == MEMORY
    assert runnable.agent.memory is None
    assert made.name == runnable.name


@pytest.mark.parametrize(
    "runnable",
    [
        ASK,
        Chain(name="flow", steps=[ASK, BOT]),
        Team(name="crew", model="local/m", style="debate", members=[BOT, BOT.model_copy(update={"name": "other"})]),
    ],
)
def test_only_an_agents_conversation_has_one(runnable: Node) -> None:
    with pytest.raises(SpecError, match=r"memory: only an agent, and a team that is led by one") as raised:
        with_memory(runnable, MEMORY)
    assert runnable.name in str(raised.value)
    assert "{history}" in str(raised.value)


def test_it_is_a_memory() -> None:
    with pytest.raises(SpecError, match=r"memory: '80%' is none: write Memory\(window=\"80%\"\)"):
        with_memory(BOT, "80%")  # type: ignore[arg-type]


def test_it_fits_the_tools_of_the_agent() -> None:
    agent = Agent(name="reader", model="local/m", tools=[read_result])
    assert with_memory(agent, MEMORY).agent
    with pytest.raises(
        SpecError, match=r"Agent 'reader': memory has the name 'read_result' of tools: names must differ"
    ):
        with_memory(agent, Memory())
