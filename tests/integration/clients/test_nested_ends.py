"""Nested runs that end otherwise than well, that continue a conversation, and that continue as new."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Client, Parallel, Prompt, Status, Team, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.clients.run import Run
from sostenuto.connection.connect import connect
from sostenuto.contracts.wire.event import (
    Event,
    MemberFinished,
    MemberStarted,
    ModelRequested,
    RunFinished,
    ToolResponded,
)
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import TemporalServer
from sostenuto.workers.worker import build_worker
from tests.integration.clients.conftest import Serve
from tests.integration.clients.nested_streams import (
    assert_exactly,
    assert_prompts_proven,
    assert_well_nested,
    events_of,
)


@tool(effect="read")
async def look(at: str) -> str:
    """Look at something."""
    return f"{at} is fine"


def calls(*names: str, **arguments: object) -> dict[str, Any]:
    return {"text": "one moment", "tool_calls": [{"name": name, "arguments": arguments} for name in names]}


def looker(name: str) -> Agent:
    return Agent(name=name, model=f"scripted/{name}", tools=[look])


def ends(events: list[Event]) -> dict[str, MemberFinished]:
    return {event.path: event for event in events if isinstance(event, MemberFinished)}


async def until(run: Run, path: str) -> list[Event]:
    """The events of the run up to the second model call at a place."""
    seen: list[Event] = []
    async for event in run.events():
        seen.append(event)
        if isinstance(event, ModelRequested) and (event.path, event.turn) == (path, 2):
            return seen
    raise AssertionError(f"it ended without a second model call at {path}")


BOTH = Parallel(name="both", branches=[looker("law"), looker("tax")])


async def test_a_nested_run_that_fails_ends_with_its_partial_result(serve: Serve) -> None:
    script = {"law": [calls("look", at="7"), {"error": "QuotaExceeded"}], "tax": ["fine"]}
    async with serve(App(BOTH), script) as client:
        run = await client.start(BOTH, "How is 7?")
        events = await events_of(run)
        result = await run.result()
    assert_well_nested(events)
    law, tax = ends(events)["both/law"], ends(events)["both/tax"]
    assert (law.status, law.output, law.turns) == (Status.FAILED, "one moment", 1)
    assert law.reason.startswith("QuotaExceeded: ")
    assert (tax.status, tax.output) == (Status.COMPLETED, "fine")
    assert isinstance(events[-1], RunFinished)
    assert (result.status, result.turns) == (Status.FAILED, 2)


async def test_a_model_is_told_of_a_runnable_that_failed(serve: Serve) -> None:
    boss = Agent(name="boss", model="scripted/boss", tools=[looker("law")])
    script = {"boss": [calls("law", task="Look."), "then not"], "law": [{"text": "hm", "error": "QuotaExceeded"}]}
    async with serve(App(boss), script) as client:
        run = await client.start(boss, "How is 7?")
        events = await events_of(run)
        result = await run.result()
        assert await assert_prompts_proven(client.temporal, run) == 2
    assert_well_nested(events)
    (told,) = [event for event in events if isinstance(event, ToolResponded)]
    assert (told.name, told.path, told.is_error) == ("law", "boss", True)
    (part,) = result.messages[2].parts
    assert part.kind == "tool_result"
    assert (part.content, part.is_error) == (told.content, True)


async def test_nested_runs_of_a_cancelled_run_are_told_to_their_ends(serve: Serve) -> None:
    hangs = [calls("look", at="7"), {"hangs": True}]
    async with serve(App(BOTH), {"law": hangs, "tax": hangs}) as client:
        run = await client.start(BOTH, "How are they?")
        seen = await until(run, "both/law")
        await run.cancel()
        rest = await events_of(run, seen[-1].position)
        events = await events_of(run)
    assert_well_nested(events)
    assert_exactly(seen, rest, events)
    assert {event.status for event in ends(events).values()} == {Status.CANCELLED}
    assert {event.output for event in ends(events).values()} == {"one moment"}


async def test_nested_runs_of_a_terminated_run_have_an_end_too(serve: Serve) -> None:
    hangs = [calls("look", at="7"), {"hangs": True}]
    async with serve(App(BOTH), {"law": hangs, "tax": hangs}) as client:
        run = await client.start(BOTH, "How are they?")
        seen = await until(run, "both/tax")
        await client.temporal.get_workflow_handle(run.id).terminate(reason="enough")
        rest = await events_of(run, seen[-1].position)
        events = await events_of(run)
    assert_well_nested(events)
    assert_exactly(seen, rest, events)
    assert {event.reason for event in ends(events).values()} == {"the run that it belonged to ended first"}
    assert isinstance(events[-1], RunFinished)
    assert events[-1].reason == "the run was terminated: enough"


async def test_a_nested_run_that_is_terminated_by_itself_is_told_so(serve: Serve) -> None:
    hangs = [calls("look", at="7"), {"hangs": True}]
    async with serve(App(BOTH), {"law": hangs, "tax": ["fine"]}) as client:
        run = await client.start(BOTH, "How are they?")
        await until(run, "both/law")
        await client.temporal.get_workflow_handle(f"{run.id}/law").terminate()
        events = await events_of(run)
    assert_well_nested(events)
    assert (ends(events)["both/law"].status, ends(events)["both/law"].reason) == (
        Status.FAILED,
        "the run was terminated",
    )


async def test_a_conversation_that_is_handed_over_is_whole_in_the_run_that_has_it(serve: Serve) -> None:
    desk = Team(name="desk", style="handoff", members=[looker("front"), looker("billing")])
    transfer = {"text": "one moment", "tool_calls": [{"name": "transfer_to_billing", "arguments": {"reason": "money"}}]}
    # It sees what the one before it said as its own, so its script goes on there.
    script = {"front": [transfer], "billing": ["", calls("look", at="7"), "paid"]}
    async with serve(App(desk), script) as client:
        run = await client.start(desk, "Where is my money?")
        events = await events_of(run)
        billing = await run.transcript("desk/billing")
        assert await assert_prompts_proven(client.temporal, run) == 3
    assert_well_nested(events)
    assert ends(events)["desk/front"].transfer == "billing"
    started = {event.path: event for event in events if isinstance(event, MemberStarted)}
    assert started["desk/billing"].message is None
    assert [message.text for message in billing if message.text] == [
        *("Where is my money?", "one moment", "one moment", "paid")
    ]


async def test_every_speech_of_a_debate_has_its_own_place(serve: Serve) -> None:
    talk = Team(name="talk", style="debate", members=[looker("law"), looker("tax")], model="scripted/judge")
    script = {"law": ["yes", "still yes"], "tax": ["no", "yes, too"], "judge": ["yes"]}
    async with serve(App(talk), script) as client:
        run = await client.start(talk, "Is it legal?")
        events = await events_of(run)
        again = await run.transcript("talk/law#2")
        assert await assert_prompts_proven(client.temporal, run) == 5
    assert_well_nested(events)
    assert set(ends(events)) == {"talk/law", "talk/tax", "talk/law#2", "talk/tax#2"}
    assert [message.text for message in again if message.role == "assistant"] == ["yes", "still yes"]


async def test_the_answers_that_were_asked_for_again_are_in_the_result(serve: Serve) -> None:
    rate = Prompt(name="rate", template="Rate {input}", model="scripted/m", output=int, max_repairs=1)
    async with serve(App(rate), [{"text": "good"}, {"output": {"value": 7}}]) as client:
        run = await client.start(rate, "this")
        result = await run.result()
        assert await assert_prompts_proven(client.temporal, run) == 2
    assert (result.status, result.output) == (Status.COMPLETED, 7)
    assert [rejected.text for rejected in result.rejected] == ["good"]
    assert [message.text for message in result.messages][:2] == ["Rate this", "good"]


async def test_a_stream_of_nested_runs_outlives_its_server(tmp_path: Path, task_queue: str) -> None:
    steps = [calls("look", at="7"), {"text": "fine", "delay_seconds": 1}]
    async with ProcessGroup() as group:
        server = await TemporalServer.start(group, tmp_path, port=0, ui_port=None)
        temporal = await connect(server.address)
        adapters = {"scripted": ScriptedAdapter({"law": steps, "tax": steps})}
        async with build_worker(temporal, App(BOTH), adapters, lambda *_: 0.001, task_queue=task_queue):
            run = await Client(temporal, task_queue=task_queue).start(BOTH, "How is 7?")
            events = []
            async for event in run.events():
                events.append(event)
                if isinstance(event, ModelRequested) and (event.path, event.turn) == ("both/law", 2):
                    server.process.signal(signal.SIGKILL)
                    await server.wait()
                    server = await TemporalServer.start(group, tmp_path, port=server.port, ui_port=None)
            assert_well_nested(events)
            assert_exactly([], events, await events_of(run))
    assert {event.output for event in ends(events).values()} == {"fine"}


async def test_nested_runs_that_continue_as_new_are_followed(hasty: TemporalClient, task_queue: str) -> None:
    looks: list[Any] = [calls("look", at=str(n)) for n in range(12)]
    script = {"law": [*looks, "seen"], "tax": [*looks, "seen"]}
    worker = build_worker(
        hasty, App(BOTH), {"scripted": ScriptedAdapter(script)}, lambda *_: 0.001, task_queue=task_queue
    )
    async with worker:
        run = await Client(hasty, task_queue=task_queue).start(BOTH, "How are they?")
        events = await events_of(run)
        assert_well_nested(events)
        executions = {event.id.partition("/")[0] for event in events if event.path == "both/law"}
        assert len(executions) > 3
        for index, event in enumerate(events):
            if "/1/" in event.id or index % 5 == 0:
                assert_exactly(events[: index + 1], await events_of(run, event.position), events)
        assert len(await run.transcript("both/law")) == 26
        assert await assert_prompts_proven(hasty, run) == 26


async def test_a_run_that_continues_as_new_between_its_nested_runs_is_one_stream(
    hasty: TemporalClient, task_queue: str
) -> None:
    boss = Agent(name="boss", model="scripted/boss", tools=[looker("law")], max_repeats=20)
    cases: list[Any] = [calls("law", task=f"Case {n}.") for n in range(12)]
    script: dict[str, list[Any]] = {"boss": [*cases, "closed"], "law": ["legal"]}
    adapters = {"scripted": ScriptedAdapter(script)}
    async with build_worker(hasty, App(boss), adapters, lambda *_: 0.001, task_queue=task_queue):
        run = await Client(hasty, task_queue=task_queue).start(boss, "How are they?")
        events = await events_of(run)
        assert_well_nested(events)
        assert len({event.id.partition("/")[0] for event in events if event.path == "boss"}) > 2
        for index, event in enumerate(events):
            if "/1/" in event.id or index % 5 == 0:
                assert_exactly(events[: index + 1], await events_of(run, event.position), events)
        assert await assert_prompts_proven(hasty, run) == 25
        result = await run.result()
    assert set(ends(events)) == {"boss/law", *(f"boss/law#{n}" for n in range(2, 13))}
    assert [event.content for event in events if isinstance(event, ToolResponded)] == ["legal"] * 12
    assert (result.output, result.turns, len(result.messages)) == ("closed", 25, 26)
    assert isinstance(events[-1], RunFinished)
    assert events[-1].turns == 25
