"""Agents whose prompts outgrow their windows, and a chat that goes on in one, of which histories are recorded."""

from __future__ import annotations

import re

from sostenuto import Agent, Budget, Finish, Memory, Model, Price, Shorten, tool
from tests.fakes.counting_model import Answer, CountingModel, Sent
from tests.replay.shapes import Shape

_STEPS = 7
_STEP = re.compile(r"step (\d+):")


@tool(effect="read", fast=True)
async def walk(number: int) -> str:
    """Take a step."""
    return f"step {number}: " + f"what stands at {number} " * 25


def _walks(sent: Sent) -> Answer:
    """Take one step after the other, and in the end read the first result again where that has left the prompt."""
    last = sent.messages[-1].model_dump_json()
    if '"name":"read_result"' in last:
        return "I have seen it all."
    number = int(found[1]) + 1 if (found := _STEP.search(last)) else 1
    if number <= _STEPS:
        return "walk", {"number": number}
    can_read = any(known.name == "read_result" for known in sent.request.tools)
    return ("read_result", {"call_id": "call_1_0"}) if can_read else "I have seen it all."


def _answers(sent: Sent) -> Answer:
    return f"You said {sent.messages[-1].text!r}. " + "I do not forget. " * 9


def _walker(memory: Memory | None, model: Model | str = "scripted/m", budget: Budget | None = None) -> Shape:
    agent = Agent(
        name="recorded", model=model, instructions="Walk.", tools=[walk], memory=memory, budget=budget, max_turns=30
    )
    return Shape([], runs=agent, asked="Walk to the end.", adapter=lambda: CountingModel(_walks))


_PRICED = Model("scripted/m", price=Price(input=1, output=1), max_output_tokens=100)

SHORTENED: dict[str, Shape] = {
    "memory_window": _walker(Memory(window=1_000, strategy="window")),
    "memory_summary": _walker(Memory(window=1_000, strategy="summary", model="scripted/scribe")),
    "memory_cleared": _walker(Memory(window=1_000, strategy="clear_tools", keep=0.7)),
    "memory_shortened_for_budget": _walker(None, _PRICED, Budget(usd=0.0045, on_exhausted=[Shorten(), Finish()])),
}
"""Runs."""

CONTINUED = "memory_chat_continued"
"""A chat that continues as new with what is left in its prompt."""

TALKER = Agent(name="talker", model="scripted/m", memory=Memory(window=260, strategy="summary"))


def talking_model() -> CountingModel:
    """Who answers in that chat."""
    return CountingModel(_answers, summary=lambda sent: f"{len(sent.messages) - 1} messages.")
