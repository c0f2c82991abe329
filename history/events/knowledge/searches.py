"""Reads searches of collections. Pure: reads events, and does no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from temporalio.api.common.v1 import Payloads

from ....contracts.wire.event import Event, RetrievalResponded, RetrievedPassage
from ....contracts.wire.retrieval import RetrievalCall, Retrieved
from ....workflows.concurrency import spent_by
from ..guardrails.decisions import read_decisions
from ..history_event import RecordedEvent
from ..outcome import Accumulated, Activity, Reading, Scheduled
from ..tool_calls import ToolOutcome


def read_retrieval(recorded: RecordedEvent, scheduled: Scheduled, so_far: Accumulated) -> Reading:
    """Read a search that begins: its end tells all."""
    if scheduled.input is None:
        return Reading(scheduled.id.place, None)
    call = recorded.value(scheduled.input, RetrievalCall)
    transcript = so_far.transcripts.get(scheduled.id.place)
    asked = ToolOutcome(call.call_id, transcript, so_far) if call.call_id and transcript else None
    return Reading(scheduled.id.place, RetrievalOutcome(call, asked, so_far))


@dataclass(frozen=True, slots=True)
class RetrievalOutcome:
    """The end of a search."""

    call: RetrievalCall
    tool: ToolOutcome | None
    """The tool call that it answers, where a model asked for it."""
    so_far: Accumulated

    def completed(self, recorded: RecordedEvent, activity: Activity, result: Payloads) -> Iterator[Event]:
        """Yield what was found, and what the model is told of it."""
        found = recorded.value(result, Retrieved)
        self.so_far.tally.charge(found.totals)
        if not self.call.call_id:
            self.so_far.found[activity.id.text] = found.content
        yield RetrievalResponded(
            **recorded.stamp(activity.path),
            collection=self.call.collection.name,
            query=self.call.query,
            queries=self.call.queries,
            hypothetical=self.call.hypothetical,
            call_id=self.call.call_id,
            passages=tuple(
                RetrievedPassage(id=passage.id, source=passage.source, page=passage.page, scores=passage.scores)
                for passage in found.passages
            ),
            searched=found.searched,
            step=found.step,
            attempt=activity.attempt,
            seconds=found.seconds,
            **dict(found.totals),
            stages=found.stages,
            note=found.note,
        )
        yield from read_decisions(recorded, activity.path, found, self.so_far)
        if self.tool:
            told = found.as_result(self.call.call_id, self.call.name)
            yield from self.tool.answered(recorded, activity, told)

    def failed(self, recorded: RecordedEvent, activity: Activity, error: BaseException) -> Iterator[Event]:
        """Yield what the model is told of a failure, which may have cost something."""
        self.so_far.tally.charge(spent_by(error))
        if self.tool:
            yield from self.tool.failed(recorded, activity, error)
