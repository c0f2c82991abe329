"""The events of memory."""

from __future__ import annotations

from typing import Literal

from ...contract import Contract
from ...memory.conversation import MemoryStrategy
from ...memory.long_term import MemoryKind
from ...text import plural
from ..event_base import EventBase
from ..totals import Charged
from .calls import RecalledMemory, ReplacedMemory
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


class WrittenMemory(Contract):
    """What was remembered."""

    id: str
    """Of the memory that has it now."""
    kind: MemoryKind
    text: str
    """As it was to be remembered."""
    known: bool = False
    """Whether the same was remembered before."""
    replaced: tuple[ReplacedMemory, ...] = ()
    """The memories whose place it took. They are kept, and recalled no more."""
    forgotten: bool = False
    """Whether it was written, and deleted before that was known here: it is not remembered."""

    @property
    def words(self) -> str:
        """It in words."""
        if self.forgotten:
            return f"{self.text} (forgotten since)"
        if self.known:
            return f"{self.text} (known)"
        past = "; ".join(one.text for one in self.replaced)
        return f"{self.text} (in place of: {past})" if past else self.text


class MemoryRecalled(EventBase, Charged):
    """A turn, or a tool call, looked for what is remembered."""

    type: Literal["memory.recalled"] = "memory.recalled"
    collection: str
    scope: str
    query: str
    """What was looked for."""
    call_id: str = ""
    """Id of the tool call that asked for it; empty where none did."""
    memories: tuple[RecalledMemory, ...] = ()
    """What the model was told, the best first."""
    of: int = 0
    """How many memories the scope had."""
    seconds: float = 0.0
    attempt: int = 1
    """How many tries it took, from 1."""
    problem: str = ""
    """Why nothing could be recalled; empty where it could."""

    @property
    def words(self) -> str:
        """What was recalled, in words."""
        if self.problem:
            return f"nothing was recalled of {self.scope}: {self.problem}"
        if not self.of:
            return f"nothing is remembered of {self.scope}"
        of = f"{plural(self.of, 'memory', 'memories')} of {self.scope}"
        if not self.memories:
            return f"nothing new to tell of {of}"
        return f"recalled {len(self.memories)} of {of}: {'; '.join(memory.text for memory in self.memories)}"


class MemoryWritten(EventBase, Charged):
    """A turn, or a tool call, had something remembered."""

    type: Literal["memory.written"] = "memory.written"
    collection: str
    scope: str
    call_id: str = ""
    """Id of the tool call that asked for it; empty where none did."""
    memories: tuple[WrittenMemory, ...] = ()
    """In the order in which it was said; what could not be written, too."""
    seconds: float = 0.0
    attempt: int = 1
    """How many tries it took, from 1."""
    problem: str = ""
    """Why it could not be written, or not all of it as far as is known; empty where it was."""

    note: str = ""
    """What there is to say of a write that did not go quite as it should."""

    @property
    def words(self) -> str:
        """What was written, in words."""
        told = "; ".join(memory.words for memory in self.memories)
        why = "; ".join(filter(None, (self.problem, self.note)))
        what = f"remembered: {told}" if told else "nothing was remembered"
        what = "nothing, or not all, was remembered" if self.problem else what
        return f"{self.scope}: {what}{f' ({why})' if why else ''}"


class MemoryForgotten(EventBase):
    """A tool call had memories deleted."""

    type: Literal["memory.forgotten"] = "memory.forgotten"
    collection: str
    scope: str
    call_id: str = ""
    """Id of the tool call that asked for it."""
    deleted: int = 0
    """Memories, with those whose place they had taken."""
    problem: str = ""
    """Why they could not be deleted; empty where they were."""

    @property
    def words(self) -> str:
        """What was deleted, in words."""
        if self.problem:
            return f"nothing, or not all, was deleted of {self.scope}: {self.problem}"
        return f"{plural(self.deleted, 'memory', 'memories')} of {self.scope} deleted"


MemoryEvent = MemoryRecalled | MemoryWritten | MemoryForgotten
"""What is told of long-term memory."""
