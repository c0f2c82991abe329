"""Runs within runs: ended, cancelled, terminated, reset, continued as new, each at any level of the tree."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowExecutionStatus

from sostenuto import App, Chain, Parallel, Route, Router, Rule, Status, Team, ToolContext, tool
from sostenuto.contracts import names
from sostenuto.contracts.specs.runnable import Runnable
from tests.fakes.cast import Cast, last_told, turn
from tests.integration.agent.recorded import Recorded
from tests.integration.agent.stage import PRICE_USD, calls, eventually
from tests.integration.patterns.conftest import agent, prompt
from tests.integration.patterns.nested import at_work, children, status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sostenuto.activities.model_adapter import ModelRequest
    from tests.integration.patterns.conftest import Serve

# The SDK warns where a local activity ends just when its cancel comes: nothing is lost by it.
pytestmark = pytest.mark.filterwarnings("ignore:Cannot find activity to cancel:UserWarning")

HANGS = {"text": ".", "hangs": True}


PLAN = {
    "tasks": [{"member": "quick", "task": "a", "needs": []}, {"member": "low", "task": "b", "needs": [1]}],
    "answer": "",
}

LOW = agent("low")
QUICK = prompt("quick")

# Each with the runs that are at work when it is cancelled, and what it has by then.
TREES: dict[str, tuple[Runnable, list[str], dict[str, Any]]] = {
    "chain": (Chain(name="c", steps=[QUICK, LOW]), ["low"], {"quick": Status.COMPLETED, "low": Status.CANCELLED}),
    "router": (
        Router(name="r", strategy="rules", routes=[Route(LOW, when=Rule())]),
        ["low"],
        {"low": Status.CANCELLED},
    ),
    "parallel": (Parallel(name="p", branches=[QUICK, LOW]), ["low"], {"low": Status.CANCELLED}),
    "map": (
        Parallel(name="m", each=LOW, limit=2),
        ["low[0]", "low[1]"],
        {str(n): Status.CANCELLED for n in range(3)},
    ),
    "first": (
        Parallel(name="f", branches=[agent("x", model="scripted/low"), LOW], join="first"),
        ["x", "low"],
        {"x": Status.CANCELLED, "low": Status.CANCELLED},
    ),
    "debate": (
        Team(name="d", members=[QUICK, LOW], style="debate", model="scripted/judge"),
        ["low"],
        {"quick": Status.COMPLETED, "low": Status.CANCELLED},
    ),
    "handoff": (Team(name="h", members=[LOW, agent("b")], style="handoff"), ["low"], {"low": Status.CANCELLED}),
    "plan": (
        Team(name="l", members=[QUICK, LOW], style="plan", model="scripted/plan"),
        ["low"],
        {"quick": Status.COMPLETED, "low": Status.CANCELLED},
    ),
    "delegate": (Team(name="t", members=[LOW], model="scripted/lead"), ["low", "low#2"], {}),
    "three deep": (
        Chain(name="c", steps=[QUICK, agent("lead", tools=[Chain(name="mid", steps=[QUICK, LOW])])]),
        ["lead", "lead/mid/low"],
        {"quick": Status.COMPLETED, "lead": Status.CANCELLED},
    ),
}
CAST = {
    "low": HANGS,
    "plan": json.dumps(PLAN),
    "lead": lambda request: calls(*[(tool.name, {"task": "go"}) for tool in request.tools] * 2),
}


async def _has_taken_in(client: TemporalClient, workflow_id: str) -> bool:
    """Whether the run knows that something which it started has come to an end."""
    kinds = [EventType.Name(event.event_type) for event in (await Recorded.of(client, workflow_id)).events]
    ended = {"EVENT_TYPE_ACTIVITY_TASK_COMPLETED", "EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED"}
    first = next((index for index, kind in enumerate(kinds) if kind in ended), len(kinds))
    return "EVENT_TYPE_WORKFLOW_TASK_COMPLETED" in kinds[first:]


async def test_a_cancel_reaches_every_level_and_loses_nothing(serve: Serve, temporal: TemporalClient) -> None:
    async def cancelled(runnable: Runnable, waiting: list[str], steps: dict[str, Status]) -> None:
        run = await stage.start(runnable, "[1, 2, 3]")
        nested = [f"{run.id}/{below}" for below in waiting]
        await at_work(temporal, *nested)
        if QUICK in runnable.walk():
            await eventually(lambda: _has_taken_in(temporal, run.id))
        await run.cancel()
        outcome = await stage.outcome(run)
        assert outcome.result.status is Status.CANCELLED, runnable
        assert outcome.result.reason.endswith("the run was cancelled")
        assert {name: step.status for name, step in outcome.result.steps.items()} == steps, runnable
        for workflow_id in nested:
            assert (await temporal.get_workflow_handle(workflow_id).result())["status"] == "cancelled", workflow_id
        assert outcome.history.failed_tasks == []

    async with serve(App(), CAST) as stage:
        await asyncio.gather(*(cancelled(*tree) for tree in TREES.values()))


async def test_what_a_terminated_run_started_ends(serve: Serve, temporal: TemporalClient) -> None:
    runnable, waiting, _ = TREES["three deep"]
    async with serve(App(), CAST) as stage:
        run = await stage.start(runnable)
        nested = [f"{run.id}/{below}" for below in waiting]
        await at_work(temporal, *nested)
        await temporal.get_workflow_handle(run.id).terminate()

        async def all_ended() -> bool:
            found = [await status(temporal, workflow_id) for workflow_id in nested]
            return found == [WorkflowExecutionStatus.TERMINATED] * 2

        await eventually(all_ended)


async def test_a_nested_run_that_is_terminated_fails_its_step_alone(serve: Serve, temporal: TemporalClient) -> None:
    runnable = Parallel(name="p", branches=[QUICK, LOW], min_completed=1)
    async with serve(App(), CAST) as stage:
        run = await stage.start(runnable, "go")
        await at_work(temporal, f"{run.id}/low")
        await temporal.get_workflow_handle(f"{run.id}/low").terminate()
        outcome = await stage.outcome(run)
    assert outcome.result.output == {"quick": "quick<go>"}
    assert outcome.result.steps["low"].reason == "the nested run ended by TerminatedError: Terminated"


async def _reset(client: TemporalClient, workflow_id: str) -> None:
    """Let the run begin again after its first workflow task."""
    recorded = await Recorded.of(client, workflow_id)
    description = await client.get_workflow_handle(workflow_id).describe()
    await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id, run_id=description.run_id),
            workflow_task_finish_event_id=recorded.first("workflow_task_completed").event_id,
            request_id=uuid4().hex,
        )
    )


async def test_a_run_that_is_reset_starts_its_nested_runs_anew(serve: Serve, temporal: TemporalClient) -> None:
    """Those of before it have the same ids: the one at work is ended, and costs no more."""
    answers: Iterator[dict[str, Any]] = iter([HANGS, {"text": "slow"}])
    async with serve(App(), Cast({"low": lambda _: next(answers)})) as stage:
        run = await stage.start(Chain(name="c", steps=[QUICK, LOW]), "go")
        await at_work(temporal, f"{run.id}/low")
        before = await temporal.get_workflow_handle(f"{run.id}/low").describe()
        await _reset(temporal, run.id)
        outcome = await stage.outcome(run)
    assert (outcome.result.output, outcome.result.reason) == ("slow", "")
    old = temporal.get_workflow_handle(f"{run.id}/low", run_id=before.run_id)
    assert (await old.describe()).status is WorkflowExecutionStatus.TERMINATED


KEYS: list[str] = []


@tool(effect="idempotent")
async def note(word: str, ctx: ToolContext) -> str:
    """Write it down."""
    KEYS.append(ctx.idempotency_key)
    return f"noted {word}"


def _leads(request: ModelRequest) -> Any:
    """Calls a member and a tool by turns."""
    at = turn(request)
    if at == 12:
        return f"heard {last_told(request)}"
    return calls(("writer", {"task": str(at)})) if at % 2 else calls(("note", {"word": str(at)}))


async def _executions(client: TemporalClient, workflow_id: str) -> list[Recorded]:
    """The histories of a run, the last one first."""
    found = [await Recorded.of(client, workflow_id)]
    while True:
        started = found[-1].first("workflow_execution_started").workflow_execution_started_event_attributes
        if not started.continued_execution_run_id:
            return found
        found.append(await Recorded.of(client, workflow_id, started.continued_execution_run_id))


async def test_a_leader_continues_as_new_with_its_members(serve: Serve, impatient: TemporalClient) -> None:
    KEYS.clear()
    lead = agent("lead", tools=[note, agent("writer", tools=[note])])
    cast = {"lead": _leads, "writer": lambda r: calls(("note", {"word": "w"})) if turn(r) == 0 else "written"}
    async with serve(App(lead), cast, temporal=impatient) as stage:
        outcome = await stage.ask(lead)
        executions = await _executions(impatient, outcome.run.id)
        started = [
            child.workflow_id.removeprefix(f"{outcome.run.id}/")
            for execution in reversed(executions)
            for child in execution.attributes("start_child_workflow_execution_initiated")
        ]
        description = await impatient.get_workflow_handle(outcome.run.id).describe()
    result = outcome.result
    assert len(executions) >= 2
    assert started == ["writer", *(f"writer#{n}" for n in range(2, 7))]
    assert (result.output, result.turns) == ("heard written", 13 + 6 * 2)
    assert result.usage.total_tokens == 15 * result.turns
    assert result.cost_usd == pytest.approx(PRICE_USD * result.turns)
    assert description.search_attributes[names.SEARCH_TOKENS] == [15 * result.turns]
    assert len(set(KEYS)) == len(KEYS) == 12


async def test_a_member_that_continued_as_new_hands_over_all_of_its_conversation(
    serve: Serve, impatient: TemporalClient
) -> None:
    def triage(request: ModelRequest) -> Any:
        at = turn(request)
        return calls(("note", {"word": str(at)})) if at < 8 else calls(("transfer_to_billing", {}))

    cast = Cast({"triage": triage, "billing": "settled"})
    team = Team(name="desk", members=[agent("triage", tools=[note]), agent("billing")], style="handoff")
    async with serve(App(team), cast, temporal=impatient) as stage:
        outcome = await stage.ask(team, "My bill!")
        executions = await _executions(impatient, f"{outcome.run.id}/triage")
    assert len(executions) >= 2
    assert (outcome.result.output, outcome.result.turns) == ("settled", 10)
    asked, *others = cast.asked("billing")
    assert not others
    assert [message.role.value for message in asked.messages] == ["user", *["assistant", "tool"] * 9]
    assert asked.messages[0].text == "My bill!"


async def test_nested_runs_are_found_by_what_they_are(serve: Serve, temporal: TemporalClient) -> None:
    runnable = Chain(name="c", steps=[agent("mid", tools=[LOW])])
    cast = {"mid": lambda r: calls(("low", {"task": "dig"})) if turn(r) == 0 else "top"}
    async with serve(App(), cast) as stage:
        outcome = await stage.ask(runnable, "go")
        assert await children(temporal, f"{outcome.run.id}/mid") == [f"{outcome.run.id}/mid/low"]
        found = {}
        for below in ("", "/mid", "/mid/low"):
            description = await temporal.get_workflow_handle(outcome.run.id + below).describe()
            attributes = description.search_attributes
            found[below] = [
                attributes[name][0]
                for name in (names.SEARCH_RUNNABLE, names.SEARCH_STATUS, names.SEARCH_TOKENS, names.SEARCH_COST_USD)
            ]
    assert found == {
        "": ["c", "completed", 45, pytest.approx(3 * PRICE_USD)],
        "/mid": ["mid", "completed", 45, pytest.approx(3 * PRICE_USD)],
        "/mid/low": ["low", "completed", 15, pytest.approx(PRICE_USD)],
    }
