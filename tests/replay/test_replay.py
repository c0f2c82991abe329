"""What any version wrote, this one replays: the workflow takes the same decisions at every point of each history.

A failing replay calls for a patch marker or a new version of the workflow, never for another recording.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory

from sostenuto import __version__
from sostenuto.contracts.message import ToolResultPart
from sostenuto.contracts.wire.model_call import ModelReply
from sostenuto.contracts.wire.run import Result
from sostenuto.workers.worker import replayer
from sostenuto.workflows import search_attributes
from sostenuto.workflows.agent.loop import AgentLoop
from sostenuto.workflows.agent.tool_calls import ToolCalls
from sostenuto.workflows.chat.chat_workflow import ChatWorkflow
from sostenuto.workflows.concurrency import Job, run_together
from sostenuto.workflows.feedback.score_workflow import ScoreWorkflow
from sostenuto.workflows.memory.compactor import Compactor
from sostenuto.workflows.patterns import parallel
from tests.replay.chats import CHATTED
from tests.replay.code_first_workflow import PricedWorkflow, RacingWorkflow, RecordedWorkflow
from tests.replay.record import HISTORIES, INGESTED, SCORED, shape_of
from tests.replay.shapes import AGENTS, CONTROLLED, GIVEN, NESTED, PACKED, REMEMBERED, SEARCHED, SINCE_BUDGETS
from tests.replay.shortened import CONTINUED, SHORTENED

FILES = sorted(HISTORIES.glob("v*/*.json"))
SINCE = {
    "v0.1.0": set(AGENTS),
    "v0.2.0": set(NESTED),
    "v0.3.0": {
        *(*PACKED, *CONTROLLED, *SEARCHED, *REMEMBERED, *SHORTENED, *GIVEN, *SINCE_BUDGETS),
        *(INGESTED, SCORED, *CHATTED),
    },
}
"""The shapes that there are since each version."""


def _history(path: Path) -> WorkflowHistory:
    history = WorkflowHistory.from_json(path.stem, path.read_text())
    # The ids of nested runs are made of the run's own.
    started = history.events[0].workflow_execution_started_event_attributes
    return WorkflowHistory(started.workflow_id, history.events)


def _of_this_version(shape: str) -> WorkflowHistory:
    return _history(HISTORIES / f"v{__version__}" / f"{shape}.json")


@pytest.mark.parametrize("path", FILES, ids=[f"{path.parent.name}-{path.stem}" for path in FILES])
async def test_replays(path: Path) -> None:
    await replayer([RecordedWorkflow, RacingWorkflow, PricedWorkflow]).replay_workflow(_history(path))


def test_each_version_has_each_shape() -> None:
    found: dict[str, set[str]] = {}
    for path in FILES:
        found.setdefault(path.parent.name, set()).add(shape_of(path))
    assert f"v{__version__}" in found, "record this version: python -m tests.replay.record"
    for version, shapes in found.items():
        # A later version has every shape of the ones before.
        wanted = [shapes for since, shapes in SINCE.items() if _number(since) <= _number(version)]
        missing = set().union(*wanted) - shapes
        assert not missing, f"{version} has no history of {', '.join(sorted(missing))}"


def _number(version: str) -> list[int]:
    return [int(part) for part in version.removeprefix("v").split(".")]


@pytest.mark.parametrize("path", FILES, ids=[f"{path.parent.name}-{path.stem}" for path in FILES])
def test_tells_nothing_of_the_machine_and_is_small(path: Path) -> None:
    text = path.read_text()
    assert len(text) < 60_000
    text += "".join(b64decode(data).decode(errors="replace") for data in re.findall(r'"data":\s*"([^"]*)"', text))
    assert set(re.findall(r'"identity":\s*"([^"]*)"', text)) <= {"recorder", "history-service", ""}
    assert not re.search(r"/(home|root|tmp|usr|work)/|site-packages|stackTrace|[Aa]pi[_-]?[Kk]ey", text)


def _reverse_tool_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    run = ToolCalls.run

    async def reversed_run(self: ToolCalls, reply: ModelReply) -> list[ToolResultPart]:
        message = reply.message.model_copy(update={"parts": reply.message.parts[::-1]})
        return list(reversed(await run(self, reply.model_copy(update={"message": message}))))

    monkeypatch.setattr(ToolCalls, "run", reversed_run)


async def test_calls_in_another_order_do_not_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: a workflow that starts the calls of a turn the other way round is found out."""
    _reverse_tool_calls(monkeypatch)
    with pytest.raises(workflow.NondeterminismError):
        await replayer().replay_workflow(_of_this_version("parallel"))


