"""A run explains itself in the Temporal UI: summaries, live details, search attributes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter

from sostenuto import Agent, App, tool
from sostenuto.contracts import names
from sostenuto.workflows.ui_details import TEXT_BYTES
from tests.integration.agent.recorded import Recorded
from tests.integration.agent.stage import PRICE_USD, calls, eventually

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Play, Serve


@tool(effect="read")
async def look(at: str, closely: bool = False) -> str:
    """Look at a thing."""
    return f"a {at}"


def _summaries(history: Recorded) -> list[str]:
    converter = pydantic_data_converter.payload_converter
    return [
        converter.from_payload(event.user_metadata.summary, str)
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]


async def test_every_activity_has_a_line(play: Play) -> None:
    outcome = await play([calls(("look", {"at": "the cat", "closely": True})), "Seen."], tools=[look])
    first, second, third = _summaries(outcome.history)
    assert first == "scripted/model · turn 1 · 0 tok so far"
    assert second == "at=the cat, closely=True"
    assert third == "scripted/model · turn 2 · 15 tok so far"


async def test_a_line_is_bounded(play: Play) -> None:
    outcome = await play([calls(("look", {"at": "я" * 5000 + "\nnext"})), "Seen."], tools=[look])
    assert len(_summaries(outcome.history)[1].encode()) <= 400


async def test_the_end_is_searchable(play: Play, temporal: Client) -> None:
    outcome = await play([calls(("look", {"at": "cat"})), "Seen."], "What is there?\nTell me.", tools=[look])
    description = await temporal.get_workflow_handle(outcome.run.id).describe()
    attributes = description.search_attributes
    assert attributes[names.SEARCH_RUNNABLE] == ["tester"]
    assert attributes[names.SEARCH_STATUS] == ["completed"]
    assert attributes[names.SEARCH_TOKENS] == [30]
    assert attributes[names.SEARCH_COST_USD] == [2 * PRICE_USD]
    assert await description.static_summary() == "What is there?"


async def _details(handle: WorkflowHandle[Any, Any]) -> str:
    metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return str(metadata.current_details)


async def test_the_details_follow_the_run(serve: Serve, temporal: Client) -> None:
    go_on = asyncio.Event()

    @tool(effect="read")
    async def wait() -> str:
        await go_on.wait()
        return "# waited\n![](http://127.0.0.1/spy.png)"

    agent = Agent(name="tester", model="scripted/model", tools=[wait])
    async with serve(App(agent), [calls(("wait", {}), text="I wait. ![](http://127.0.0.1/spy.png)"), "Done."]) as stage:
        run = await stage.start(agent)
        handle = temporal.get_workflow_handle(run.id)

        async def waits() -> bool:
            return "→ **wait**\n\n    {}" in await _details(handle)

        await eventually(waits)
        half_way = await _details(handle)
        go_on.set()
        await stage.outcome(run)
        end = await _details(handle)
    assert half_way.startswith("**tester** · 1 turn · 10→5 tok · $0.0010")
    assert "**user**\n\nGo." in half_way
    assert "**assistant**\n\nI wait. !\\[](http://127.0.0.1/spy.png)" in half_way
    assert "Done." not in half_way
    # What a tool returns may be anybody's text: the UI must not take it for Markdown.
    assert "↳ **wait**\n\n    # waited\n    ![](http://127.0.0.1/spy.png)" in end
    assert end.endswith("**assistant**\n\nDone.")
    # No worker is there any more.
    left = await (await handle.describe()).memo_value(names.DETAILS_MEMO, type_hint=str)
    assert left.startswith("tester · completed · 2 turns · 20→10 tok · $0.0020\n\nuser\nGo.")
    assert left.endswith("↳ wait\n    # waited\n    ![](http://127.0.0.1/spy.png)\n\nassistant\nDone.")


async def test_the_details_are_bounded(serve: Serve, temporal: Client) -> None:
    agent = Agent(name="tester", model="scripted/model", tools=[look])
    steps = [*(str(n) * 3000 for n in range(9)), *(f"small {n}" for n in range(10))]
    script = [*(calls(("look", {"at": at})) for at in steps), "Done."]
    async with serve(App(agent), script) as stage:
        outcome = await stage.ask(agent)
        handle = temporal.get_workflow_handle(outcome.run.id)
        details = await _details(handle)
    assert len(details) < 20_000
    left = await (await handle.describe()).memo_value(names.DETAILS_MEMO, type_hint=str)
    assert len(left.encode()) < TEXT_BYTES
    assert left.endswith("Done.")
