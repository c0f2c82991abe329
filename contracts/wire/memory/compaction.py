"""What has left the prompt of a transcript, and how the prompt is made without it."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final, TypeVar

from ...contract import Contract
from ...memory.conversation import MemoryStrategy
from ...message import Message, Part, ToolResultPart
from ...text import plural

T = TypeVar("T")

NO_SUMMARY: Final = "there is no summary: "
"""Begins the note of a step that was to be a summary."""


def left_in_words(strategy: MemoryStrategy, messages: int, results: int, before: int, after: int, note: str) -> str:
    """Return in a line what left a prompt.

    Args:
        strategy: How it was shortened.
        messages: How many messages left it.
        results: How many results of tools did.
        before: About how many tokens it had.
        after: About how many it has.
        note: What went otherwise than wanted.
    """
    left = " and ".join(plural(count, of) for count, of in ((messages, "message"), (results, "tool result")) if count)
    instead = " for a summary" if strategy == "summary" else ""
    return f"{left} left the prompt{instead} · about {before:,} → {after:,} tok{f' · {note}' if note else ''}"


class KeptMessages(Contract):
    """Which messages of a conversation are in its prompt still, where some have left."""

    positions: tuple[int, ...]
    """Where in the whole conversation each of them stands."""
    left_before: int
    """All that left stands before this position."""
    replies_left: int = 0
    """How many of those that left are the model's."""


class Compaction(Contract):
    """A step by which a prompt was shortened.

    It is said of the messages that the last reply knows, one step after the other; and of those right behind them that
    are results of its calls, or were asked before what is asked now, where a turn ended before any reply knew them.
    """

    strategy: MemoryStrategy
    dropped: tuple[tuple[int, int], ...] = ()
    """The messages that left the prompt: ranges of indices, the end not included, in order."""
    told: str = ""
    """What is told in their place, where the first of them was; empty for nothing."""
    untold: tuple[ToolResultPart, ...] = ()
    """Errors of calls that left the prompt before the model was told them, and so may stand nowhere else."""
    unanswered: tuple[Message, ...] = ()
    """What was asked and left the prompt before any reply knew it; large parts are references."""
    cleared: tuple[str, ...] = ()
    """Ids of the tool calls whose results left it."""
    stub: str = ""
    """What is told in place of each. `{name}`, `{call_id}` and `{bytes}` in it are those of the result."""
    before: int = 0
    """About how many tokens the prompt had."""
    after: int = 0
    """About how many it has."""
    why: str = ""
    """Why it was shortened."""
    note: str = ""
    """What went otherwise than wanted, such as that there is no summary."""

    @property
    def messages(self) -> int:
        """How many messages left the prompt."""
        return sum(stop - start for start, stop in self.dropped)

    @property
    def words(self) -> str:
        """What left the prompt, in a line."""
        return left_in_words(self.strategy, self.messages, len(self.cleared), self.before, self.after, self.note)

    def apply(self, messages: Sequence[Message]) -> list[Message]:
        """Return what is left of messages: those that the last reply knows, or more."""
        kept = self.keep(messages, Message.user(self.told))
        cleared = frozenset(self.cleared)
        return [self._without_results(message, cleared) for message in kept] if cleared else kept

    def keep(self, items: Sequence[T], told: T) -> list[T]:
        """Return what is left of one item for each message that the last reply knows.

        Args:
            items: Of each message one.
            told: That of what is told in place of those that left.
        """
        kept: list[T] = []
        begin = 0
        for index, (start, stop) in enumerate(self.dropped):
            kept += items[begin:start]
            if index == 0 and self.told:
                kept.append(told)
            begin = stop
        return [*kept, *items[begin:]]

    def positions(self, positions: Sequence[int]) -> list[int]:
        """Return where in the whole transcript stands what `apply` returns.

        What is told in place of others stands where the last of the first of them did.
        """
        return self.keep(positions, positions[self.dropped[0][1] - 1] if self.dropped else 0)

    def _without_results(self, message: Message, cleared: AbstractSet[str]) -> Message:
        parts = tuple(self._stub(part, cleared) for part in message.parts)
        return message if parts == message.parts else message.model_copy(update={"parts": parts})

    def _stub(self, part: Part, cleared: AbstractSet[str]) -> Part:
        if not isinstance(part, ToolResultPart) or part.call_id not in cleared:
            return part
        size = f"{len(part.content.encode()):,}"
        named = self.stub.replace("{bytes}", size).replace("{call_id}", part.call_id).replace("{name}", part.name)
        return ToolResultPart(call_id=part.call_id, name=part.name, content=named, is_error=part.is_error)
