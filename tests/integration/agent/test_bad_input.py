"""Nothing that reaches the run workflow, and no bug of ours, makes it retry a workflow task for ever."""

from __future__ import annotations

import asyncio
import gc
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from sostenuto import Agent, App, Result, Status
from sostenuto.contracts import names
from sostenuto.workflows.agent.loop import AgentLoop
from tests.integration.agent.recorded import Recorded
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Play, Serve

WRONG: list[tuple[str, list[Any]]] = [
    ("nothing", []),
    ("two", [{}, {}]),
    ("null", [None]),
    ("text", ["hello"]),
    ("bytes", [b"\x00\xff"]),
    ("empty", [{}]),
    ("runnable", [{"runnable": {"kind": "agent", "name": "a"}, "message": {"role": "user", "parts": []}}]),
    ("kind", [{"runnable": {"kind": "orchestra", "name": "a", "model": {"name": "a/b"}}, "message": {}}]),
]


# Where the workflow class cannot be made, the SDK drops a coroutine that it made before.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:coroutine .*run_workflow:RuntimeWarning")
@pytest.mark.parametrize("arguments", [wrong for _, wrong in WRONG], ids=[name for name, _ in WRONG])
async def test_an_input_that_cannot_be_read_fails_the_run(
    serve: Serve, temporal: Client, task_queue: str, arguments: list[Any]
) -> None:
    agent = Agent(name="tester", model="scripted/model")
    async with serve(App(agent), ["unused"]):
        for number, kind in enumerate([names.RUN_WORKFLOW, "agent:tester"]):
            handle = await temporal.start_workflow(
                kind, args=arguments, id=f"bad-{number}-{task_queue}", task_queue=task_queue
            )
            with pytest.raises(WorkflowFailureError) as caught:
                await handle.result()
            assert isinstance(caught.value.cause, ApplicationError), kind
    gc.collect()


async def test_a_bug_in_the_loop_fails_the_run_with_what_it_has(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(AgentLoop, "_answered", broken)
    outcome = await play(["Hello."])
    assert outcome.failed
    assert (outcome.result.status, outcome.result.output) == (Status.FAILED, "Hello.")
    assert outcome.result.reason == "internal error: ZeroDivisionError: oops"


def _hand_made(**changes: Any) -> dict[str, Any]:
    tool = {"name": changes.pop("tool", "look"), "parameters": {"type": "object"}, "effect": "read"}
    agent = {"kind": "agent", "name": "tester", "model": {"name": "scripted/model"}, "tools": [tool]}
    return {"runnable": agent, "message": {"role": "user", "parts": [{"kind": "text", "text": "Go."}]}, **changes}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (_hand_made(path="p" * 2_000), "has more than"),
        (_hand_made(path="p" * 990), "has more than"),
        (_hand_made(tool="t" * 1_200), "Temporal takes"),
    ],
    ids=["place", "place that leaves no room", "tool"],
)
async def test_a_hand_made_input_that_the_server_would_refuse_later(
    serve: Serve, temporal: Client, task_queue: str, given: dict[str, Any], told: str
) -> None:
    name = given["runnable"]["tools"][0]["name"]
    script = [{"tool_calls": [{"name": name, "arguments": {}}]}, "Well."]
    async with serve(App(Agent(name="tester", model="scripted/model")), script):
        handle = await temporal.start_workflow(
            names.RUN_WORKFLOW, given, id=f"bad-{task_queue}", task_queue=task_queue, result_type=Result
        )
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                result = await handle.result()
                text = str(result.model_dump())
            except WorkflowFailureError as error:
                text = str(error.cause)
        history = await handle.fetch_history()
    assert told in text
    assert Recorded(history).failed_tasks == []


@workflow.defn
class LongName:
    @workflow.run
    async def run(self, which: str) -> None:
        if which == "activity":
            await workflow.execute_activity("a" * 1_200, start_to_close_timeout=timedelta(seconds=1))
        elif which == "activity id":
            await workflow.execute_activity("a", activity_id="i" * 1_200, start_to_close_timeout=timedelta(seconds=1))
        elif which == "local activity":
            await workflow.execute_local_activity("a" * 1_200, start_to_close_timeout=timedelta(seconds=1))
        else:
            await workflow.execute_child_workflow("w", id="i" * 1_200)


@pytest.mark.parametrize("which", ["activity", "activity id", "local activity", "child"])
async def test_a_name_that_temporal_does_not_take_ends_a_code_first_workflow(
    serve: Serve, temporal: Client, task_queue: str, which: str
) -> None:
    app = App(Agent(name="tester", model="scripted/model"), workflows=[LongName])
    async with serve(app, ["unused"]):
        handle = await temporal.start_workflow(LongName.run, which, id=f"long-{task_queue}", task_queue=task_queue)
        async with asyncio.timeout(PATIENCE_SECONDS):
            with pytest.raises(WorkflowFailureError) as caught:
                await handle.result()
    assert "has more than the 1,000 bytes that Temporal takes" in str(caught.value.cause)
