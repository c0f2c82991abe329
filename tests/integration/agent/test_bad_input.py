"""Nothing that reaches the run workflow, and no bug of ours, makes it retry a workflow task for ever."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from sostenuto import Agent, App, Status
from sostenuto.contracts import names
from sostenuto.workflows.agent.loop import AgentLoop

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
        handle = await temporal.start_workflow(
            names.RUN_WORKFLOW, args=arguments, id=f"bad-{task_queue}", task_queue=task_queue
        )
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
    assert isinstance(caught.value.cause, ApplicationError)
    gc.collect()


async def test_a_bug_in_the_loop_fails_the_run_with_what_it_has(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(AgentLoop, "_answered", broken)
    outcome = await play(["Hello."])
    assert outcome.failed
    assert (outcome.result.status, outcome.result.output) == (Status.FAILED, "Hello.")
    assert outcome.result.reason == "internal error: ZeroDivisionError: oops"
