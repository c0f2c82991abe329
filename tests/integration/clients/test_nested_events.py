"""The events of nested runs: merged under their paths, in order, and resumed exactly at any event."""

from __future__ import annotations

from typing import Any

import pytest

from sostenuto import Agent, App, Chain, Parallel, Prompt, Router, Rule, Status, Team, tool
from sostenuto.contracts.specs.router import Route
from sostenuto.contracts.wire.event import (
    EVENT,
    MemberFinished,
    ModelResponded,
    RouteChosen,
    RunFinished,
    ToolRequested,
    ToolResponded,
)
from tests.integration.clients.conftest import Serve
from tests.integration.clients.nested_streams import (
    assert_exactly,
    assert_prompts_proven,
    assert_well_nested,
    by_execution,
    events_of,
)


@tool(effect="read")
async def look(at: str) -> str:
    """Look at something."""
    return f"{at} is fine"


def calls(*names: str, **arguments: object) -> dict[str, Any]:
    return {"tool_calls": [{"name": name, "arguments": arguments} for name in names]}


def looker(name: str) -> Agent:
    return Agent(name=name, model=f"scripted/{name}", tools=[look])


LOOKS = [calls("look", at="7"), {"text": "seen"}]
WRITER = Prompt(name="writer", template="Write about {input}", model="scripted/writer")
TREE = Router(
    name="desk",
    strategy="rules",
    routes=[
        Route(
            Chain(
                name="answer",
                steps=[
                    Parallel(name="opinions", branches=[looker("law"), looker("tax"), WRITER]),
                    Team(name="crew", members=[looker("north"), looker("south")], model="scripted/crew"),
                ],
            ),
            when=Rule(min_chars=1),
        )
    ],
)
SCRIPT: dict[str, Any] = {
    "law": LOOKS,
    "tax": LOOKS,
    "writer": ["a text"],
    "crew": [calls("north", "south", task="Look there."), {"text": "both seen"}],
    "north": LOOKS,
    "south": LOOKS,
}


async def test_a_tree_of_runs_is_one_stream(serve: Serve) -> None:
    async with serve(App(TREE), SCRIPT) as client:
        run = await client.start(TREE, "Where is it?")
        events = await events_of(run)
        again = await events_of(run)
        result = await run.result()
        assert await assert_prompts_proven(client.temporal, run) == 11
    assert_well_nested(events)
    assert [event.type for event in events].count("run.started") == 1
    assert isinstance(events[-1], RunFinished)
    assert (events[-1].status, events[-1].output) == (Status.COMPLETED, "both seen")
    assert (events[-1].turns, events[-1].usage) == (result.turns, result.usage)
    members = {event.path: event for event in events if isinstance(event, MemberFinished)}
    assert set(members) == {
        *("desk/answer/opinions/law", "desk/answer/opinions/tax", "desk/answer/crew"),
        *("desk/answer/crew/north", "desk/answer/crew/south"),
    }
    assert {path: member.output for path, member in members.items()} == dict.fromkeys(members, "seen") | {
        "desk/answer/crew": "both seen"
    }
    (route,) = [event for event in events if isinstance(event, RouteChosen)]
    assert (route.path, route.route, route.strategy) == ("desk", "answer", "rules")
    assert {event.path for event in events if isinstance(event, ModelResponded)} == {
        *members,
        "desk/answer/opinions/writer",
    }
    asked = {(event.path, event.call_id) for event in events if isinstance(event, ToolRequested)}
    told = {(event.path, event.call_id): event for event in events if isinstance(event, ToolResponded)}
    assert asked == set(told)
    delegated = [event for event in told.values() if event.name == "north"]
    assert [(event.path, event.content) for event in delegated] == [("desk/answer/crew", "seen")]
    assert by_execution(again) == by_execution(events)
    assert all(EVENT.validate_json(EVENT.dump_json(event)) == event for event in events)


async def test_a_stream_of_nested_runs_resumes_exactly_after_any_event(serve: Serve) -> None:
    async with serve(App(TREE), SCRIPT) as client:
        run = await client.start(TREE, "Where is it?")
        live = await events_of(run)
        for index, event in enumerate(live):
            rest = await events_of(run, event.position)
            assert_exactly(live[: index + 1], rest, live)
            # A plain id loses nothing either, but may tell again what siblings told.
            plain = await events_of(run, event.id)
            told = {other.id for other in [*live[: index + 1], *plain]}
            assert told == {other.id for other in live}
            assert event.id not in {other.id for other in plain}


async def test_the_inside_of_nested_runs_can_be_left_out(serve: Serve) -> None:
    async with serve(App(TREE), SCRIPT) as client:
        run = await client.start(TREE, "Where is it?")
        events = await events_of(run, nested=False)
    assert {event.type for event in events if event.path == "desk/answer/opinions/law"} == {
        "member.started",
        "member.finished",
    }
    assert not [event for event in events if event.cursor]
    assert len({event.id.partition("/")[0] for event in events}) == 1


async def test_every_transcript_of_the_tree_can_be_read(serve: Serve) -> None:
    async with serve(App(TREE), SCRIPT) as client:
        run = await client.start(TREE, "Where is it?")
        await run.result()
        law = await run.transcript("desk/answer/opinions/law")
        writer = await run.transcript("desk/answer/opinions/writer")
        north = await run.transcript("desk/answer/crew/north")
        crew = await run.transcript("desk/answer/crew")
        assert await run.transcript() == ()
        with pytest.raises(ValueError, match="no transcript at 'desk/nobody'"):
            await run.transcript("desk/nobody")
        found = await client.get(f"{run.id}/answer/crew/north")
        assert (await found.result()).messages == north
        assert set(await run.nested()) == {
            f"{run.id}/answer/{place}" for place in ("opinions/law", "opinions/tax", "crew", "crew/north", "crew/south")
        }
    assert [message.text for message in law][::3] == ["Where is it?", "seen"]
    assert [message.text for message in writer] == ["Write about Where is it?", "a text"]
    assert [message.text for message in north][::3] == ["Look there.", "seen"]
    assert crew[-1].text == "both seen"
