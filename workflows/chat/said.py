"""What was said in a chat, as far as it is in the prompt still."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...contracts.message import Message
from ...contracts.wire.chats.chat import ChatInput
from ...contracts.wire.memory.compaction import KeptMessages


@dataclass(frozen=True, slots=True)
class Said:
    """Messages of a conversation, each with its position in the whole of it."""

    messages: Sequence[Message]
    kept: KeptMessages | None = None
    """Where they stand, where some have left the prompt. None: none has."""

    @classmethod
    def in_input(cls, chat: ChatInput) -> Said:
        """Return what was said before an execution of a chat."""
        return cls(chat.said, chat.carried.kept if chat.carried else chat.kept)

    @property
    def count(self) -> int:
        """How many messages the conversation has, with those that left the prompt."""
        positions = self._positions
        # What left last may have stood behind all that is there.
        return max(positions[-1] + 1 if positions else 0, self.kept.left_before if self.kept else 0)

    def and_more(self, more: Iterable[Message]) -> Said:
        """Return it with further messages."""
        messages = (*self.messages, *more)
        if self.kept is None:
            return Said(messages)
        count = self.count
        new = range(count, count + len(messages) - len(self.messages))
        return Said(messages, self.kept.model_copy(update={"positions": (*self.kept.positions, *new)}))

    def between(self, begins: int, ends: int) -> Sequence[Message]:
        """Return the messages from one position to another, as far as they are there."""
        positions = self._positions
        return self.messages[bisect_left(positions, begins) : bisect_left(positions, ends)]

    def before(self, ends: int) -> Said | None:
        """Return what was said before a position.

        None where it left the prompt with what came later.
        """
        length = bisect_left(self._positions, ends)
        if self.kept is None:
            return Said(self.messages[:length])
        if ends < self.kept.left_before:
            return None
        return Said(self.messages[:length], self.kept.model_copy(update={"positions": self.kept.positions[:length]}))

    @property
    def _positions(self) -> Sequence[int]:
        return self.kept.positions if self.kept else range(len(self.messages))
