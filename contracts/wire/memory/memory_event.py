"""What is told of memory."""

from __future__ import annotations

from typing import Literal

from ...memory.conversation import MemoryStrategy
from ..event_base import EventBase
from .compaction import left_in_words


class MemoryCompacted(EventBase):
    """A prompt was shortened: something left it, and never the history."""

    type: Literal["memory.compacted"] = "memory.compacted"
    turn: int
    """Which model call of its agent is the first to be told less, from 1."""
    strategy: MemoryStrategy
    """How it was shortened."""
    before: int
    """About how many tokens the prompt had."""
    after: int
    """About how many it has."""
    messages: int = 0
    """How many messages left it."""
    cleared: tuple[str, ...] = ()
    """Ids of the tool calls whose results left it."""
    told: str = ""
    """What the model is told in place of the messages, such as a summary."""
    reason: str = ""
    """Why it was shortened."""
    note: str = ""
    """What went otherwise than wanted, such as that there is no summary."""

    @property
    def words(self) -> str:
        """It for a person, in a line."""
        return left_in_words(self.strategy, self.messages, len(self.cleared), self.before, self.after, self.note)
