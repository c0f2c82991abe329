"""The event stream of real runs: what it says, where it resumes, and that it proves every prompt."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sostenuto import Agent, App, Model, Role, Status, tool
from sostenuto.clients.run import Run
from sostenuto.contracts.message import PartRef, ToolResultPart
from sostenuto.contracts.wire.event import (
    EVENT,
    Event,
    FallbackUsed,
    ModelResponded,
    RunFinished,
    RunStarted,
    ToolRequested,
    ToolResponded,
)
from sostenuto.history.events.projection import Projection
from sostenuto.history.reading.follow import follow
from tests.integration.clients.conftest import Serve


@tool(effect="read")
async def look(at: str) -> str:
    """Look at something."""
    return f"{at} is fine"


@tool(effect="read", fast=True)
async def peek(at: str) -> str:
    """Peek at something."""
    return f"{at} seen"


@tool(effect="read", fast=True)
async def stumble() -> str:
    """Fail."""
    raise ValueError("no luck")


@tool
async def break_down() -> str:
    """Fail."""
    raise ValueError("broken")


@tool(effect="read")
async def page(size: int) -> str:
    """Something long."""
    return "x" * size


def calls(*names: str, **arguments: object) -> dict[str, object]:
    return {"tool_calls": [{"name": name, "arguments": arguments} for name in names]}


async def events_of(run: Run, after: str | None = None) -> list[Event]:
    return [event async for event in run.events(after)]


async def projection_of(run: Run) -> Projection:
    projection = Projection(run._temporal.data_converter)
    execution = await run._first_execution()
    async for event in follow(run._temporal, run.id, execution):
        projection.feed(event, execution)
    return projection


async def assert_prompts_proven(run: Run) -> int:
    """Every prompt rebuilt from the history has the hash of the one that was sent."""
    projection = await projection_of(run)
    replies = [event for event in await events_of(run) if isinstance(event, ModelResponded)]
    assert replies
    for reply in replies:
        assert projection.prompt(reply.turn).hash == reply.prompt_hash
    return len(replies)


async def test_a_run_tells_its_steps_in_order(serve: Serve) -> None:
    agent = Agent(name="looker", model="scripted/m", instructions="Look.", tools=[look, peek])
    script = [calls("look", "peek", at="7"), {"text": "all fine"}]
    async with serve(App(agent), script) as client:
        run = await client.start(agent, "How is 7?")
        events = await events_of(run)
    assert [event.type for event in events] == [
        "run.started",
        "model.requested",
        "model.responded",
        "tool.requested",
        "tool.requested",
        "tool.responded",
        "tool.responded",
        "model.requested",
        "model.responded",
        "run.finished",
    ]
    assert {event.path for event in events} == {"looker"}
    started, finished = events[0], events[-1]
    assert isinstance(started, RunStarted)
    assert (started.run_id, started.message.text) == (run.id, "How is 7?")
    assert isinstance(finished, RunFinished)
    assert (finished.status, finished.output, finished.turns) == (Status.COMPLETED, "all fine", 2)
    assert finished.usage.total_tokens == 30
    responses = {event.name: event for event in events if isinstance(event, ToolResponded)}
    assert responses["look"].content == "7 is fine"
    assert responses["peek"].content == "7 seen"
    asked = {event.call_id for event in events if isinstance(event, ToolRequested)}
    assert asked == {event.call_id for event in responses.values()}
    assert all(EVENT.validate_json(EVENT.dump_json(event)) == event for event in events)


async def test_a_stream_resumes_exactly_after_any_event(serve: Serve) -> None:
    agent = Agent(name="looker", model="scripted/m", tools=[look, peek])
    script = [calls("look", "peek", "missing", at="7"), {"text": "all fine"}]
    async with serve(App(agent), script) as client:
        run = await client.start(agent, "How is 7?")
        events = await events_of(run)
        assert len({event.id for event in events}) == len(events)
        for index, event in enumerate(events):
            assert await events_of(run, after=event.id) == events[index + 1 :]


async def test_the_result_has_the_transcript_and_every_prompt_is_proven(serve: Serve) -> None:
    agent = Agent(name="looker", model="scripted/m", instructions="Look.", tools=[look, peek])
    script = [calls("look", "peek", at="7"), calls("look", at="8"), {"text": "all fine"}]
    async with serve(App(agent), script) as client:
        run = await client.start(agent, "How is 7?")
        result = await run.result()
        assert await assert_prompts_proven(run) == 3
    assert result.status is Status.COMPLETED
    roles = [message.role for message in result.messages]
    assert roles == [Role.USER, Role.ASSISTANT, Role.TOOL, Role.TOOL, Role.ASSISTANT, Role.TOOL, Role.ASSISTANT]
    assert result.messages[-1].text == "all fine"


async def test_every_kind_of_failing_call_is_told(serve: Serve) -> None:
    agent = Agent(name="breaker", model="scripted/m", tools=[break_down, stumble, look])
    script = [
        {
            "tool_calls": [
                {"name": "break_down"},
                {"name": "stumble"},
                {"name": "missing"},
                {"name": "look", "malformed": "{nonsense"},
            ]
        },
        {"text": "sorry"},
    ]
    async with serve(App(agent), script) as client:
        run = await client.start(agent, "Break it")
        events = await events_of(run)
        await assert_prompts_proven(run)
    told = [event for event in events if isinstance(event, ToolResponded)]
    assert {event.name for event in told} == {"break_down", "stumble", "missing", "look"}
    assert all(event.is_error for event in told)
    by_name = {event.name: event.content for event in told}
    assert "broken" in by_name["break_down"]
    assert "no luck" in by_name["stumble"]
    assert "There is no tool 'missing'" in by_name["missing"]
    assert "{nonsense" in by_name["look"]


async def test_a_tool_that_times_out_is_told_in_the_workflows_words(serve: Serve) -> None:
    @tool(effect="read", timeout=timedelta(milliseconds=50))
    async def dawdle() -> str:
        """Never end."""
        await asyncio.Event().wait()
        return ""

    agent = Agent(name="dawdler", model="scripted/m", tools=[dawdle])
    async with serve(App(agent), [calls("dawdle"), {"text": "too slow"}]) as client:
        run = await client.start(agent, "Wait")
        told = [event for event in await events_of(run) if isinstance(event, ToolResponded)]
        result = await run.result()
    assert len(told) == 1
    assert told[0].is_error
    (part,) = result.messages[2].parts
    assert isinstance(part, ToolResultPart)
    assert part.content == told[0].content


async def test_a_fallback_is_an_event_of_its_own(serve: Serve) -> None:
    agent = Agent(name="backed", model=Model("scripted/first", fallbacks=["scripted/second"]))
    script = {"first": [{"error": "InvalidRequest"}], "second": ["from the second"]}
    async with serve(App(agent), script) as client:
        run = await client.start(agent, "Hello")
        events = await events_of(run)
        await assert_prompts_proven(run)
    (used,) = [event for event in events if isinstance(event, FallbackUsed)]
    assert (used.failed, used.model) == ("scripted/first", "scripted/second")
    assert used.reason.startswith("InvalidRequest: ")


async def test_parts_that_the_history_says_once_are_put_back_into_the_transcript(serve: Serve) -> None:
    agent = Agent(name="reader", model="scripted/m", tools=[page])
    question = "Q" * 20_000
    script = [calls("page", "page", size=30_000), calls("page", size=40_000), {"text": "read"}]
    async with serve(App(agent), script) as client:
        run = await client.start(agent, question)
        result = await run.result()
        await assert_prompts_proven(run)
        history = await client.history(run.id)
    assert not any(isinstance(part, PartRef) for message in result.messages for part in message.parts)
    assert result.messages[0].text == question
    assert len(history.to_json()) < 250_000


async def test_a_failed_run_tells_its_partial_result(serve: Serve) -> None:
    agent = Agent(name="looker", model="scripted/m", tools=[look])
    script = [{"text": "let me see", **calls("look", at="7")}, {"error": "QuotaExceeded"}]
    async with serve(App(agent), script) as client:
        run = await client.start(agent, "How is 7?")
        result = await run.result()
        events = await events_of(run)
    assert (result.status, result.output, result.turns) == (Status.FAILED, "let me see", 1)
    assert result.reason.startswith("QuotaExceeded: ")
    assert len(result.messages) == 3
    finished = events[-1]
    assert isinstance(finished, RunFinished)
    assert finished.reason == result.reason


async def test_a_terminated_run_has_a_result_with_what_it_had(serve: Serve) -> None:
    agent = Agent(name="looker", model="scripted/m", tools=[look])
    script = [calls("look", at="7"), {"hangs": True}]
    async with serve(App(agent), script) as client:
        run = await client.start(agent, "How is 7?")
        async for event in run.events():
            if event.type == "tool.responded":
                await client.temporal.get_workflow_handle(run.id).terminate(reason="enough")
        result = await run.result()
        summary = await run.describe()
    assert (result.status, result.reason) == (Status.FAILED, "the run was terminated: enough")
    assert (result.turns, result.usage.total_tokens, result.cost_usd) == (1, 15, 0.001)
    assert [message.role for message in result.messages] == [Role.USER, Role.ASSISTANT, Role.TOOL]
    assert summary.status == "failed"


async def test_the_errors_that_no_model_was_told_are_told_at_the_end(serve: Serve) -> None:
    agent = Agent(name="looker", model="scripted/m", tools=[look], max_turns=1)
    both = {"tool_calls": [{"name": "missing", "arguments": {}}, {"name": "look", "arguments": {"at": "7"}}]}
    async with serve(App(agent), [both]) as client:
        run = await client.start(agent, "How is 7?")
        events = await events_of(run)
        result = await run.result()
    responded = {event.name: event for event in events if isinstance(event, ToolResponded)}
    assert responded["missing"].is_error
    assert "missing" in responded["missing"].content
    assert responded["look"].content == "7 is fine"
    assert len(responded) == 2
    assert isinstance(events[-1], RunFinished)
    assert (result.status, result.untold) == (Status.EXHAUSTED, ())
    parts = [part for message in result.messages for part in message.parts if isinstance(part, ToolResultPart)]
    assert [(part.name, part.is_error) for part in parts] == [("missing", True), ("look", False)]
