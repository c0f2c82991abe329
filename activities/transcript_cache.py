"""The worker's memory of transcripts: a cache, never the truth.

What it lacks is asked of the workflow.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from ..contracts.head import Head
from ..contracts.message import Message, TextPart, ToolResultPart
from ..contracts.prompt_hash import chain_link, chain_start
from ..contracts.wire.memory.compaction import Compaction


@dataclass(frozen=True, slots=True)
class Prefix:
    """A transcript up to some message, with the chain behind its prompt hash."""

    head: Head
    messages: tuple[Message, ...]
    chain: str
    size: int
    """Bytes of its JSON, about what it takes in memory."""

    @classmethod
    def start(cls, head: Head) -> Prefix:
        """Return the transcript before its first message."""
        return cls(head, (), *chain_start(head))

    def extended(self, messages: tuple[Message, ...]) -> Prefix:
        """Return this transcript with further messages.

        Costs only what the further messages cost.
        """
        chain, size = self.chain, self.size
        for message in messages:
            chain, added = chain_link(chain, message)
            size += added
        return Prefix(self.head, self.messages + messages, chain, size)

    def shortened(self, steps: tuple[Compaction, ...], length: int | None = None) -> Prefix:
        """Return this transcript without what left the prompt.

        Args:
            steps: How it was shortened.
            length: How many of the messages are wanted. None: all.
        """
        if not steps and (length is None or length >= len(self.messages)):
            return self
        messages: Sequence[Message] = self.messages
        for step in steps:
            messages = step.apply(messages)
        return Prefix.start(self.head).extended(tuple(messages[:length]))


class TranscriptCache:
    """Recent transcripts and tool results.

    Transcripts by the id of their last reply, results by run and call.

    A reply's id is unique, so a transcript can be missing but never stale: a run that was reset, forked or continued
    as new finds its own or none. A tool's result may be of an attempt that the server gave up on: compare it with the
    digest in the history.

    Args:
        max_bytes: Bound of all entries together; the least recently used go first.
    """

    def __init__(self, max_bytes: int = 64 * 1024 * 1024) -> None:
        self.hits = 0
        self.misses = 0
        """How many transcripts were there when they were wanted, and how many were not."""
        self._max_bytes = max_bytes
        self._bytes = 0
        self._entries: OrderedDict[tuple[str, ...], tuple[Prefix | ToolResultPart | TextPart, int]] = OrderedDict()

    def prefix(self, after: str) -> Prefix | None:
        """Return the transcript that ends with this reply."""
        entry = self._get((after,))
        if isinstance(entry, Prefix):
            self.hits += 1
            return entry
        self.misses += 1
        return None

    def put_prefix(self, after: str, prefix: Prefix, *, replaces: str) -> None:
        """Remember a transcript in place of the shorter one that it continues."""
        self._drop((replaces,))
        self._put((after,), prefix, prefix.size)

    def part(self, execution: str, key: str) -> ToolResultPart | TextPart | None:
        """Return the result of a call of this workflow execution, or of a search."""
        entry = self._get((execution, key))
        return entry if isinstance(entry, ToolResultPart | TextPart) else None

    def put_result(self, execution: str, result: ToolResultPart) -> None:
        """Remember a tool's result until the next model call takes it up."""
        size = len(result.content) + sum(len(blob.data or "") for blob in result.attachments)
        self._put((execution, result.call_id), result, size + 200)

    def put_found(self, execution: str, search: str, text: str) -> None:
        """Remember what a search that no model asked for found, by the id of its activity."""
        self._put((execution, search), TextPart(text=text), len(text) + 200)

    def _get(self, key: tuple[str, ...]) -> Prefix | ToolResultPart | TextPart | None:
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key][0]

    def _put(self, key: tuple[str, ...], value: Prefix | ToolResultPart | TextPart, size: int) -> None:
        self._drop(key)
        if size > self._max_bytes:
            return
        self._entries[key] = (value, size)
        self._bytes += size
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: tuple[str, ...]) -> None:
        if key in self._entries:
            self._bytes -= self._entries.pop(key)[1]
