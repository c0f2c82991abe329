"""Starting, finding, cancelling and listing runs, and what a client says about what cannot be."""

from __future__ import annotations

import asyncio
import importlib
import threading
from typing import Any

import pytest
from pydantic import BaseModel
from temporalio.client import Client as TemporalClient
from temporalio.testing import WorkflowEnvironment

from sostenuto import Agent, App, Client, Message, SetupError, SpecError, Status, TextPart, tool
from sostenuto.clients.search_attributes import register_search_attributes
from sostenuto.contracts import names
from tests.dev_server import dev_server
from tests.integration.clients.conftest import Serve
from tests.integration.clients.waiting import eventually
from tests.patience import PATIENCE_SECONDS


class Order(BaseModel):
    id: int
    status: str


@tool(effect="read")
async def look(at: str) -> str:
    """Look at something."""
    return f"{at} is fine"


AGENT = Agent(name="looker", model="scripted/m", tools=[look])
LOOK = {"text": "one moment", "tool_calls": [{"name": "look", "arguments": {"at": "7"}}]}


async def scheduled_model_calls(client: Client, run_id: str) -> int:
    history = await client.history(run_id)
    return sum(
        event.activity_task_scheduled_event_attributes.activity_type.name == names.MODEL_ACTIVITY
        for event in history.events
    )


async def test_starting_twice_with_one_id_gives_the_same_run(serve: Serve, task_queue: str) -> None:
    async with serve(App(AGENT), [LOOK, "fine"]) as client:
        first = await client.start(AGENT, "How is 7?", id=f"once-{task_queue}")
        second = await client.start(AGENT, "How is 7?", id=f"once-{task_queue}")
        result = await first.result()
        assert await second.result() == result
        third = await client.start(AGENT, "How is 7?", id=f"once-{task_queue}")
        assert await third.result() == result
        with pytest.raises(SpecError, match="is a run of 'looker' already, and cannot be one of 'other'"):
            await client.start(AGENT.model_copy(update={"name": "other"}), "How is 7?", id=f"once-{task_queue}")
        with pytest.raises(
            SpecError, match="was started already, and was asked something else, or with another budget"
        ):
            await client.start(AGENT, "How is 8?", id=f"once-{task_queue}")
        with pytest.raises(SpecError, match="was asked something else"):
            await client.start(AGENT, [TextPart(text="How is 7?"), TextPart(text="And 8?")], id=f"once-{task_queue}")
        assert [e async for e in third.events()] == [e async for e in first.events()]
        assert await scheduled_model_calls(client, first.id) == 2


async def test_a_run_is_found_by_its_id_from_any_client(serve: Serve, temporal: TemporalClient) -> None:
    async with serve(App(AGENT), [LOOK, "fine"]) as client:
        started = await client.start(AGENT, [TextPart(text="How is "), "7?"])
        result = await started.result()
    found = await Client(temporal).get(started.id)
    assert await found.result() == result
    assert result.messages[0].text == "How is 7?"
    assert started.id.startswith("looker-")


async def test_the_output_has_the_runnables_type_where_it_is_known(serve: Serve) -> None:
    agent = Agent(name="typed", model="scripted/m", output=Order)
    async with serve(App(agent), [{"output": {"id": 7, "status": "sent"}}]) as client:
        run = await client.start(agent, "Which order?")
        assert (await run.result()).output == Order(id=7, status="sent")
        assert (await (await client.get(run.id)).result()).output == {"id": 7, "status": "sent"}
        assert (await (await client.get(run.id, runnable=agent)).result()).output == Order(id=7, status="sent")
        other: Agent = Agent(
            name="typed", model="scripted/m", output=type("Other", (BaseModel,), {"__annotations__": {"x": int}})
        )
        with pytest.raises(SpecError, match="not of the type"):
            await (await client.get(run.id, runnable=other)).result()


async def test_a_cancelled_run_ends_with_what_it_has(serve: Serve) -> None:
    async with serve(App(AGENT), [LOOK, {"hangs": True}]) as client:
        run = await client.start(AGENT, "How is 7?")
        async for event in run.events():
            if event.type == "tool.responded":
                await run.cancel()
        result = await run.result()
        await run.cancel()
        summary = await run.describe()
    assert (result.status, result.output, result.turns) == (Status.CANCELLED, "one moment", 1)
    assert len(result.messages) == 3
    assert (summary.status, summary.tokens) == ("cancelled", 15)


