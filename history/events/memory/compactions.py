"""Reads by what prompts were shortened, and what was asked for summaries.

Pure: does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from temporalio.api.common.v1 import Payloads

from ....contracts.wire.event import Event, ModelRequested, ModelResponded
from ....contracts.wire.memory.compaction import Compaction
from ....contracts.wire.memory.memory_event import MemoryCompacted
from ....contracts.wire.model_call import ModelCall, ModelReply
from ....contracts.wire.places import Place
from ..guardrails.decisions import read_decisions
from ..history_event import RecordedEvent, reply_fields
from ..outcome import UNREAD, Accumulated, Activity, Reading
from ..transcript import RebuiltTranscript


def read_compaction(recorded: RecordedEvent, call: ModelCall, step: Compaction) -> MemoryCompacted:
    """Read by what a prompt was shortened, from the first call that has it."""
    return MemoryCompacted(
        **recorded.stamp(call.transcript),
        turn=call.turn,
        strategy=step.strategy,
        before=step.before,
        after=step.after,
        messages=step.messages,
        cleared=step.cleared,
        told=step.told,
        reason=step.why,
        note=step.note,
    )


def read_summary(recorded: RecordedEvent, call: ModelCall, so_far: Accumulated) -> Reading:
    """Read a model call for a summary that begins."""
    transcript = so_far.transcripts.get(call.transcript)
    if transcript is None:
        return UNREAD
    path = _place(call, so_far)
    so_far.transcripts.setdefault(path, RebuiltTranscript(transcript.head, ())).asked_alone(
        call, transcript.to_sum_up(call)
    )
    requested = ModelRequested(**recorded.stamp(path), turn=call.turn, model=call.model, summary=True)
    return Reading(path, SummaryOutcome(call, so_far), (requested,))


def _place(call: ModelCall, so_far: Accumulated) -> Place:
    """Return the place of a summary: each of one turn has its own."""
    number = 1
    while (known := so_far.transcripts.get(Place(call.transcript).summaries.numbered(number))) and known.has_sent(
        call.turn
    ):
        number += 1
    return Place(call.transcript).summaries.numbered(number)


@dataclass(frozen=True, slots=True)
class SummaryOutcome:
    """The end of a model call for a summary."""

    call: ModelCall
    so_far: Accumulated

    def completed(self, recorded: RecordedEvent, activity: Activity, result: Payloads) -> Iterator[Event]:
        """Yield the summary."""
        reply = recorded.value(result, ModelReply)
        self.so_far.tally.reply(reply)
        about = {**activity.took(recorded), **reply_fields(reply)}
        yield ModelResponded(**recorded.stamp(activity.path), turn=self.call.turn, summary=True, **about)
        yield from read_decisions(recorded, activity.path, reply, self.so_far)

    def failed(self, recorded: RecordedEvent, activity: Activity, error: BaseException) -> Iterator[Event]:  # noqa: ARG002
        """Yield nothing: it is told with what was done without a summary."""
        yield from ()
