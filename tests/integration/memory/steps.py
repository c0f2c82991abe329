"""An agent that takes many steps, each with a long result, and what its history tells of them."""

from __future__ import annotations

import re
from collections.abc import Callable

from sostenuto import Event, MemoryCompacted, ModelResponded, Run, tool
from sostenuto.history.events.projection import Projection
from sostenuto.history.reading.follow import follow
from tests.fakes.counting_model import Answer, Sent

_STEP = re.compile(r"step (\d+)")


@tool(effect="read")
async def look(number: int) -> str:
    """Look at one of many."""
    return f"step {number}: " + f"what stands at {number} " * 90


def walks(steps: int) -> Callable[[Sent], Answer]:
    """A model that looks at one after the other, as far as the last result that it sees tells."""

    def answer(sent: Sent) -> Answer:
        last = sent.messages[-1].model_dump_json()
        found = _STEP.search(last)
        number = int(found[1]) + 1 if found else 1
        return "I have seen it all." if number > steps else ("look", {"number": number})

    return answer


async def told(run: Run) -> list[Event]:
    """What a run tells."""
    return [event async for event in run.events()]


def compactions(events: list[Event]) -> list[MemoryCompacted]:
    """By what prompts were shortened."""
    return [event for event in events if isinstance(event, MemoryCompacted)]


async def prove(run: Run) -> int:
    """Rebuild every prompt from the history alone, over all executions; return how many there are."""
    projection, proven = Projection(run._temporal.data_converter), 0
    execution = await run._first_execution()
    while execution:
        async for recorded in follow(run._temporal, run.id, execution, wait=False):
            for event in projection.feed(recorded, execution):
                if isinstance(event, ModelResponded):
                    assert projection.prompt(event.turn, event.path).hash == event.prompt_hash, event.path
                    proven += 1
        execution = projection.next_execution
    return proven
