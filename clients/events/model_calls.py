"""What models were asked and said, from the events of their activities. Pure: reads events, and does no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from temporalio.api.common.v1 import Payloads

from ...contracts.model import Head, Model
from ...contracts.wire.event import Event, FallbackUsed, ModelRequested, ModelResponded, ToolRequested
from ...contracts.wire.model_call import ModelCall, ModelReply, TranscriptPage
from ...contracts.wire.run import Totals
from .history_event import Recorded
from .outcome import Accumulated, Activity, reason
from .tool_calls import told
from .transcript import Transcript


def asked(recorded: Recorded, call: ModelCall, so_far: Accumulated) -> Iterator[Event]:
    """The events of a model call that was scheduled."""
    transcript = so_far.transcripts.get(call.transcript)
    if transcript is None:
        # Without its head it goes on from an execution that was not read: no fallback is news then.
        head = call.head or Head(agent=call.transcript, model=Model(call.model))
        transcript = Transcript(head, (), choice=0 if call.head else call.choice)
        so_far.transcripts[call.transcript] = transcript
    elif call.head:
        # That of an agent with MCP servers is whole only here.
        transcript.head = call.head
    before, failure = transcript.choice, transcript.failure
    transcript.sent(call)
    yield from told(recorded, call.transcript, transcript)
    if call.choice != before:
        yield FallbackUsed(
            **recorded.stamp(call.transcript),
            turn=call.turn,
            failed=transcript.head.model.choices[before].name,
            model=call.model,
            reason=failure,
        )
    yield ModelRequested(**recorded.stamp(call.transcript), turn=call.turn, model=call.model)


@dataclass(frozen=True, slots=True)
class ModelOutcome:
    """The end of a model call."""

    call: ModelCall
    so_far: Accumulated

    def completed(self, recorded: Recorded, activity: Activity, result: Payloads) -> Iterator[Event]:
        """The answer, and the tools that it asks for."""
        reply = recorded.value(result, ModelReply)
        self.so_far.turns += 1
        self.so_far.totals += Totals.of(reply)
        self.so_far.transcripts[activity.path].replied(reply, self.call.turn, recorded.at)
        yield ModelResponded(
            **recorded.stamp(activity.path),
            turn=self.call.turn,
            model=reply.model,
            message=reply.message,
            usage=reply.usage,
            cost_usd=reply.cost_usd,
            attempt=activity.attempt,
            seconds=recorded.since(activity.at),
            prompt_hash=reply.prompt_hash,
        )
        for part in reply.message.tool_calls:
            yield ToolRequested(
                **recorded.stamp(activity.path),
                turn=self.call.turn,
                call_id=part.id,
                name=part.name,
                arguments=part.arguments,
            )

    def failed(self, recorded: Recorded, activity: Activity, error: BaseException) -> Iterator[Event]:  # noqa: ARG002
        """Nothing: it is told where a fallback takes over, or by the run's end."""
        self.so_far.transcripts[activity.path].failure = reason(error)
        yield from ()


@dataclass(frozen=True, slots=True)
class TakeoverOutcome:
    """The end of the activity that hands over the conversation that a run continues."""

    so_far: Accumulated

    def completed(self, recorded: Recorded, activity: Activity, result: Payloads) -> Iterator[Event]:
        """Nothing: the run that the conversation comes from has told it."""
        if transcript := self.so_far.transcripts.get(activity.path):
            transcript.take_over(recorded.value(result, TranscriptPage).messages)
        yield from ()

    def failed(self, recorded: Recorded, activity: Activity, error: BaseException) -> Iterator[Event]:  # noqa: ARG002
        """Nothing: the run's end says what it means."""
        yield from ()
