"""Two hundred branches with twenty at once: all come to their end, at a price that is the same for each."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from temporalio.api.enums.v1 import EventType

from sostenuto import Agent, App, Parallel, Prompt, Status, tool
from sostenuto.contracts.specs.runnable import Runnable
from tests.fakes.cast import Cast, Part
from tests.integration.agent.recorded import Recorded
from tests.integration.agent.stage import calls
from tests.integration.patterns.conftest import Serve

pytestmark = pytest.mark.parametrize("cached_runs", [1000], indirect=True)

PROMPTS = (50, 100, 200)
AGENTS = (25, 50, 100)
"""Each of them is a run, of four turns of the server."""
LIMIT = 20
MARKER = "only the member itself reads this"
CAST: Mapping[str, Part] = {
    "prompt": "done",
    "agent": [calls(("look_up", {"item": "it"}), text=MARKER), "done"],
}


@tool(effect="read")
async def look_up(item: str) -> str:
    """Look something up."""
    return f"{MARKER}: {item}"


PROMPT = Prompt(name="item", template="Do {input}", model="scripted/prompt")
AGENT = Agent(name="item", model="scripted/agent", tools=[look_up])


@dataclass(frozen=True)
class Size:
    """A history."""

    events: int
    bytes: int
    tasks: int
    """Workflow tasks, of three events each. How many branches one takes up depends on the moment."""
    own_events: int
    """Those of what the branches did."""
    own_bytes: int


_OF_THE_MOMENT = re.compile("WORKFLOW_TASK|UPSERT_WORKFLOW_SEARCH_ATTRIBUTES")
"""Events of which a slow machine makes more: tasks, and what a run that takes longer tells of its cost meanwhile."""


def _size(history: Recorded) -> Size:
    own = [event for event in history.events if not _OF_THE_MOMENT.search(EventType.Name(event.event_type))]
    return Size(
        events=len(history.events),
        bytes=sum(event.ByteSize() for event in history.events),
        tasks=len(history.attributes("workflow_task_completed")),
        own_events=len(own),
        own_bytes=sum(event.ByteSize() for event in own),
    )


def _most_at_once(history: Recorded, begins: str, ends: str) -> int:
    """Most things of a kind that were under way at the same time."""
    change = {EventType.Value(f"EVENT_TYPE_{begins}"): 1, EventType.Value(f"EVENT_TYPE_{ends}"): -1}
    now = most = 0
    for event in history.events:
        now += change.get(event.event_type, 0)
        most = max(most, now)
    return most


def _check_linear(kind: str, branches: tuple[int, ...], sizes: list[Size]) -> None:
    """The second half of the branches cost twice what the second quarter did, and none takes more than two tasks."""
    sys.stdout.write("".join(f"\n{kind}, {count}: {size}" for count, size in zip(branches, sizes, strict=True)) + "\n")
    quarter, half, all_of_them = sizes
    assert all_of_them.own_events - half.own_events == 2 * (half.own_events - quarter.own_events)
    assert all_of_them.own_bytes - half.own_bytes == pytest.approx(2 * (half.own_bytes - quarter.own_bytes), rel=0.03)
    for count, size in zip(branches, sizes, strict=True):
        assert size.tasks <= 2 * count + 2


async def _fan_out(serve: Serve, each: Runnable, cast: Cast, branches: tuple[int, ...]) -> list[Recorded]:
    """The histories of the runs with each number of branches, all of which completed."""
    wide = Parallel(name="wide", each=each, limit=LIMIT)
    histories = []
    async with serve(App(wide), cast) as stage:
        for count in branches:
            outcome = await stage.ask(wide, str(list(range(count))))
            assert outcome.result.status is Status.COMPLETED, outcome.result.reason
            assert outcome.result.output == ["done"] * count
            histories.append(outcome.history)
    return histories


async def test_prompts(serve: Serve) -> None:
    cast = Cast(CAST)
    histories = await _fan_out(serve, PROMPT, cast, PROMPTS)
    assert cast.most_at_once <= LIMIT
    assert [_most_at_once(h, "ACTIVITY_TASK_SCHEDULED", "ACTIVITY_TASK_COMPLETED") for h in histories] == [LIMIT] * 3
    _check_linear("prompts", PROMPTS, [_size(history) for history in histories])


async def test_agents(serve: Serve) -> None:
    cast = Cast(CAST)
    histories = await _fan_out(serve, AGENT, cast, AGENTS)
    begins, ends = "START_CHILD_WORKFLOW_EXECUTION_INITIATED", "CHILD_WORKFLOW_EXECUTION_COMPLETED"
    assert [_most_at_once(history, begins, ends) for history in histories] == [LIMIT] * 3
    assert cast.most_at_once <= LIMIT
    # On a busy machine a call may lose its heartbeats, and is made again.
    calls = 2 * sum(AGENTS)
    assert calls <= len(cast.requests) < 1.05 * calls
    _check_linear("agents", AGENTS, [_size(history) for history in histories])


async def test_a_parent_has_no_transcript_of_a_child(serve: Serve) -> None:
    """What children say and are told stands in their histories, and in that of the parent only what they came to."""
    wide = Parallel(name="wide", each=AGENT, limit=LIMIT)
    async with serve(App(wide), Cast(CAST)) as stage:
        outcome = await stage.ask(wide, "[1, 2, 3]")
        children = [await Recorded.of(stage.temporal, f"{outcome.run.id}/item[{number}]") for number in range(3)]
    assert all(_has(child, MARKER) for child in children)
    assert not _has(outcome.history, MARKER)


def _has(history: Recorded, text: str) -> bool:
    return any(text.encode() in event.SerializeToString() for event in history.events)
