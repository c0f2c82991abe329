"""Reads recalls, writes and deletions of memories.

Pure: reads events, and does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from temporalio.api.common.v1 import Payloads
from temporalio.exceptions import ApplicationError

from ....contracts import names
from ....contracts.message import Message
from ....contracts.wire.event import Event
from ....contracts.wire.memory.calls import ForgetCall, Forgotten, RecallCall, Recalled, Remembered, WriteCall
from ....contracts.wire.memory.memory_event import MemoryForgotten, MemoryRecalled, MemoryWritten, WrittenMemory
from ....contracts.wire.totals import Totals
from ....workflows.concurrency import spent_by, told_by
from ..history_event import RecordedEvent
from ..outcome import UNREAD, Accumulated, Activity, Reading, Scheduled
from ..tool_calls import ToolOutcome


def read_recall(recorded: RecordedEvent, scheduled: Scheduled, so_far: Accumulated) -> Reading:
    """Read a recall that begins: its end tells all."""
    if scheduled.input is None:
        return UNREAD
    call = recorded.value(scheduled.input, RecallCall)
    return Reading(scheduled.id.place, RecallOutcome(call, _tool(call.call_id, scheduled, so_far), so_far))


def read_memory_write(recorded: RecordedEvent, scheduled: Scheduled, so_far: Accumulated) -> Reading:
    """Read a write that begins: its end tells all."""
    if scheduled.input is None:
        return UNREAD
    call = recorded.value(scheduled.input, WriteCall)
    return Reading(scheduled.id.place, MemoryWriteOutcome(call, _tool(call.call_id, scheduled, so_far), so_far))


def read_forgetting(recorded: RecordedEvent, scheduled: Scheduled, so_far: Accumulated) -> Reading:
    """Read a deletion that begins: its end tells all."""
    if scheduled.input is None:
        return UNREAD
    call = recorded.value(scheduled.input, ForgetCall)
    return Reading(scheduled.id.place, ForgettingOutcome(call, _tool(call.call_id, scheduled, so_far)))


def _tool(call_id: str, scheduled: Scheduled, so_far: Accumulated) -> ToolOutcome | None:
    """Return the tool call that it answers, where a model asked for it."""
    transcript = so_far.transcripts.get(scheduled.id.place)
    return ToolOutcome(call_id, transcript, so_far) if call_id and transcript else None


@dataclass(frozen=True, slots=True)
class RecallOutcome:
    """The end of a recall."""

    call: RecallCall
    tool: ToolOutcome | None
    so_far: Accumulated

    def completed(self, recorded: RecordedEvent, activity: Activity, result: Payloads) -> Iterator[Event]:
        """Yield what was recalled, and what the model is told of it."""
        found = recorded.value(result, Recalled)
        self.so_far.tally.charge(found.totals)
        transcript = self.so_far.transcripts.get(activity.path)
        if not self.call.call_id and found.memories:
            self.so_far.found[activity.id.text] = found.content
            if transcript:
                transcript.recalled(Message.user(found.content))
        yield self._event(recorded, activity, found)
        if self.tool and transcript and not found.problem and (name := _name(self.tool)):
            yield from self.tool.answered(recorded, activity, found.as_result(self.call.call_id, name))

    def failed(self, recorded: RecordedEvent, activity: Activity, error: BaseException) -> Iterator[Event]:
        """Yield that nothing was recalled: the turn goes on without, or fails."""
        spent = spent_by(error)
        self.so_far.tally.charge(spent)
        if not _is_made_again(error):
            yield self._event(recorded, activity, Recalled(problem=told_by(error), **dict(_told(spent))))

    def _event(self, recorded: RecordedEvent, activity: Activity, found: Recalled) -> MemoryRecalled:
        return MemoryRecalled(
            **recorded.stamp(activity.path),
            collection=self.call.place.collection,
            scope=self.call.place.scope,
            query=self.call.query,
            call_id=self.call.call_id,
            memories=found.memories,
            of=found.of,
            seconds=found.seconds or recorded.since(activity.at),
            attempt=activity.attempt,
            problem=found.problem,
            **_told(found.totals),
        )


@dataclass(frozen=True, slots=True)
class MemoryWriteOutcome:
    """The end of a write."""

    call: WriteCall
    tool: ToolOutcome | None
    so_far: Accumulated

    def completed(self, recorded: RecordedEvent, activity: Activity, result: Payloads) -> Iterator[Event]:
        """Yield what was written, and what the model is told of it."""
        done = recorded.value(result, Remembered)
        self.so_far.tally.charge(done.totals)
        written = tuple(
            WrittenMemory(**{**dict(outcome), "kind": memory.kind, "text": outcome.text or memory.text})
            for outcome, memory in zip(done.outcomes, self.call.memories, strict=True)
        )
        yield self._event(recorded, activity, written, "", done.totals)
        if self.tool and (name := _name(self.tool)):
            yield from self.tool.answered(recorded, activity, done.as_result(self.call.call_id, name))

    def failed(self, recorded: RecordedEvent, activity: Activity, error: BaseException) -> Iterator[Event]:
        """Yield that nothing was written, and why."""
        spent = spent_by(error)
        self.so_far.tally.charge(spent)
        if not _is_made_again(error):
            lost = tuple(WrittenMemory(id="", kind=one.kind, text=one.text) for one in self.call.memories)
            yield self._event(recorded, activity, lost, told_by(error), spent)

    def _event(
        self,
        recorded: RecordedEvent,
        activity: Activity,
        written: tuple[WrittenMemory, ...],
        problem: str,
        spent: Totals,
    ) -> MemoryWritten:
        return MemoryWritten(
            **recorded.stamp(activity.path),
            collection=self.call.place.collection,
            scope=self.call.place.scope,
            call_id=self.call.call_id,
            memories=written,
            seconds=recorded.since(activity.at),
            attempt=activity.attempt,
            problem=problem,
            note=self.call.note,
            **_told(spent),
        )


@dataclass(frozen=True, slots=True)
class ForgettingOutcome:
    """The end of a deletion."""

    call: ForgetCall
    tool: ToolOutcome | None

    def completed(self, recorded: RecordedEvent, activity: Activity, result: Payloads) -> Iterator[Event]:
        """Yield what was deleted, and what the model is told of it."""
        gone = recorded.value(result, Forgotten)
        yield self._event(recorded, activity, gone.deleted)
        if self.tool and (name := _name(self.tool)):
            yield from self.tool.answered(recorded, activity, gone.as_result(self.call.call_id, name))

    def failed(self, recorded: RecordedEvent, activity: Activity, error: BaseException) -> Iterator[Event]:
        """Yield that nothing was deleted, and why."""
        if not _is_made_again(error):
            yield self._event(recorded, activity, 0, told_by(error))

    def _event(self, recorded: RecordedEvent, activity: Activity, deleted: int, problem: str = "") -> MemoryForgotten:
        return MemoryForgotten(
            **recorded.stamp(activity.path),
            collection=self.call.place.collection,
            scope=self.call.place.scope,
            call_id=self.call.call_id,
            deleted=deleted,
            problem=problem,
        )


def _name(tool: ToolOutcome) -> str:
    asked = tool.transcript.calls.get(tool.call_id)
    return asked.part.name if asked else ""


def _is_made_again(error: BaseException) -> bool:
    """Return whether no worker could begin it so far: it is begun again."""
    return isinstance(error, ApplicationError) and error.type == names.NOT_SERVED


def _told(spent: Totals) -> dict[str, Any]:
    return {"usage": spent.usage, "cost_usd": spent.cost_usd, "unpriced_calls": spent.unpriced_calls}