async def test_the_list_tells_what_runs_came_to(serve: Serve, task_queue: str) -> None:
    async with serve(App(AGENT), [LOOK, "fine"]) as client:
        run = await client.start(AGENT, "How is 7?", tenant=task_queue)
        await run.result()
        rows = await eventually(
            lambda: client.list(f"SostenutoTenant = '{task_queue}'"),
            lambda rows: bool(rows) and rows[0].tokens is not None,
        )
        assert len(await client.list(limit=1)) == 1
    (row,) = rows
    assert (row.id, row.runnable, row.status, row.tenant) == (run.id, "looker", "completed", task_queue)
    assert (row.tokens, row.cost_usd) == (30, 0.002)
    assert row.seconds is not None
    assert row.seconds > 0


async def test_runs_of_every_version_are_listed(temporal: TemporalClient, task_queue: str) -> None:
    """Also those that a workflow started which somebody else did: they have no search attributes."""
    client = Client(temporal, task_queue=task_queue)
    for kind in (names.RUN_WORKFLOW, "agent:looker", "Report", "agent"):
        await temporal.start_workflow(kind, id=f"{kind}-{task_queue}", task_queue=task_queue)
    started = await client.start(AGENT, "How is 7?")
    listed = await eventually(lambda: client.list(f"TaskQueue = '{task_queue}'"), lambda found: len(found) == 3)
    ours = {f"{names.RUN_WORKFLOW}-{task_queue}", f"agent:looker-{task_queue}", started.id}
    assert {run.id for run in listed} == ours
    assert (await temporal.get_workflow_handle(started.id).describe()).workflow_type == "agent:looker"
    for run in ours:
        assert (await client.get(run)).id == run
        await temporal.get_workflow_handle(run).terminate()


async def test_what_a_run_cost_is_unknown_until_it_has_told(temporal: TemporalClient, task_queue: str) -> None:
    run = await Client(temporal, task_queue=task_queue).start(AGENT, "wait for ever")
    summary = await run.describe()
    assert (summary.status, summary.cost_usd, summary.tokens, summary.seconds) == ("running", None, None, None)
    await temporal.get_workflow_handle(run.id).terminate()
    summary = await run.describe()
    assert (summary.status, summary.cost_usd, summary.tokens) == ("failed", None, None)
    assert summary.seconds is not None


async def test_what_the_ui_shows_of_a_run_is_its_first_line(serve: Serve, task_queue: str) -> None:
    async with serve(App(AGENT), ["fine"]) as client:
        run = await client.start(AGENT, "First line\nSecond line")
        await run.result()
        description = await client.temporal.get_workflow_handle(run.id).describe()
    assert await description.static_summary() == "First line"


async def test_the_id_of_a_nested_run_is_none_to_start_by(temporal: TemporalClient, task_queue: str) -> None:
    """A nested run of that id would end it."""
    with pytest.raises(SpecError, match="'/' stands between a run and its nested runs: use another character"):
        await Client(temporal, task_queue=task_queue).start(AGENT, "How is 7?", id="desk/looker")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "the input is empty"),
        (Message.user([]), "the input is empty"),
        ("x" * 2_000_001, r"has 2,000,\d+ bytes and the limit is"),
        ("€" * 700_000, r"has 2,100,\d+ bytes and the limit is"),
    ],
)
async def test_an_input_that_cannot_be_sent_starts_nothing(
    temporal: TemporalClient, task_queue: str, content: str | Message, problem: str
) -> None:
    client = Client(temporal, task_queue=task_queue)
    with pytest.raises(SpecError, match=problem):
        await client.start(AGENT, content, id=f"never-{task_queue}")
    with pytest.raises(SpecError, match="there is no such run"):
        await client.get(f"never-{task_queue}")


