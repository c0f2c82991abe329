"""Reads the turns of a chat, from the updates and the noted ends in its history.

Pure: does no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.update.v1 import Request

from ....contracts import names
from ....contracts.message import Message
from ....contracts.prompt_hash import part_digest
from ....contracts.wire.chats.chat import Taken, TurnEnd
from ....contracts.wire.chats.chat_event import TurnStarted
from ....contracts.wire.event import Event
from ..history_event import RecordedEvent
from ..outcome import Accumulated, Activity, Reading, Scheduled


class ChatUpdates:
    """The updates of one execution after the other."""

    def __init__(self, so_far: Accumulated) -> None:
        self._so_far = so_far
        self._admitted: dict[str, Request] = {}
        self.handlers: dict[int, Callable[[RecordedEvent], Iterator[Event]]] = {
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED: self._on_admitted,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: self._on_accepted,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED: self._on_completed,
        }
        """What reads which type of history event."""

    def _on_admitted(self, recorded: RecordedEvent) -> Iterator[Event]:
        request = recorded.event.workflow_execution_update_admitted_event_attributes.request
        self._admitted[request.meta.update_id] = request
        yield from ()

    def _on_accepted(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.workflow_execution_update_accepted_event_attributes
        message_id = attributes.protocol_instance_id
        # After a reset the request stands where it was admitted again.
        request = self._admitted.pop(message_id, attributes.accepted_request)
        if request.input.name != names.CHAT_SEND_UPDATE or self._so_far.chat.knows(message_id):
            return
        message = recorded.value(request.input.args, Message)
        self._so_far.told |= {part_digest(part.model_dump_json().encode()): part for part in message.parts}
        event = self._so_far.chat.asked(recorded, message_id, message)
        if isinstance(event, TurnStarted):
            _begin_turn(self._so_far)
        yield event

    def _on_completed(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.workflow_execution_update_completed_event_attributes
        message_id = attributes.meta.update_id
        if not self._so_far.chat.knows(message_id) or not attributes.outcome.HasField("success"):
            return
        taken = recorded.value(attributes.outcome.success, Taken)
        if taken.result:
            self._so_far.chat.keep(message_id, taken.result)
            yield self._so_far.chat.finished(recorded, message_id, taken.result)


def read_turn_end(recorded: RecordedEvent, scheduled: Scheduled, so_far: Accumulated) -> Reading:  # noqa: ARG001
    """Read the note of a turn's end: it tells all."""
    return Reading(scheduled.id.place, TurnOutcome(so_far))


@dataclass(frozen=True, slots=True)
class TurnOutcome:
    """The end of a turn."""

    so_far: Accumulated

    def completed(self, recorded: RecordedEvent, activity: Activity, result: Payloads) -> Iterator[Event]:  # noqa: ARG002
        """Yield what came of it, and the beginning of the next turn, where that waits."""
        end = recorded.value(result, TurnEnd)
        chat, outcome = self.so_far.chat, end.result
        transcript = self.so_far.transcripts.get(chat.path)
        if end.is_last_text and transcript:
            outcome = outcome.model_copy(update={"output": Message.last_words(transcript.messages)})
        # What waited in it was given up with it.
        self.so_far.approvals.forget()
        yield chat.finished(recorded, end.message_id, outcome)
        following = chat.next(recorded, end.message_id, outcome)
        if following:
            _begin_turn(self.so_far)
            yield following

    def failed(self, recorded: RecordedEvent, activity: Activity, error: BaseException) -> Iterator[Event]:  # noqa: ARG002
        """Yield nothing: it never fails."""
        yield from ()


def _begin_turn(so_far: Accumulated) -> None:
    """Ask the first model again: each message is for that."""
    if transcript := so_far.transcripts.get(so_far.chat.path):
        transcript.choice, transcript.failure = 0, ""
