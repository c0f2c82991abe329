"""Reads what models were asked and said, from their activities' events.

Pure: does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from temporalio.api.common.v1 import Payloads

from ...contracts.head import Head
from ...contracts.model import Model
from ...contracts.wire.event import Event, FallbackUsed, ModelRequested, ModelResponded, ToolRequested
from ...contracts.wire.model_call import ModelCall, ModelReply
from ...contracts.wire.places import Place
from .control.budgets import read_allowance
from .guardrails.decisions import read_decisions, read_judgement
from .history_event import RecordedEvent, reply_fields
from .memory.compactions import read_compaction, read_summary
from .outcome import UNREAD, Accumulated, Activity, Reading, Scheduled, failure_reason
from .tool_calls import responses_first_told, responses_never_told
from .transcript import RebuiltTranscript


def read_model_call(recorded: RecordedEvent, scheduled: Scheduled, so_far: Accumulated) -> Reading:
    """Read a model call that begins: what is new in its transcript, and any fallback."""
    if scheduled.input is None:
        return UNREAD
    call = recorded.value(scheduled.input, ModelCall)
    if call.summary:
        return read_summary(recorded, call, so_far)
    events = tuple(_requested(recorded, call, so_far))
    return Reading(Place(call.transcript), ModelOutcome(call, so_far), events)


def _requested(recorded: RecordedEvent, call: ModelCall, so_far: Accumulated) -> Iterator[Event]:
    transcript = so_far.transcripts.get(call.transcript)
    if transcript is None:
        # Without its head it goes on from an execution that was not read: no fallback is news then.
        head = call.head or Head(agent=call.transcript, model=Model(call.model))
        transcript = RebuiltTranscript(head, (), choice=0 if call.head else call.choice)
        so_far.transcripts[call.transcript] = transcript
    elif call.head:
        # That of an agent with MCP servers is whole only here.
        transcript.head = call.head
    before, failure = transcript.choice, transcript.failure
    spent = tuple(read_allowance(recorded, call, transcript, so_far))
    steps = transcript.new_steps(call)
    for step in steps:
        yield from responses_never_told(recorded, call.transcript, transcript, step.untold)
    transcript.sent(call, so_far.found, so_far.told)
    yield from responses_first_told(recorded, call.transcript, transcript)
    if call.choice != before:
        yield FallbackUsed(
            **recorded.stamp(call.transcript),
            turn=call.turn,
            failed=transcript.head.model.choices[before].name,
            model=call.model,
            reason=failure,
        )
    yield from spent
    for step in steps:
        yield read_compaction(recorded, call, step)
    yield ModelRequested(**recorded.stamp(call.transcript), turn=call.turn, model=call.model)


@dataclass(frozen=True, slots=True)
class ModelOutcome:
    """The end of a model call."""

    call: ModelCall
    so_far: Accumulated

    def completed(self, recorded: RecordedEvent, activity: Activity, result: Payloads) -> Iterator[Event]:
        """Yield the answer, and the tools that it asks for."""
        reply = recorded.value(result, ModelReply)
        self.so_far.tally.reply(reply)
        self.so_far.transcripts[activity.path].replied(reply, self.call.turn, recorded.at)
        about = {**activity.took(recorded), **reply_fields(reply)}
        yield ModelResponded(**recorded.stamp(activity.path), turn=self.call.turn, **about)
        yield from read_decisions(recorded, activity.path, reply, self.so_far)
        head = self.so_far.transcripts[activity.path].head
        if head.judges:
            yield from read_judgement(recorded, activity.path, head, reply, activity.took(recorded)["seconds"])
        for part in reply.message.tool_calls:
            yield ToolRequested(
                **recorded.stamp(activity.path),
                turn=self.call.turn,
                call_id=part.id,
                name=part.name,
                arguments=part.arguments,
            )

    def failed(self, recorded: RecordedEvent, activity: Activity, error: BaseException) -> Iterator[Event]:  # noqa: ARG002
        """Yield nothing: it is told where a fallback takes over, or by the run's end."""
        self.so_far.transcripts[activity.path].failure = failure_reason(error)
        yield from ()