async def test_what_does_not_exist_is_named(temporal: TemporalClient, task_queue: str) -> None:
    client = Client(temporal, task_queue=task_queue)
    run = await client.start(AGENT, "wait for ever")
    for after in ("nonsense", "0/1/0", "01a20525-cb01-78b5-805a-77c71832e1c6/1/0"):
        with pytest.raises(SpecError, match=f"{after!r} is not an event of run"):
            await anext(aiter(run.events(after)))
    with pytest.raises(SpecError, match="the list of runs: the Temporal server rejects it"):
        await client.list("nonsense ((")
    await temporal.get_workflow_handle(run.id).terminate()


async def test_a_workflow_of_another_type_is_no_run(temporal: TemporalClient, task_queue: str) -> None:
    handle = await temporal.start_workflow("Other", id=f"other-{task_queue}", task_queue=task_queue)
    with pytest.raises(SpecError, match="is not a run of ours but a workflow of type 'Other'"):
        await Client(temporal).get(handle.id)
    client = Client(temporal, task_queue=task_queue)
    with pytest.raises(SpecError, match="is not a run of ours but a workflow of type 'Other'"):
        await client.start(AGENT, "Hello", id=handle.id)
    await handle.terminate()
    with pytest.raises(SpecError, match="is not a run of ours but a workflow of type 'Other'"):
        await client.start(AGENT, "Hello", id=handle.id)


async def test_a_client_with_another_converter_is_refused(environment: WorkflowEnvironment) -> None:
    plain = await TemporalClient.connect(environment.client.service_client.config.target_host)
    with pytest.raises(SpecError, match=r"data_converter=(sostenuto\S+)\(\)") as caught:
        Client(plain)
    module, _, name = str(caught.value).rpartition("=")[2].removesuffix("()").rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))


async def test_a_cluster_without_our_search_attributes_is_told_the_command() -> None:
    async with await dev_server(knows_attributes=False) as env:
        client = Client(env.client)
        with pytest.raises(SetupError, match="sostenuto search-attributes"):
            await client.start(AGENT, Message.user("Hello"))
        assert set(await register_search_attributes(env.client)) == set(names.SEARCH_ATTRIBUTES)
        assert await register_search_attributes(env.client) == []

        async def start() -> bool:
            try:
                await client.start(AGENT, "Hello", id="registered")
            except SetupError:
                return False
            return True

        # The server's nodes learn of new attributes a moment later.
        assert await eventually(start, lambda started: started)


@pytest.mark.parametrize("names", [{"id": "a\ud83d"}, {"id": "b", "tenant": "t\udc00"}])
async def test_a_name_with_half_of_an_emoji_is_refused(serve: Serve, names: dict[str, Any]) -> None:
    agent = Agent(name="tester", model="scripted/model")
    async with serve(App(agent), ["unused"]) as stage:
        with pytest.raises(SpecError, match="is not Unicode"):
            await Client(stage.temporal, task_queue=stage.task_queue).start(agent, "Go.", **names)
        with pytest.raises(SpecError, match="a text in it is not Unicode: it has half of a surrogate pair"):
            await Client(stage.temporal, task_queue=stage.task_queue).start(agent, "half \ud83d")


async def test_a_once_call_that_a_cancel_stopped_is_told(serve: Serve) -> None:
    began = threading.Event()

    @tool(effect="once")
    async def pay(amount: int) -> str:
        """Pay."""
        began.set()
        await asyncio.sleep(PATIENCE_SECONDS)
        return "paid"

    agent = Agent(name="payer", model="scripted/m", tools=[pay, look])
    steps = [{"tool_calls": [{"name": "look", "arguments": {"at": "7"}}, {"name": "pay", "arguments": {"amount": 5}}]}]
    async with serve(App(agent), steps) as client:
        run = await client.start(agent, "Pay.")
        assert await asyncio.to_thread(began.wait, PATIENCE_SECONDS)
        await run.cancel()
        result = await run.result()
        told = {event.name: event async for event in run.events() if event.type == "tool.responded"}
    assert result.status is Status.CANCELLED
    assert told["pay"].content == "pay was stopped by the cancel. Whether it took effect is unknown."
    assert (told["pay"].is_error, told["look"].content) == (True, "7 is fine")
    assert "Whether it took effect is unknown" in str(result.messages[-1])
