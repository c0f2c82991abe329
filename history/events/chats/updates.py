"""Reads the turns of a chat, from the updates and the noted ends in its history.

Pure: does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from temporalio.api.common.v1 import Payloads

from ....contracts.message import Message
from ....contracts.wire.chats.chat import SentMessage, Taken, TurnEnd
from ....contracts.wire.chats.chat_event import TurnStarted
from ....contracts.wire.event import Event
from ..guardrails.decisions import read_decisions
from ..history_event import RecordedEvent
from ..outcome import Accumulated, Activity, Reading, Scheduled


class ChatSends:
    """The updates by which a chat is told messages.

    Args:
        so_far: What the history has come to.
    """

    def __init__(self, so_far: Accumulated) -> None:
        self._so_far = so_far

    def accepted(self, recorded: RecordedEvent, update_id: str, asked: Payloads) -> Iterator[Event]:
        """Yield that a message was sent: its id is that of the update."""
        if self._so_far.chat.knows(update_id):
            return
        sent = recorded.value(asked, SentMessage)
        message = sent.message
        self._so_far.tell([message])
        event = self._so_far.chat.asked(recorded, update_id, message)
        if isinstance(event, TurnStarted):
            _begin_turn(self._so_far)
        yield event
        yield from read_decisions(recorded, self._so_far.chat.path, sent.screened, self._so_far)

    def completed(self, recorded: RecordedEvent, update_id: str, came: Payloads) -> Iterator[Event]:
        """Yield the end of the turn, where the chat did not take the message after all."""
        if not self._so_far.chat.knows(update_id):
            return
        taken = recorded.value(came, Taken)
        if taken.result:
            self._so_far.chat.keep(update_id, taken.result)
            yield self._so_far.chat.finished(recorded, update_id, taken.result)


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
        yield from self.so_far.approvals.withdrawn(recorded)
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
