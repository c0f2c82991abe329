"""Histories as events: recorded ones, and ends that a test server brings about only with patience."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import (
    EventType,
    ParentClosePolicy,
    StartChildWorkflowExecutionFailedCause,
    WorkflowTaskFailedCause,
)
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.exceptions import ApplicationError, CancelledError

from sostenuto import Agent, Message, Parallel, Role, Status, TextPart, Usage
from sostenuto.connection.converter import data_converter
from sostenuto.contracts import names
from sostenuto.contracts.mcp import McpTool
from sostenuto.contracts.message import ToolCallPart
from sostenuto.contracts.wire.chats.chat_event import ChatStarted
from sostenuto.contracts.wire.event import (
    Event,
    MemberFinished,
    MemberStarted,
    ModelRequested,
    ModelResponded,
    RunFinished,
    RunStalled,
    RunStarted,
    ToolRequested,
    ToolResponded,
    ToolsFaulty,
)
from sostenuto.contracts.wire.mcp_call import McpCatalogue, McpCatalogueCall, McpInvocation, ToolFault
from sostenuto.contracts.wire.model_call import ModelCall, ModelReply
from sostenuto.contracts.wire.run import Continuation, Result, RunInput
from sostenuto.contracts.wire.tool_call import ToolInvocation, ToolOutput
from sostenuto.contracts.wire.transcript import TranscriptPage
from sostenuto.history.events.projection import Projection

HISTORIES = Path(__file__).parents[3] / "replay" / "histories"
FILES = [path for path in sorted(HISTORIES.glob("v*/*.json")) if not re.search(r"_[2-9]$|-ledger_1$", path.stem)]
"""Without further executions, and without what ledgers did, which are no runs."""
LAW = Agent(name="law", model="scripted/m")
BOTH = Parallel(name="both", branches=[LAW])


def read(path: Path) -> Iterator[tuple[HistoryEvent, str]]:
    """The events of a recorded run, over the executions that it continued in."""
    later = sorted(path.parent.glob(path.stem.removesuffix("_1") + "_[2-9].json")) if path.stem.endswith("_1") else []
    for file in (path, *later):
        history = WorkflowHistory.from_json(file.stem, file.read_text())
        for event in history.events:
            yield event, file.stem


@pytest.mark.parametrize("path", FILES, ids=[f"{path.parent.name}-{path.stem}" for path in FILES])
def test_every_recorded_run_is_told_and_its_prompts_are_proven(path: Path) -> None:
    projection = Projection(data_converter())
    events = [event for recorded, execution in read(path) for event in projection.feed(recorded, execution)]
    replies = [event for event in events if isinstance(event, ModelResponded)]
    for reply in replies:
        assert projection.prompt(reply.turn, reply.path).hash == reply.prompt_hash
    assert isinstance(events[0], RunStarted | ChatStarted)
    assert isinstance(events[-1], RunFinished)
    assert events[-1].turns >= len(replies)
    asked = [(event.path, event.call_id) for event in events if isinstance(event, ToolRequested)]
    told = [(event.path, event.call_id) for event in events if isinstance(event, ToolResponded)]
    assert set(told) <= set(asked)
    assert len(told) == len(set(told))
    assert len({event.id for event in events}) == len(events)


class History:
    """Writes a history by hand and reads it as events."""

    def __init__(self) -> None:
        self.projection = Projection(data_converter())
        self.events: list[Event] = []
        self._last = 0

    def add(self, kind: str, **attributes: Any) -> list[Event]:
        """One history event; what it means."""
        self._last += 1
        event = HistoryEvent(event_id=self._last, event_type=EventType.Value(f"EVENT_TYPE_{kind}"))
        getattr(event, f"{kind.lower()}_event_attributes").MergeFrom(
            type(getattr(event, f"{kind.lower()}_event_attributes"))(**attributes)
        )
        told = self.projection.feed(event, "e1")
        self.events += told
        return told

    def child(self, **fields: Any) -> int:
        """A child workflow that is asked for; the id of that event."""
        run = RunInput(runnable=LAW, message=Message.user("Is it?"), path="both/law", **fields)
        self.add(
            "START_CHILD_WORKFLOW_EXECUTION_INITIATED",
            workflow_id="r1/law",
            workflow_type={"name": names.run_type(LAW.kind, LAW.name)},
            input=payloads(run),
            parent_close_policy=ParentClosePolicy.PARENT_CLOSE_POLICY_TERMINATE,
        )
        return self._last

    def started_child(self) -> int:
        """A child workflow that has begun; the id of the event that asked for it."""
        initiated = self.child()
        self.add("CHILD_WORKFLOW_EXECUTION_STARTED", initiated_event_id=initiated, workflow_execution={"run_id": "e2"})
        return initiated


def payloads(*values: Any) -> Payloads:
    return Payloads(payloads=data_converter().payload_converter.to_payloads(values))


def failure(error: BaseException) -> Failure:
    converter, written = data_converter(), Failure()
    converter.failure_converter.to_failure(error, converter.payload_converter, written)
    return written


@pytest.fixture
def history() -> History:
    history = History()
    run = RunInput(runnable=BOTH, message=Message.user("Is it?"))
    kind = names.run_type(BOTH.kind, BOTH.name)
    history.add("WORKFLOW_EXECUTION_STARTED", workflow_type={"name": kind}, input=payloads(run))
    return history


@pytest.fixture
def own() -> History:
    history = History()
    history.add("WORKFLOW_EXECUTION_STARTED", workflow_type={"name": "Report"}, workflow_id="r1", input=payloads("Go."))
    return history


RUN_FAILED = ApplicationError(
    "no credit", Result(status=Status.FAILED, reason="no credit", output="so far", turns=2), type=names.RUN_FAILED
)
ENDS: list[tuple[str, dict[str, Any], Status, str]] = [
    ("FAILED", {"failure": failure(RUN_FAILED)}, Status.FAILED, "no credit"),
    ("FAILED", {"failure": failure(ValueError("a bug"))}, Status.FAILED, "ValueError: a bug"),
    ("CANCELED", {}, Status.CANCELLED, "the run was cancelled"),
    ("TIMED_OUT", {}, Status.FAILED, "the run took longer than its Temporal timeout"),
    ("TERMINATED", {}, Status.FAILED, "the run was terminated"),
]


@pytest.mark.parametrize(("kind", "attributes", "status", "reason"), ENDS)
def test_a_nested_run_ends_in_any_way(
    history: History, kind: str, attributes: dict[str, Any], status: Status, reason: str
) -> None:
    initiated = history.started_child()
    assert set(history.projection.members) == {"both/law"}
    (end,) = history.add(f"CHILD_WORKFLOW_EXECUTION_{kind}", initiated_event_id=initiated, **attributes)
    assert isinstance(end, MemberFinished)
    assert (end.status, end.reason, end.path, end.run_id) == (status, reason, "both/law", "r1/law")
    assert not history.projection.members


def test_a_nested_run_begins_when_it_has_begun(history: History) -> None:
    initiated = history.child()
    assert len(history.events) == 1
    (began,) = history.add(
        "CHILD_WORKFLOW_EXECUTION_STARTED", initiated_event_id=initiated, workflow_execution={"run_id": "e2"}
    )
    assert isinstance(began, MemberStarted)
    assert (began.member, began.message) == ("law", Message.user("Is it?"))
    assert history.projection.members["both/law"].execution == "e2"


def test_a_nested_run_that_cannot_begin_begins_and_ends_at_once(history: History) -> None:
    cause = StartChildWorkflowExecutionFailedCause.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS
    began, end = history.add("START_CHILD_WORKFLOW_EXECUTION_FAILED", initiated_event_id=history.child(), cause=cause)
    assert isinstance(began, MemberStarted)
    assert isinstance(end, MemberFinished)
    assert end.reason == "the run could not be started: workflow already exists: r1/law"


def test_what_nested_runs_used_counts_for_a_run_that_could_not_say_what_it_used(history: History) -> None:
    used = Result(status=Status.COMPLETED, turns=3, usage=Usage(input_tokens=7), cost_usd=0.5, unpriced_calls=1)
    history.add("CHILD_WORKFLOW_EXECUTION_COMPLETED", initiated_event_id=history.started_child(), result=payloads(used))
    history.started_child()
    left, end = history.add("WORKFLOW_EXECUTION_TERMINATED", reason="enough")
    assert isinstance(left, MemberFinished)
    assert left.reason == "the run that it belonged to ended first"
    assert isinstance(end, RunFinished)
    assert (end.turns, end.usage.input_tokens, end.cost_usd) == (3, 7, 0.5)


def test_children_of_other_types_are_none_of_ours(own: History) -> None:
    own.add("START_CHILD_WORKFLOW_EXECUTION_INITIATED", workflow_type={"name": "Other"}, input=payloads("x"))
    assert own.add("CHILD_WORKFLOW_EXECUTION_STARTED", initiated_event_id=2) == []
    assert own.add("CHILD_WORKFLOW_EXECUTION_FAILED", initiated_event_id=2, failure=failure(ValueError())) == []


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (payloads("Go."), "Go."),
        (payloads({"a": 1}), '{"a": 1}'),
        (payloads(Message.user("Go.")), "Go."),
        (payloads(1, "two"), '[1, "two"]'),
        (payloads(b"\x00"), "null"),
        (Payloads(), ""),
    ],
)
def test_what_a_code_first_workflow_was_asked_is_a_message(given: Payloads, text: str) -> None:
    (began,) = History().add("WORKFLOW_EXECUTION_STARTED", workflow_type={"name": "Report"}, input=given)
    assert isinstance(began, RunStarted)
    assert (began.message.text, began.runnable, began.path) == (text, "Report", "Report")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ApplicationError("no luck", type="Mine"), "no luck"),
        (ValueError("a bug"), "a bug"),
        (CancelledError("stop"), "stop"),
    ],
)
def test_what_a_code_first_workflow_failed_by_is_its_reason(own: History, error: BaseException, reason: str) -> None:
    (end,) = own.add("WORKFLOW_EXECUTION_FAILED", failure=failure(error))
    assert isinstance(end, RunFinished)
    assert (end.status, end.reason) == (Status.FAILED, reason)


def test_a_code_first_workflow_that_is_tried_again_goes_on(own: History) -> None:
    error = failure(ValueError("once more"))
    assert own.add("WORKFLOW_EXECUTION_FAILED", failure=error, new_execution_run_id="e2") == []
    assert own.projection.next_execution == "e2"
    assert (
        own.add("WORKFLOW_EXECUTION_STARTED", workflow_type={"name": "Report"}, continued_execution_run_id="e1") == []
    )
    (end,) = own.add("WORKFLOW_EXECUTION_COMPLETED", result=payloads({"pages": 2}))
    assert isinstance(end, RunFinished)
    assert end.output == {"pages": 2}


def test_a_direct_call_that_is_cancelled_is_told(own: History) -> None:
    def schedule(place: str, kind: str) -> list[Event]:
        call = ToolInvocation(call_id=place.rpartition(":")[2], reply="e1", arguments={"at": "7"})
        return own.add("ACTIVITY_TASK_SCHEDULED", activity_id=place, activity_type={"name": kind}, input=payloads(call))

    (asked,) = schedule("Report:call_2", "look")
    assert isinstance(asked, ToolRequested)
    assert (asked.path, asked.call_id, asked.name, asked.arguments) == ("Report", "call_2", "look", {"at": "7"})
    (told,) = own.add("ACTIVITY_TASK_CANCELED", scheduled_event_id=2)
    assert isinstance(told, ToolResponded)
    assert (told.call_id, told.content, told.is_error) == ("call_2", "the call was cancelled", True)
    # Activities of somebody's own are nobody's tool calls.
    assert schedule("1", "fetch") == []
    assert own.add("ACTIVITY_TASK_COMPLETED", scheduled_event_id=4, result=payloads("x")) == []


def test_a_tools_output_of_no_known_call_says_nothing(history: History) -> None:
    call = ToolInvocation(call_id="c", reply="r")
    kind = {"name": "look"}
    assert history.add("ACTIVITY_TASK_SCHEDULED", activity_id="both:c", activity_type=kind, input=payloads(call)) == []
    output = payloads(ToolOutput(content="x"))
    assert history.add("ACTIVITY_TASK_COMPLETED", scheduled_event_id=2, result=output) == []
    assert not [event for event in history.events if isinstance(event, ModelRequested)]


SEARCH = McpTool(name="search", parameters={"type": "object"}, server="web", tool="find")
FIND = McpInvocation(call_id="c", reply="r", arguments={"q": "x"}, server="web", tool="find", name="search")


def scheduled(history: History, kind: str, place: str, value: Any) -> list[Event]:
    return history.add(
        "ACTIVITY_TASK_SCHEDULED", activity_id=place, activity_type={"name": kind}, input=payloads(value)
    )


def completed(history: History, event: int, value: Any) -> list[Event]:
    return history.add("ACTIVITY_TASK_COMPLETED", scheduled_event_id=event, result=payloads(value))


def test_tools_of_mcp_servers_are_tools() -> None:
    agent, history = Agent(name="law", model="scripted/m", tools=["mcp:web"]), History()
    run = RunInput(runnable=agent, message=Message.user("Is it?"))
    history.add("WORKFLOW_EXECUTION_STARTED", workflow_type={"name": names.RUN_WORKFLOW}, input=payloads(run))
    assert scheduled(history, names.MCP_CATALOGUE_ACTIVITY, "law:mcp-web", McpCatalogueCall(server="web")) == []
    assert completed(history, 2, McpCatalogue.of("web", [SEARCH])) == []

    head = agent.head_with(SEARCH)
    call = ModelCall(transcript="law", turn=1, model="scripted/m", tail=(Message.user("Is it?"),), head=head)
    scheduled(history, names.MODEL_ACTIVITY, "law:turn-1", call)
    message = Message(role=Role.ASSISTANT, parts=(ToolCallPart(id="c", name="search", arguments={"q": "x"}),))
    completed(history, 4, ModelReply(id="r", message=message, model="scripted/m", prompt_hash=""))
    scheduled(history, names.MCP_TOOL_ACTIVITY, "law:c", FIND)
    (told,) = completed(history, 6, ToolOutput(content="found"))
    assert isinstance(told, ToolResponded)
    assert (told.name, told.call_id, told.content, told.turn) == ("search", "c", "found", 1)
    # The catalogue is not an event, but the prompt that the model was sent has it.
    assert [tool.name for tool in history.projection.prompt(1).head.tools] == ["search"]


def test_faulty_tools_of_mcp_servers_are_told() -> None:
    history = History()
    run = RunInput(runnable=Agent(name="law", model="scripted/m", tools=["mcp:web"]), message=Message.user("Is it?"))
    history.add("WORKFLOW_EXECUTION_STARTED", workflow_type={"name": names.RUN_WORKFLOW}, input=payloads(run))
    scheduled(history, names.MCP_CATALOGUE_ACTIVITY, "law:mcp-web", McpCatalogueCall(server="web"))
    fault = ToolFault(tool="bad", problem="its inputSchema is a list", left_out=True)
    (told,) = completed(history, 2, McpCatalogue.of("web", [SEARCH], [fault]))
    assert isinstance(told, ToolsFaulty)
    assert (told.path, told.server, told.faults) == ("law", "web", (fault,))
    assert told.faults[0].told == "tool 'bad' left out: its inputSchema is a list"


def test_a_catalogue_that_is_kept_elsewhere_is_not_looked_for() -> None:
    history = History()
    run = RunInput(runnable=Agent(name="law", model="scripted/m", tools=["mcp:web"]), message=Message.user("Is it?"))
    history.add("WORKFLOW_EXECUTION_STARTED", workflow_type={"name": names.RUN_WORKFLOW}, input=payloads(run))
    scheduled(history, names.MCP_CATALOGUE_ACTIVITY, "law:mcp-web", McpCatalogueCall(server="web"))
    kept = payloads(McpCatalogue.of("web", [SEARCH]))
    kept.payloads[0].external_payloads.add(size_bytes=1)
    assert history.add("ACTIVITY_TASK_COMPLETED", scheduled_event_id=2, result=kept) == []


def test_a_direct_call_of_an_mcp_tool_has_the_name_of_the_tool(own: History) -> None:
    assert scheduled(own, names.MCP_CATALOGUE_ACTIVITY, "Report/web:mcp-web", McpCatalogueCall(server="web")) == []
    (asked,) = scheduled(own, names.MCP_TOOL_ACTIVITY, "Report:call", FIND)
    (told,) = completed(own, 3, ToolOutput(content="found"))
    assert isinstance(asked, ToolRequested)
    assert isinstance(told, ToolResponded)
    assert (asked.name, told.name, asked.arguments, told.content) == ("search", "search", {"q": "x"}, "found")


def test_a_conversation_that_is_taken_over_stands_before_what_is_asked() -> None:
    history, before = History(), (Message.user("Where?"), Message(role=Role.ASSISTANT, parts=(TextPart(text="Here."),)))
    run = RunInput(
        runnable=LAW,
        message=Message.user("And?"),
        continues=Continuation(run_id="r1/tax", path="both/tax"),
        path="both/law",
    )
    history.add("WORKFLOW_EXECUTION_STARTED", workflow_type={"name": names.RUN_WORKFLOW}, input=payloads(run))
    assert scheduled(history, names.TRANSCRIPT_ACTIVITY, "both/law:transcript", run.continues) == []
    assert completed(history, 2, TranscriptPage(messages=before)) == []
    assert history.projection.transcript("both/law") == (*before, Message.user("And?"))


def _failed_task(message: str) -> HistoryEvent:
    event = HistoryEvent(event_id=7, event_type=EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)
    attributes = event.workflow_task_failed_event_attributes
    attributes.cause = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE
    attributes.failure.message = message
    return event


def test_a_standstill_is_told_once_until_the_code_goes_on() -> None:
    projection = Projection(data_converter())
    goes_on = HistoryEvent(event_id=8, event_type=EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
    history = [*[_failed_task("boom")] * 2, _failed_task("bang"), goes_on, _failed_task("bang")]
    told = [event for one in history for event in projection.feed(one, "e")]
    assert [event.reason for event in told if isinstance(event, RunStalled)] == ["boom", "bang", "bang"]


def test_a_workflow_that_its_worker_does_not_have() -> None:
    message = "Workflow class Report is not registered on this worker, available workflows: SostenutoRun"
    [event] = Projection(data_converter()).feed(_failed_task(message), "e")
    assert isinstance(event, RunStalled)
    assert (event.unserved, event.where) == (True, "")
    assert event.reason == "the worker that took it does not serve the workflow 'Report'"
