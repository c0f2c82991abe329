"""Reads the turns of a chat, from the updates in its history.

Pure: does no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from temporalio.api.enums.v1 import EventType
from temporalio.api.update.v1 import Request

from ...contracts import names
from ...contracts.message import Message
from ...contracts.prompt_hash import part_digest
from ...contracts.wire.chats.chat import ChatInput, ChatTurn
from ...contracts.wire.chats.chat_event import TurnFinished, TurnQueued, TurnStarted
from ...contracts.wire.event import Event
from ...contracts.wire.places import Place
from ...contracts.wire.run import Result, Status
from ...workflows.chat.turns import said_in
from .history_event import RecordedEvent
from .outcome import Accumulated


class ChatTurns:
    """The turns of one chat, over all its executions that are read."""

    def __init__(self, so_far: Accumulated) -> None:
        self._so_far = so_far
        self._path = ""
        self._admitted: dict[str, Request] = {}
        self._known: dict[str, int] = {}
        self._waiting: list[str] = []
        self.all: list[ChatTurn] = []
        """The turns so far, those that wait too."""
        self.handlers: dict[int, Callable[[RecordedEvent], Iterator[Event]]] = {
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED: self._on_admitted,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: self._on_accepted,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED: self._on_completed,
        }
        """What reads which type of history event."""

    def begin(self, chat: ChatInput) -> None:
        """Take in what an execution begins with."""
        self._path = Place(chat.runnable.name)
        self._waiting.clear()
        if not self.all:
            self.all = [turn for index in range(len(chat.turns)) if (turn := _earlier(chat, index))]
        self._known = {turn.id: index for index, turn in enumerate(self.all)}
        # Of turns without messages nothing is left but that they were.
        self._known |= {mark.id: -1 for mark in chat.turns if mark.id not in self._known}

    def _on_admitted(self, recorded: RecordedEvent) -> Iterator[Event]:
        request = recorded.event.workflow_execution_update_admitted_event_attributes.request
        self._admitted[request.meta.update_id] = request
        yield from ()

    def _on_accepted(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.workflow_execution_update_accepted_event_attributes
        message_id = attributes.protocol_instance_id
        # After a reset the request stands where it was admitted again.
        request = self._admitted.pop(message_id, attributes.accepted_request)
        if request.input.name != names.CHAT_SEND_UPDATE or message_id in self._known:
            return
        message = recorded.value(request.input.args, Message)
        self._know(message)
        self._known[message_id] = len(self.all)
        self.all.append(ChatTurn(id=message_id, message=message))
        self._waiting.append(message_id)
        if len(self._waiting) > 1:
            yield TurnQueued(**recorded.stamp(self._path), message_id=message_id, message=message)
        else:
            yield self._begun(recorded)

    def _on_completed(self, recorded: RecordedEvent) -> Iterator[Event]:
        attributes = recorded.event.workflow_execution_update_completed_event_attributes
        message_id = attributes.meta.update_id
        if message_id not in self._known:
            return
        outcome = attributes.outcome
        result = (
            recorded.value(outcome.success, Result)
            if outcome.HasField("success")
            else Result(status=Status.FAILED, reason=str(recorded.error(outcome.failure)))
        )
        yield TurnFinished(
            **recorded.stamp(self._path),
            message_id=message_id,
            status=result.status,
            output=result.output,
            reason=result.reason,
            turns=result.turns,
            usage=result.usage,
            cost_usd=result.cost_usd,
            unpriced_calls=result.unpriced_calls,
        )
        if message_id not in self._waiting:
            return
        self._waiting.remove(message_id)
        index = self._known[message_id]
        ended = {"status": result.status, "output": result.output, "reason": result.reason}
        self.all[index] = self.all[index].model_copy(update=ended)
        if self._waiting:
            yield self._begun(recorded)

    def _begun(self, recorded: RecordedEvent) -> TurnStarted:
        turn = self.all[self._known[self._waiting[0]]]
        if transcript := self._so_far.transcripts.get(self._path):
            # Each message is for the first model again.
            transcript.choice, transcript.failure = 0, ""
        return TurnStarted(**recorded.stamp(self._path), message_id=turn.id, message=turn.message)

    def _know(self, message: Message) -> None:
        """Keep the large parts, to which prompts refer."""
        for part in message.parts:
            written = part.model_dump_json().encode()
            if len(written) > _LEAST_BYTES:
                self._so_far.told[part_digest(written)] = part


_LEAST_BYTES = 1_000
"""What is shorter, no prompt refers to."""


def _earlier(chat: ChatInput, index: int) -> ChatTurn | None:
    """Return a turn before this execution; None of one of which nothing was kept."""
    said: Sequence[Message] = said_in(chat.said, chat.turns, index)
    if not said:
        return None
    mark = chat.turns[index]
    return ChatTurn(id=mark.id, message=said[0], status=mark.status, output=Message.last_words(said))
