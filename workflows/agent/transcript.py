"""The workflow's own transcript: what the model was told and is yet to be told."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from ...contracts.limits import written_bytes
from ...contracts.message import Message, Part, PartRef, Role, TextPart, ToolCallPart, ToolResultPart
from ...contracts.model import Head
from ...contracts.prompt_hash import part_digest
from ...contracts.wire.memory.compaction import Compaction, KeptMessages
from ...contracts.wire.model_call import ModelReply
from ...contracts.wire.transcript import TranscriptPage, TranscriptQuery
from .. import policy


class Transcript:
    """Messages in order, of which the first `sent` are known to the last reply.

    Those that left the prompt are forgotten here: they stand in the history.

    Args:
        head: What stands before them.
        messages: Those that there are.
        after: Id of the last reply among them.
        standing: How many of them the history of the run has already.
        texts: What else the history has, with the ids of the searches that found it. It may grow.
        kept: Where in the whole conversation they stand, where some have left. None: none has.
    """

    def __init__(
        self,
        head: Head,
        messages: Iterable[Message] = (),
        *,
        after: str = "",
        standing: int = 0,
        texts: Mapping[str, str] = MappingProxyType({}),
        kept: KeptMessages | None = None,
    ) -> None:
        self.head = head
        self.messages: list[Message] = list(messages)
        self.after = after
        """Id of the last reply."""
        self.sent = after_last_reply(self.messages)
        self.steps: tuple[Compaction, ...] = ()
        """What left the prompt since the last reply."""
        self._positions = list(kept.positions if kept else range(len(self.messages)))
        self._left_before = kept.left_before if kept else 0
        self.replies_left = kept.replies_left if kept else 0
        """How many messages of the model have left the prompt."""
        self._standing = standing
        self._told: dict[int, None] = {}
        self._shortened: dict[int, None] = {}
        self._texts = texts
        self.size = sum(written_bytes(message) for message in self.messages)
        """Bytes of all messages."""

    @property
    def count(self) -> int:
        """How many messages the conversation has, with those that left the prompt."""
        return self._positions[-1] + 1 if self._positions else 0

    @property
    def kept(self) -> KeptMessages | None:
        """Where in the whole conversation the messages stand; None where none has left."""
        if not self._left_before:
            return None
        return KeptMessages(
            positions=tuple(self._positions), left_before=self._left_before, replies_left=self.replies_left
        )

    def since(self, position: int) -> Sequence[Message]:
        """Return the messages that are there from a position of the whole on."""
        return self.messages[bisect_left(self._positions, position) :]

    def add(self, message: Message, *, stands: bool = False) -> None:
        """Add a message that the model is told with the next call.

        Args:
            message: The message.
            stands: Whether the history of the run has it already.
        """
        if stands:
            self._told[len(self.messages)] = None
        self._positions.append(self.count)
        self.messages.append(message)
        self.size += written_bytes(message)

    def add_reply(self, reply: ModelReply) -> None:
        """Add the model's answer to everything so far."""
        self.add(reply.message)
        self.after = reply.id
        self.sent = len(self.messages)
        self.steps, self._shortened = (), {}

    def cut(self, position: int) -> None:
        """Keep the messages before a position of the whole conversation.

        No reply comes after those that are left out.
        """
        length = bisect_left(self._positions, position)
        self.size -= sum(written_bytes(message) for message in self.messages[length:])
        del self.messages[length:], self._positions[length:]
        self._told = {index: None for index in self._told if index < length}

    def compact(self, step: Compaction) -> None:
        """Let some of what the last reply knows leave, with results of its calls."""
        left = (message for start, stop in step.dropped for message in self.messages[start:stop])
        self.replies_left += sum(message.role is Role.ASSISTANT for message in left)
        gone = [self._positions[stop - 1] + 1 for _, stop in step.dropped]
        self._left_before = max(self._left_before, *gone, 0)
        # What of the known stands in the history is told by nothing any more.
        self._told = self._moved({index: None for index in self._told if index >= self.sent}, step)
        self._shortened = self._moved(self._shortened, step)
        self._positions, sent = step.positions(self._positions), len(step.keep(range(self.sent), -1))
        self.messages, self.sent, self._standing = step.apply(self.messages), sent, 0
        self.size = sum(written_bytes(message) for message in self.messages)
        self.steps = (*self.steps, step)

    def _moved(self, indices: Collection[int], step: Compaction) -> dict[int, None]:
        """Return where messages stand after a step, as far as they do."""
        return {to: None for to, index in enumerate(step.keep(range(len(self.messages)), -1)) if index in indices}

    def shorten(self, index: int, message: Message) -> None:
        """Tell the model less than a tool came to, in a message that no reply knows yet."""
        self.size += written_bytes(message) - written_bytes(self.messages[index])
        self.messages[index] = message
        self._shortened[index] = None

    def unanswered(self) -> tuple[ToolCallPart, ...]:
        """Return the tool calls of the last reply that have no result here."""
        if not self.sent:
            return ()
        since = (part for message in self.messages[self.sent :] for part in message.parts)
        answered = [part.call_id for part in since if isinstance(part, ToolResultPart)]
        return tuple(call for call in self.messages[self.sent - 1].tool_calls if call.id not in answered)

    @property
    def has_unsent(self) -> bool:
        """Whether there is something that the last reply does not know."""
        return self.sent < len(self.messages)

    def tail(self) -> tuple[Message, ...]:
        """Return what the last reply does not know.

        Large parts that the history already has are references.
        """
        room = policy.TAIL_BYTES
        tail: list[Message] = []
        for index in range(self.sent, len(self.messages)):
            parts: list[Part] = []
            for position, part in enumerate(self.messages[index].parts):
                written = part.model_dump_json().encode()
                search = self._texts.get(part.text, "") if isinstance(part, TextPart) else ""
                least = policy.TAIL_PASSAGES_BYTES if search or _is_search(part) else policy.TAIL_PART_BYTES
                if (search or self._stands_elsewhere(index, part)) and len(written) > min(least, room):
                    call_id = part.call_id if isinstance(part, ToolResultPart) else ""
                    digest = part_digest(written)
                    parts.append(
                        PartRef(message=index, part=position, call_id=call_id, search_id=search, digest=digest)
                    )
                else:
                    room -= len(written)
                    parts.append(part)
            tail.append(self.messages[index].model_copy(update={"parts": tuple(parts)}))
        return tuple(tail)

    def _stands_elsewhere(self, index: int, part: Part) -> bool:
        """Return whether the history has the part already.

        It may stand in the run's input, be what a chat was told, or the output of a tool or a nested run.
        """
        if index in self._shortened:
            return False
        stands = index < self._standing or index in self._told
        return stands or (isinstance(part, ToolResultPart) and not part.is_error)

    def page(self, query: TranscriptQuery) -> TranscriptPage:
        """Return as many of the messages asked for as fit."""
        page: list[Message] = []
        size = 0
        for message in self.messages[query.start : query.stop]:
            size += written_bytes(message)
            if page and size > query.max_bytes:
                break
            page.append(message)
        return TranscriptPage(head=self.head if query.start == 0 else None, messages=tuple(page))

    def unsent_errors(self, stop: int | None = None) -> tuple[ToolResultPart, ...]:
        """Return errors of tool calls that the model has not been told.

        They may stand nowhere else in the history.

        Args:
            stop: Up to which message. None: of all.
        """
        unsent = (part for message in self.messages[self.sent : stop] for part in message.parts)
        return tuple(part for part in unsent if isinstance(part, ToolResultPart) and part.is_error)


def _is_search(part: Part) -> bool:
    return isinstance(part, ToolResultPart) and part.passages > 0


def after_last_reply(messages: Sequence[Message]) -> int:
    """Return how many messages there are up to the last one of the model."""
    replies = (index for index in reversed(range(len(messages))) if messages[index].role is Role.ASSISTANT)
    return next((index + 1 for index in replies), 0)