async def test_a_missing_call_does_not_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: a workflow that answers calls without running them is found out."""

    async def nothing(self: AgentLoop, reply: ModelReply) -> Result | None:
        return None

    monkeypatch.setattr(AgentLoop, "_answer_calls", nothing)
    with pytest.raises(workflow.NondeterminismError):
        await replayer().replay_workflow(_of_this_version("tool_loop"))


@pytest.mark.parametrize("shape", ["parallel_all", "map_agents", "reducer", "nested-crew-report"])
async def test_branches_in_another_order_do_not_replay(monkeypatch: pytest.MonkeyPatch, shape: str) -> None:
    """The negative control of what is nested: prompts or child workflows that start the other way round."""

    async def reversed_together(jobs: Iterable[Job], limit: int | None = None) -> list[Result]:
        return list(reversed(await run_together(reversed(list(jobs)), limit)))

    monkeypatch.setattr(parallel, "run_together", reversed_together)
    with pytest.raises(workflow.NondeterminismError):
        await replayer().replay_workflow(_of_this_version(shape))


async def test_members_in_another_order_do_not_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of a team: its members start the other way round."""
    _reverse_tool_calls(monkeypatch)
    with pytest.raises(workflow.NondeterminismError):
        await replayer().replay_workflow(_of_this_version("delegate"))


async def test_a_chat_that_lets_no_message_interrupt_does_not_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of a chat: it goes on with what somebody went past."""
    monkeypatch.setattr(ChatWorkflow, "_stop_turn", lambda _: None)
    with pytest.raises(workflow.NondeterminismError):
        await replayer().replay_workflow(_of_this_version("chatted_1"))


async def test_a_score_that_is_not_sent_does_not_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of a score: it is sent to the first of two destinations alone."""
    send = ScoreWorkflow._send

    async def one_alone(self: ScoreWorkflow, to: str) -> None:
        if to == "langfuse":
            await send(self, to)

    monkeypatch.setattr(ScoreWorkflow, "_send", one_alone)
    with pytest.raises(workflow.NondeterminismError):
        await replayer().replay_workflow(_of_this_version(SCORED))


async def test_a_cost_that_is_told_at_other_times_does_not_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of what is told while a run goes on: the time between is one for ever."""
    monkeypatch.setattr(search_attributes, "SECONDS_BETWEEN", timedelta(hours=1))
    with pytest.raises(workflow.NondeterminismError):
        await replayer().replay_workflow(_of_this_version("slow"))


@pytest.mark.parametrize("version", ["v0.1.0", "v0.2.0"])
async def test_what_earlier_versions_found_too_large_to_carry_still_is(version: str) -> None:
    """They measured what they sent, and nothing was packed. Recorded histories are small: this one is made large."""
    history = json.loads((HISTORIES / version / "tool_loop.json").read_text())
    ended = [e["activityTaskCompletedEventAttributes"] for e in history["events"] if _COMPLETED in e["eventType"]]
    replied, returned = (attributes["result"]["payloads"][0] for attributes in ended[:2])
    _change(replied, lambda reply: reply["message"]["parts"].insert(0, {"kind": "text", "text": "a b " * 150_000}))
    _change(returned, lambda output: output.update(content="a b " * 325_000))
    scheduled = [e for e in history["events"] if "activityTaskScheduledEventAttributes" in e]
    [second] = [e for e in scheduled if e["activityTaskScheduledEventAttributes"]["activityId"].endswith(":turn-2")]
    for event in history["events"][: int(second["eventId"]) - 1][-2:]:
        if "workflowTaskStartedEventAttributes" in event:
            event["workflowTaskStartedEventAttributes"]["suggestContinueAsNew"] = True
    assert "suggestContinueAsNew" in json.dumps(history)
    await replayer().replay_workflow(WorkflowHistory.from_json("recorded", json.dumps(history)))


_COMPLETED = "ACTIVITY_TASK_COMPLETED"


def _change(payload: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> None:
    value = json.loads(b64decode(payload["data"]))
    change(value)
    payload["data"] = b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize("shape", [*SHORTENED, f"{CONTINUED}_2", f"{CONTINUED}_3"])
def test_something_left_the_prompts_of_each_memory(shape: str) -> None:
    text = (HISTORIES / f"v{__version__}" / f"{shape}.json").read_text()
    said = [b64decode(data).decode(errors="replace") for data in re.findall(r'"data":\s*"([^"]*)"', text)]
    assert any('"compactions"' in one for one in said)


async def test_a_summary_that_is_not_asked_for_does_not_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of a memory: messages leave without a summary."""

    async def none(self: Compactor, length: int, target: int) -> tuple[str, int, str]:
        return "", 0, "there is no summary: none was asked for"

    monkeypatch.setattr(Compactor, "_summary", none)
    with pytest.raises(workflow.NondeterminismError):
        await replayer().replay_workflow(_of_this_version("memory_summary"))
