"""The turns of one chat, over all its executions that are read. Does no I/O."""

from __future__ import annotations

from ....contracts.message import Message, Role
from ....contracts.wire.chats.chat import ChatInput, ChatTurn, TurnMark
from ....contracts.wire.chats.chat_event import TurnFinished, TurnQueued, TurnStarted
from ....contracts.wire.places import Place
from ....contracts.wire.run import Result
from ....workflows.chat.said import Said
from ....workflows.chat.turns import result_of
from ..history_event import RecordedEvent, end_fields

_MOST_RESULTS = 1_000


class ChatTurns:
    """What was asked and answered."""

    def __init__(self) -> None:
        self.path = Place("")
        self.all: list[ChatTurn] = []
        """The turns so far, those that wait too."""
        self.results: dict[str, Result] = {}
        """What the turns came to that were read whole, by the ids of their messages."""
        self._known: dict[str, int] = {}
        self._waiting: list[str] = []
        self.begun: Said | None = None
        """What was said before all that was read; None before its start was."""
        self.begins_shortened = False
        """Whether that is less than was said: some of it had left the prompt, or was told in part."""

    def begin(self, chat: ChatInput) -> None:
        """Take in what an execution begins with."""
        self.path = Place(chat.runnable.name)
        if self.begun is None:
            self.begun = Said.in_input(chat)
            self.begins_shortened = bool(self.begun.kept or (chat.carried and chat.carried.tells_less))
        if not self.all:
            self.all = [turn for mark in chat.turns if (turn := _earlier(chat, mark))]
            self.all += [ChatTurn(id=asked.id, message=asked.message) for asked in chat.waiting]
        self._waiting = [asked.id for asked in chat.waiting]
        self._known = {turn.id: index for index, turn in enumerate(self.all)}
        # Of turns without messages nothing is left but that they were.
        self._known |= {mark.id: -1 for mark in chat.turns if mark.id not in self._known}

    def knows(self, message_id: str) -> bool:
        """Return whether a message was asked already."""
        return message_id in self._known

    def is_past(self, message_id: str) -> bool:
        """Return whether a turn has ended, and what it came to is not kept here."""
        if message_id in self.results:
            return False
        index = self._known.get(message_id)
        return index is not None and (index < 0 or self.all[index].status is not None)

    def asked(self, recorded: RecordedEvent, message_id: str, message: Message) -> TurnQueued | TurnStarted:
        """Take in a message; return what it begins."""
        self._known[message_id] = len(self.all)
        self.all.append(ChatTurn(id=message_id, message=message))
        self._waiting.append(message_id)
        if len(self._waiting) > 1:
            return TurnQueued(**recorded.stamp(self.path), message_id=message_id, message=message)
        return self._begun(recorded)

    def finished(self, recorded: RecordedEvent, message_id: str, result: Result) -> TurnFinished:
        """Return the event of a turn's end."""
        return TurnFinished(
            **recorded.stamp(self.path),
            message_id=message_id,
            unpriced_calls=result.unpriced_calls,
            **end_fields(result),
        )

    def keep(self, message_id: str, result: Result) -> None:
        """Keep what a turn came to, for whoever waits for it; only the last of them."""
        self.results[message_id] = result
        if len(self.results) > _MOST_RESULTS:
            del self.results[next(iter(self.results))]

    def next(self, recorded: RecordedEvent, message_id: str, result: Result) -> TurnStarted | None:
        """Take in the end of a turn; return the beginning of the one that waited."""
        self.keep(message_id, result)
        if message_id in self._waiting:
            self._waiting.remove(message_id)
        index = self._known.get(message_id, -1)
        if index >= 0:
            ended = {"status": result.status, "output": result.output, "reason": result.reason}
            self.all[index] = self.all[index].model_copy(update=ended)
        return self._begun(recorded) if self._waiting else None

    def _begun(self, recorded: RecordedEvent) -> TurnStarted:
        turn = self.all[self._known[self._waiting[0]]]
        return TurnStarted(**recorded.stamp(self.path), message_id=turn.id, message=turn.message)


def _earlier(chat: ChatInput, mark: TurnMark) -> ChatTurn | None:
    """Return a turn before this execution; None of one of which nothing was kept."""
    said = Said.in_input(chat)
    ours = said.between(mark.begins, mark.ends)
    asked = next((message for message in ours if message.role is Role.USER), None)
    if asked is None:
        return None
    result = result_of(said, mark)
    return ChatTurn(id=mark.id, message=asked, status=result.status, output=result.output, reason=result.reason)
