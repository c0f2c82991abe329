"""Reads approvals: requests, the updates that decide them, and timers.

Pure: does no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType

from ....contracts import names
from ....contracts.message import ToolResultPart
from ....contracts.wire.control.approval_call import ApprovalAsked
from ....contracts.wire.control.approval_event import ApprovalRequested
from ....contracts.wire.control.decision import Decided, Decision, DecisionKind
from ....contracts.wire.control.reconcile_call import Reconciled
from ....contracts.wire.event import Event, ToolRequested, ToolResponded
from ....contracts.wire.places import ActivityId
from ....workflows.control.waiting_call import answer_text
from ..history_event import RecordedEvent
from ..outcome import UNREAD, Accumulated, Activity, Reading, Scheduled
from ..tool_calls import ToolOutcome, tool_responded
from .waiting import ToldCall


def read_approval(recorded: RecordedEvent, scheduled: Scheduled, so_far: Accumulated) -> Reading:  # noqa: ARG001
    """Read the request for an approval: its end tells all."""
    call = scheduled.id.approved_call
    return Reading(call.place, RequestOutcome(call, so_far)) if call else UNREAD


def read_reconciliation(recorded: RecordedEvent, scheduled: Scheduled, so_far: Accumulated) -> Reading:  # noqa: ARG001
    """Read the question what came of a call that was cut off."""
    call = scheduled.id.reconciled_call
    transcript = so_far.transcripts.get(call.place) if call else None
    return (
        Reading(call.place, ReconciledOutcome(ToolOutcome(call.step, transcript, so_far)))
        if call and transcript
        else UNREAD
    )


@dataclass(frozen=True, slots=True)
class ReconciledOutcome:
    """What a tool says came of a call."""

    tool: ToolOutcome

    def completed(self, recorded: RecordedEvent, activity: Activity, result: Payloads) -> Iterator[Event]:
        """Yield what the call returned, where it took effect."""
        found = recorded.value(result, Reconciled)
        asked = self.tool.transcript.calls.get(self.tool.call_id)
        if found.output and asked:
            yield from self.tool.answered(
                recorded, activity, found.output.as_result(self.tool.call_id, asked.part.name)
            )

    def failed(self, recorded: RecordedEvent, activity: Activity, error: BaseException) -> Iterator[Event]:  # noqa: ARG002
        """Yield nothing: it is still unknown, which the model is told."""
        yield from ()


@dataclass(frozen=True, slots=True)
class RequestOutcome:
    """What a worker says of a call."""

    call: ActivityId
    so_far: Accumulated

    def completed(self, recorded: RecordedEvent, activity: Activity, result: Payloads) -> Iterator[Event]:  # noqa: ARG002
        """Yield that the call waits, where it does."""
        asked = recorded.value(result, ApprovalAsked)
        if not asked.needed:
            return
        path, call_id = self.call
        transcript = self.so_far.transcripts.get(path)
        part = transcript.calls[call_id].part if transcript and call_id in transcript.calls else None
        arguments = part.arguments if asked.arguments is None and part else asked.arguments or {}
        if asked.arguments is not None:
            about: dict[str, Any] = {"call_id": call_id, "name": asked.name, "arguments": arguments}
            yield ToolRequested(**recorded.stamp(path), turn=0, **about, undoes=asked.undoes)
        requested = ApprovalRequested(
            **recorded.stamp(path),
            call_id=call_id,
            name=asked.name,
            arguments=arguments,
            hash=asked.hash,
            group=asked.asks.group,
            policy=asked.asks.policy,
            expires=recorded.at + asked.asks.expires if asked.asks.expires else None,
            quorum=asked.asks.quorum,
            grants=asked.asks.grants,
            question=asked.asks.question,
            reason=asked.reason,
        )
        self.so_far.approvals.begin(requested, asked.asks, direct=asked.arguments is not None)
        yield requested

    def failed(self, recorded: RecordedEvent, activity: Activity, error: BaseException) -> Iterator[Event]:  # noqa: ARG002
        """Yield nothing: the call is not made, which the model is told."""
        yield from ()


class Decisions:
    """The decisions of one execution after the other, and what came too late.

    Args:
        so_far: What the history has come to.
    """

    def __init__(self, so_far: Accumulated) -> None:
        self._so_far = so_far
        self._decisions: dict[str, Decision] = {}
        self._timers: dict[int, ActivityId] = {}
        self.handlers: dict[int, Callable[[RecordedEvent], Iterator[Event]]] = {
            EventType.EVENT_TYPE_TIMER_STARTED: self._on_timer_started,
            EventType.EVENT_TYPE_TIMER_FIRED: self._on_timer_fired,
            EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: self._on_attributes,
        }
        """What reads which type of history event."""

    def forget(self) -> None:
        """Begin another execution, in which nothing waits yet."""
        self._decisions, self._timers = {}, {}
        self._so_far.approvals.forget()

    def accepted(self, recorded: RecordedEvent, update_id: str, asked: Payloads) -> Iterator[Event]:
        """Yield nothing: a decision is told once it is taken."""
        self._decisions[update_id] = recorded.value(asked, Decision)
        yield from ()

    def completed(self, recorded: RecordedEvent, update_id: str, came: Payloads) -> Iterator[Event]:
        """Yield what was decided, and what the call comes to where it is not made."""
        decision = self._decisions.pop(update_id)
        taken = self._so_far.approvals.decided(recorded, decision, recorded.value(came, Decided))
        if taken is None:
            return
        call, decided = taken
        yield decided
        if decision.kind is DecisionKind.ANSWER:
            content = answer_text(decision.answer)
            yield from self._answered(recorded, call, content)
            yield from _never_made(recorded, call, content, is_error=False)
        elif decision.kind is DecisionKind.DENY:
            yield from self._not_made(recorded, call, decision.note or "a person denied it")

    def _answered(self, recorded: RecordedEvent, call: ToldCall, content: str) -> Iterator[Event]:
        """Yield what the model is told of a call that a person answered."""
        transcript = self._so_far.transcripts.get(call.told.path)
        result = ToolResultPart(call_id=call.told.call_id, name=call.told.name, content=content)
        if transcript and transcript.answered(result):
            # What was waited for a person is told by the events of the approval.
            yield tool_responded(recorded, call.told.path, transcript, result, since=recorded.at)

    def _not_made(self, recorded: RecordedEvent, call: ToldCall, why: str) -> Iterator[Event]:
        """Yield what a call comes to that is not made."""
        if transcript := self._so_far.transcripts.get(call.told.path):
            transcript.begin_now(call.told.call_id, recorded.at)
        yield from _never_made(recorded, call, why, is_error=True)

    def _on_timer_started(self, recorded: RecordedEvent) -> Iterator[Event]:
        metadata = recorded.event.user_metadata
        if metadata.HasField("summary"):
            summary = recorded.json(metadata.summary)
            call = ActivityId.parse(summary).approved_call if isinstance(summary, str) else None
            if call:
                self._timers[recorded.event.event_id] = call
        yield from ()

    def _on_timer_fired(self, recorded: RecordedEvent) -> Iterator[Event]:
        timer = self._timers.pop(recorded.event.timer_fired_event_attributes.started_event_id, None)
        came = self._so_far.approvals.late(recorded, *timer) if timer else None
        if came is None:
            return
        call, told = came
        yield told
        if not isinstance(told, ApprovalRequested):
            yield from self._not_made(recorded, call, "nobody decided on it in time")

    def _on_attributes(self, recorded: RecordedEvent) -> Iterator[Event]:
        """Yield what waits no more, where the workflow says that nothing does."""
        set_to = recorded.event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
        if (awaiting := set_to.get(names.SEARCH_AWAITING)) and recorded.json(awaiting) != names.AWAITS_APPROVAL:
            calls = self._so_far.approvals.direct_ones()
            yield from self._so_far.approvals.withdrawn(recorded)
            for call in calls:
                yield from _never_made(recorded, call, "it was given up while it waited", is_error=True)


def _never_made(recorded: RecordedEvent, call: ToldCall, content: str, *, is_error: bool) -> Iterator[Event]:
    """Yield what a call came to that no model asked for: nothing else tells it."""
    if call.direct:
        yield ToolResponded(
            **recorded.stamp(call.told.path),
            turn=0,
            call_id=call.told.call_id,
            name=call.told.name,
            content=content,
            is_error=is_error,
            seconds=0.0,
        )
