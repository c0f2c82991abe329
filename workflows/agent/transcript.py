"""The workflow's own transcript: what the model was told and is yet to be told."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from ...contracts.head import Head
from ...contracts.limits import written_bytes
from ...contracts.message import Message, Part, PartRef, Role, TextPart, ToolCallPart, ToolResultPart
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
        known: How many of them the last reply knows. None: those up to it.
        cut: Parts behind those of which the model is told less, each with the digest of the whole.
        earlier: What left them since that reply.
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
        known: int | None = None,
        cut: Iterable[PartRef] = (),
        earlier: tuple[Compaction, ...] = (),
    ) -> None:
        self.head = head
        self.messages: list[Message] = list(messages)
        self.after = after
        """Id of the last reply."""
        # The last reply may have left the prompt itself.
        self.sent = after_last_reply(self.messages) if known is None else known
        self.steps: tuple[Compaction, ...] = ()
        """What left the prompt since the last reply, in this execution."""
        self.earlier = earlier
        """The same, in executions before."""
        self._positions = list(kept.positions if kept else range(len(self.messages)))
        self._left_before = kept.left_before if kept else 0
        self.replies_left = kept.replies_left if kept else 0
        """How many messages of the model have left the prompt."""
        self._standing = standing
        self._told: dict[int, None] = {}
        self._cut = {(ref.message, ref.part): ref for ref in cut}
        self.tells_less = False
        """Whether something has left the prompt, or is told in part, since the conversation began."""
        self._texts = texts
        self.size = sum(written_bytes(message) for message in self.messages)
        """Bytes of all messages."""

    @property
    def count(self) -> int:
        """How many messages the conversation has, with those that left the prompt."""
        # What left last may have stood behind all that is there.
        return max(self._positions[-1] + 1 if self._positions else 0, self._left_before)

    @property
    def kept(self) -> KeptMessages | None:
        """Where in the whole conversation the messages stand; None where none has left."""
        if not self._left_before:
            return None
        return KeptMessages(
            positions=tuple(self._positions), left_before=self._left_before, replies_left=self.replies_left
        )

    @property
    def cut_parts(self) -> tuple[PartRef, ...]:
        """The parts that tell less than was said, each with the digest of the whole."""
        return tuple(self._cut.values())

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
        self.steps, self.earlier, self._cut = (), (), {}

    def cut(self, position: int) -> None:
        """Keep the messages before a position of the whole conversation.

        No reply comes after those that are left out.
        """
        length = bisect_left(self._positions, position)
        self.size -= sum(written_bytes(message) for message in self.messages[length:])
        del self.messages[length:], self._positions[length:]
        self._told = {index: None for index in self._told if index < length}
        self._cut = {(index, part): ref for (index, part), ref in self._cut.items() if index < length}

    def compact(self, step: Compaction) -> None:
        """Let some of what the last reply knows leave, with results of its calls."""
        left = (message for start, stop in step.dropped for message in self.messages[start:stop])
        self.replies_left += sum(message.role is Role.ASSISTANT for message in left)
        gone = [self._positions[stop - 1] + 1 for _, stop in step.dropped]
        self._left_before = max(self._left_before, *gone, 0)
        # What of the known stands in the history is told by nothing any more.
        self._told = self._moved({index: None for index in self._told if index >= self.sent}, step)
        places = {index: place for place, index in enumerate(step.keep(range(len(self.messages)), -1))}
        self._cut = {
            (places[index], part): ref.model_copy(update={"message": places[index]})
            for (index, part), ref in self._cut.items()
            if index in places
        }
        self._positions, sent = step.positions(self._positions), len(step.keep(range(self.sent), -1))
        self.messages, self.sent, self._standing = step.apply(self.messages), sent, 0
        self.size = sum(written_bytes(message) for message in self.messages)
        self.steps, self.tells_less = (*self.steps, step), True

    def _moved(self, indices: Collection[int], step: Compaction) -> dict[int, None]:
        """Return where messages stand after a step, as far as they do."""
        return {to: None for to, index in enumerate(step.keep(range(len(self.messages)), -1)) if index in indices}

    def shorten(self, index: int, position: int, part: Part) -> None:
        """Tell the model less than was said, or a tool came to.

        Args:
            index: Of the message, which no reply knows yet.
            position: Of the part in it.
            part: What it is told.
        """
        message = self.messages[index]
        whole = message.parts[position]
        if (index, position) not in self._cut:
            call_id = whole.call_id if isinstance(whole, ToolResultPart) else ""
            digest = part_digest(whole.model_dump_json().encode())
            search = self._texts.get(whole.text, "") if isinstance(whole, TextPart) else ""
            ref = PartRef(message=index, part=position, call_id=call_id, search_id=search, digest=digest)
            self._cut[index, position] = ref
        self.tells_less = True
        parts = (*message.parts[:position], part, *message.parts[position + 1 :])
        self.messages[index] = message.model_copy(update={"parts": parts})
        self.size += written_bytes(self.messages[index]) - written_bytes(message)

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
        cut = dict.fromkeys(index for index, _ in self._cut)
        for index in range(self.sent, len(self.messages)):
            parts: list[Part] = []
            for position, part in enumerate(self.messages[index].parts):
                written = part.model_dump_json().encode()
                search = self._texts.get(part.text, "") if isinstance(part, TextPart) else ""
                least = policy.TAIL_PASSAGES_BYTES if search or _is_search(part) else policy.TAIL_PART_BYTES
                stands = search or (index not in cut and self._stands_elsewhere(index, part))
                if stands and len(written) > min(least, room):
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
        """Return errors of tool calls in the prompt that the model has not been told.

        They may stand nowhere else in the history.

        Args:
            stop: Up to which message. None: of all.
        """
        unsent = (part for message in self.messages[self.sent : stop] for part in message.parts)
        return tuple(part for part in unsent if isinstance(part, ToolResultPart) and part.is_error)

    @property
    def left_errors(self) -> tuple[ToolResultPart, ...]:
        """Such errors that have left the prompt since the last reply."""
        return tuple(part for step in (*self.earlier, *self.steps) for part in step.untold)

    def unanswered_questions(self, stop: int) -> tuple[Message, ...]:
        """Return what was asked that no reply knows, as the history is told it.

        Args:
            stop: Up to which message.
        """
        asked = enumerate(self.tail()[: max(stop - self.sent, 0)], self.sent)
        return tuple(
            message.model_copy(
                update={"parts": tuple(self._cut.get((index, place), part) for place, part in enumerate(message.parts))}
            )
            for index, message in asked
            if message.role is Role.USER
        )


def _is_search(part: Part) -> bool:
    return isinstance(part, ToolResultPart) and part.passages > 0


def after_last_reply(messages: Sequence[Message]) -> int:
    """Return how many messages there are up to the last one of the model."""
    replies = (index for index in reversed(range(len(messages))) if messages[index].role is Role.ASSISTANT)
    return next((index + 1 for index in replies), 0)
