"""Code-first workflows: started, found, listed and watched as runs are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from sostenuto import Agent, App, Client, Message, Run, SpecError, Status, tool
from sostenuto.clients.cli import step_lines
from sostenuto.contracts.wire.event import (
    Event,
    MemberFinished,
    ModelResponded,
    RunFinished,
    RunStalled,
    RunStarted,
    ToolRequested,
    ToolResponded,
)
from sostenuto.workflows import ask, call_tool, run
from tests.integration.clients.conftest import Serve
from tests.integration.clients.nested_streams import (
    assert_exactly,
    assert_prompts_proven,
    assert_well_nested,
    events_of,
)
from tests.integration.clients.waiting import eventually
from tests.patience import PATIENCE_SECONDS


@tool(effect="read")
async def look(at: str) -> str:
    """Look at something."""
    return f"{at} is fine"


@tool(effect="read", fast=True)
async def peek(at: str) -> str:
    """Peek at something."""
    return f"{at} seen"


@tool(effect="read")
async def stumble() -> str:
    """Fail."""
    raise ValueError("no luck")


LOOKER = Agent(name="looker", model="scripted/looker", tools=[look])
LOOKS: list[Any] = [{"tool_calls": [{"name": "look", "arguments": {"at": "7"}}]}, "seen"]
SCRIPT = {"looker": LOOKS, "m": ["a title"]}


@dataclass
class Order:
    item: str
    count: int


@workflow.defn(sandboxed=False)
class Report:
    @workflow.run
    async def run(self, order: Order) -> Order:
        _ = await call_tool(look, at=order.item)
        _ = await call_tool(peek, at=order.item)
        await asyncio.gather(run(LOOKER, "One?"), run(LOOKER, "Two?"))
        title = await ask("scripted/m", "A title?", name="title")
        return Order(str(title.output), order.count)


@workflow.defn(name="Stumbler", sandboxed=False)
class Stumbles:
    @workflow.run
    async def run(self, text: str) -> None:
        await ask("scripted/m", text)
        _ = await call_tool(stumble)


@workflow.defn(sandboxed=False)
class Again:
    @workflow.run
    async def run(self, left: int) -> str:
        await ask("scripted/m", f"{left} left")
        if left:
            workflow.continue_as_new(left - 1)
        return "done"


@workflow.defn(sandboxed=False)
class Quiet:
    @workflow.run
    async def run(self) -> None:
        await asyncio.sleep(0)


@workflow.defn(sandboxed=False)
class Fails:
    @workflow.run
    async def run(self, text: str) -> None:
        raise ApplicationError(f"no {text}", non_retryable=True)


@workflow.defn(sandboxed=False)
class Told:
    @workflow.run
    async def run(self, message: Message) -> str:
        return message.text


APP = App(LOOKER, tools=[look, peek, stumble], workflows=[Report, Stumbles, Again, Quiet, Fails, Told])


def types(events: list[Event], path: str) -> list[str]:
    return [event.type for event in events if event.path == path]


async def test_a_code_first_workflow_is_watched_as_a_run(serve: Serve) -> None:
    async with serve(APP, SCRIPT) as client:
        started = await client.start(Report.run, Order("7", 2))
        events = await events_of(started)
        result = await started.result()
        untyped = await (await client.get(started.id)).result()
        for index, event in enumerate(events):
            assert_exactly(events[: index + 1], await events_of(started, event.position), events)
        assert await assert_prompts_proven(client.temporal, started) == 5
        assert [message.text for message in await started.transcript("Report/title")] == ["A title?", "a title"]
        assert (await started.transcript("Report/looker#2"))[-1].text == "seen"
    assert_well_nested(events)
    assert types(events, "Report") == [
        *("run.started", "tool.requested", "tool.responded", "tool.requested", "tool.responded", "run.finished")
    ]
    assert types(events, "Report/title") == ["model.requested", "model.responded"]
    began, finished = events[0], events[-1]
    assert isinstance(began, RunStarted)
    assert (began.runnable, began.message.text) == ("Report", '{"item": "7", "count": 2}')
    assert isinstance(finished, RunFinished)
    assert (finished.status, finished.output) == (Status.COMPLETED, {"item": "a title", "count": 2})
    assert (finished.turns, finished.usage.total_tokens) == (5, 75)
    assert finished.cost_usd == pytest.approx(0.005)
    requested = [event for event in events if isinstance(event, ToolRequested) and event.path == "Report"]
    responded = [event for event in events if isinstance(event, ToolResponded) and event.path == "Report"]
    assert [(event.name, event.arguments) for event in requested] == [("look", {"at": "7"}), ("peek", {})]
    assert [(event.name, event.content) for event in responded] == [("look", "7 is fine"), ("peek", "7 seen")]
    assert [event.call_id for event in requested] == [event.call_id for event in responded]
    assert {event.path for event in events if isinstance(event, MemberFinished)} == {"Report/looker", "Report/looker#2"}
    assert result.output == Order("a title", 2)
    assert untyped.output == {"item": "a title", "count": 2}


async def test_what_a_code_first_workflow_fails_by_is_told(serve: Serve) -> None:
    async with serve(APP, SCRIPT) as client:
        stumbled = await client.start(Stumbles, "Go.")
        events = await events_of(stumbled)
        result = await stumbled.result()
        failed = await (await client.start(Fails, "luck")).result()
    told = [event for event in events if isinstance(event, ToolResponded)]
    assert [(event.name, event.is_error) for event in told] == [("stumble", True)]
    assert "no luck" in told[0].content
    assert [event.path for event in events if isinstance(event, ModelResponded)] == ["Stumbler/ask"]
    assert (result.status, result.turns, result.cost_usd) == (Status.FAILED, 1, 0.001)
    assert "no luck" in result.reason
    assert (failed.status, failed.reason) == (Status.FAILED, "no luck")


async def test_a_code_first_workflow_that_continues_as_new_is_one_stream(serve: Serve) -> None:
    async with serve(APP, SCRIPT) as client:
        started = await client.start(Again, 2)
        events = await events_of(started)
        for index, event in enumerate(events):
            assert await events_of(started, event.position) == events[index + 1 :]
    assert [event.type for event in events].count("run.started") == 1
    assert isinstance(events[-1], RunFinished)
    assert (events[-1].output, events[-1].turns) == ("done", 3)


async def test_a_code_first_workflow_is_listed_with_runs(serve: Serve, task_queue: str) -> None:
    async with serve(APP, SCRIPT) as client:
        started = await client.start(Report, Order("7", 2), tenant=task_queue)
        await started.result()
        quiet = await client.start(Quiet, tenant=task_queue)
        await quiet.result()

        async def rows(*, nested: bool) -> dict[str, tuple[str, str]]:
            query = f"SostenutoTenant = '{task_queue}' OR RootWorkflowId = '{started.id}'"
            return {row.id: (row.status, row.parent) for row in await client.list(query, nested=nested)}

        roots = {started.id: ("completed", ""), quiet.id: ("completed", "")}
        inside = {f"{started.id}/{place}": ("completed", started.id) for place in ("looker", "looker#2")}
        assert await eventually(lambda: rows(nested=True), lambda found: found == roots | inside)
        assert await rows(nested=False) == roots
        assert {row.runnable for row in await client.list(f"SostenutoTenant = '{task_queue}'")} == {"Report", "Quiet"}


async def test_a_workflow_that_was_not_started_here_is_no_run(serve: Serve, task_queue: str) -> None:
    async with serve(APP, SCRIPT) as client:
        await client.temporal.start_workflow(Quiet.run, id=task_queue, task_queue=task_queue)
        with pytest.raises(SpecError, match="a workflow of type 'Quiet': one of your own can be watched where"):
            await client.get(task_queue)
        again = await client.start(Quiet, id=f"{task_queue}-mine")
        assert (await client.start(Quiet, id=again.id)).id == again.id


@pytest.mark.parametrize(
    ("what", "given", "problem"),
    [
        (Order, None, "Order cannot be started: pass a runnable, or a class made by @workflow.defn"),
        (Quiet, "text", "Quiet takes no argument, and was given one"),
        (look, "text", "cannot be started"),
        (Again, "many", "Again cannot take 'many': Input should be a valid integer"),
        (Again, None, "Again cannot take None: Input should be a valid integer"),
        (Again, object(), "Again cannot take <object object at .*>: Unable to serialize"),
    ],
)
async def test_what_cannot_be_started_is_refused(serve: Serve, what: Any, given: Any, problem: str) -> None:
    async with serve(APP, SCRIPT) as client:
        with pytest.raises(SpecError, match=problem):
            await client.start(what, given)


async def test_a_message_is_a_message_to_a_code_first_workflow_too(serve: Serve) -> None:
    async with serve(APP, SCRIPT) as client:
        started = await client.start(Told, Message.user("luck"))
        began = await anext(aiter(started.events()))
    assert isinstance(began, RunStarted)
    assert began.message == Message.user("luck")


async def test_clients_know_what_is_started(serve: Serve) -> None:
    async with serve(APP, SCRIPT) as client:
        assert isinstance(client, Client)
        started = await client.start(Report, Order("7", 2))
        typed = await client.get(started.id, runnable=Report)
        assert (await typed.result()).output == Order("a title", 2)


@workflow.defn
class Buggy:
    @workflow.run
    async def run(self, question: str) -> str:
        raise ValueError(f"boom at {question}")


async def _until_stalled(run: Run) -> AsyncIterator[RunStalled]:
    async for event in run.events():
        if isinstance(event, RunStalled):
            yield event
            return


async def test_an_error_of_ones_own_is_told_with_its_place(serve: Serve) -> None:
    async with serve(App(workflows=[Buggy]), []) as stage:
        run = await Client(stage.temporal, task_queue=stage.task_queue).start(Buggy, "noon")
        async with asyncio.timeout(PATIENCE_SECONDS):
            event = next(iter([one async for one in _until_stalled(run)]))
        line_of = step_lines.line(event)
        await stage.temporal.get_workflow_handle(run.id).terminate()
    assert event.reason == "ValueError: boom at noon"
    assert event.where.startswith(f"{__file__}:")
    assert line_of is not None
    assert "its code failed, and is tried again: ValueError: boom at noon at" in line_of
    assert "mend the code and start its workers again, or terminate it in the Temporal UI" in line_of
