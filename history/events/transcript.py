"""One agent's messages as the history tells them.

Pure: no I/O, and nothing that the history does not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ...contracts.head import Head
from ...contracts.message import Message, Part, PartRef, Role, TextPart, ToolCallPart, ToolResultPart
from ...contracts.model import Model
from ...contracts.prompt_hash import chain_link, chain_start, prompt_hash
from ...contracts.wire.memory.compaction import Compaction
from ...contracts.wire.model_call import ModelCall, ModelReply, StopReason
from ...contracts.wire.run import Carried, Rejected
from ...workflows.agent.transcript import after_last_reply


class _Chain:
    """The values of a hash's chain, message by message.

    So every message is hashed once, however many prompts it stands in.
    """

    def __init__(self) -> None:
        self._head: Head | None = None
        self._links: list[tuple[Message, str]] = []

    def after(self, head: Head, messages: Sequence[Message]) -> str:
        """Return the chain's value after these messages."""
        if self._head is not head:
            self._head, self._links = head, []
        for place, (message, (linked, _)) in enumerate(zip(messages, self._links, strict=False)):
            # Another one was put in its place since.
            if message is not linked:
                del self._links[place:]
                break
        chain = self._links[-1][1] if self._links else chain_start(head)[0]
        for message in messages[len(self._links) :]:
            chain, _ = chain_link(chain, message)
            self._links.append((message, chain))
        return self._links[len(messages) - 1][1] if messages else chain_start(head)[0]


@dataclass(frozen=True, slots=True)
class SentPrompt:
    """Everything that one model call sent, rebuilt from the history."""

    head: Head
    messages: tuple[Message, ...]
    model: Model
    _chain: _Chain = field(default_factory=_Chain, repr=False, compare=False)

    @property
    def hash(self) -> str:
        """Equals `ModelReply.prompt_hash` where the prompt is the one that was sent."""
        return prompt_hash(self._chain.after(self.head, self.messages), self.model)

    def beyond(self, earlier: SentPrompt) -> tuple[Message, ...]:
        """Return the messages that an earlier prompt of the same transcript did not have."""
        known = {id(message) for message in earlier.messages}
        return tuple(message for message in self.messages if id(message) not in known)


@dataclass(frozen=True, slots=True)
class AskedCall:
    """A tool call of the last reply."""

    part: ToolCallPart
    turn: int
    at: datetime


class RebuiltTranscript:
    """Grows by model calls, replies and tool results, in the order of the history."""

    def __init__(
        self,
        head: Head,
        messages: Iterable[Message],
        *,
        choice: int = 0,
        rejected: Iterable[Rejected] = (),
        known: int | None = None,
        asks: bool = False,
    ) -> None:
        self.head = head
        self.messages = list(messages)
        """Those that the next prompt has, as far as the history tells."""
        self.choice = choice
        """Place in `Model.choices` of the model in use."""
        self.instead: Model | None = None
        """The model that is called in place of that, as a budget is not enough for it."""
        self.failure = ""
        """Why the last model call failed for good, empty after one that did not."""
        self.calls: dict[str, AskedCall] = {}
        """Tool calls of the last reply, by id."""
        self.rejected = list(rejected)
        """Answers that were wrong."""
        self._asks = asks
        """Whether the last message is what is asked now, and no call has told it yet."""
        self._begins_known = known
        """How many of those that an execution begins with the last reply knows. None: those up to it."""
        self._taken_over = 0
        self._results: dict[str, ToolResultPart] = {}
        self._sent: dict[int, tuple[list[Message], int, int, Model | None]] = {}
        self._chain = _Chain()
        self._at_reply: tuple[list[Message], int] | None = None
        """The prompt as the last reply left it, and how many messages it had then; None before there is one. What
        leaves the prompt is said of these."""
        self._steps = 0
        """By how many steps it was shortened since, as far as that was told."""
        self._whole = list(self.messages)
        """All messages, those that left the prompt too."""
        self._answered: int | None = None
        """How many of all there were with the last reply; None before there is one."""

    @classmethod
    def resumed(cls, head: Head, carried: Carried) -> RebuiltTranscript:
        """Return what an execution begins with that goes on from another."""
        messages, known = carried.messages, carried.known
        return cls(head, messages, choice=carried.choice, rejected=carried.rejected, known=known)

    def take_over(self, messages: Sequence[Message]) -> None:
        """Take in a page of the conversation that this one continues, before all else."""
        for known in (self.messages, self._whole):
            known[self._taken_over : self._taken_over] = messages
        self._taken_over += len(messages)

    def go_on(self, begins: RebuiltTranscript) -> None:
        """Take in what a further execution begins with: what is in the prompt still."""
        self.messages, self._at_reply, self._begins_known = begins.messages, None, begins._begins_known

    def recalled(self, message: Message) -> None:
        """Take in what is told before what is asked now, where that is known already."""
        if self._asks:
            for known in (self.messages, self._whole):
                known.insert(len(known) - 1, message)

    def sent(self, call: ModelCall, found: Mapping[str, str], told: Mapping[str, Part]) -> None:
        """Take in a model call: everything that the model is told from now on.

        Args:
            call: The call.
            found: What searches found that no model asked for, by the ids of their activities.
            told: Parts of what a chat was told, by their digests.
        """
        answered, self._asks = self._begun_with(), False
        tail = [self._resolved(message, found, told) for message in call.tail]
        if call.compactions:
            self.messages = self._shortened(call)
        left = self._left_untold(answered, self.messages[: call.base], tail)
        unanswered = (message for step in (*call.earlier, *call.compactions) for message in step.unanswered)
        left += [self._resolved(message, found, told) for message in unanswered]
        self.messages[call.base :] = tail
        whole = [*left, *_uncut(tail, call, found, told)]
        self._whole[answered:] = [self._untouched(message) for message in whole]
        self.choice = call.choice
        self.failure = ""
        self.instead = call.instead
        self._sent[call.turn] = (self.messages, len(self.messages), call.choice, call.instead)

    def replied(self, reply: ModelReply, turn: int, at: datetime) -> None:
        """Take in the model's answer."""
        self.messages.append(reply.message)
        self._whole.append(reply.message)
        self._at_reply = (self.messages, len(self.messages))
        self._answered, self._steps = len(self._whole), 0
        self.calls = {part.id: AskedCall(part, turn, at) for part in reply.message.tool_calls}
        self._results = {}
        if reply.output_errors and not reply.message.tool_calls and reply.stop is not StopReason.REFUSAL:
            self.rejected.append(Rejected(text=reply.message.text, reasons=reply.output_errors))

    def begin_now(self, call_id: str, at: datetime) -> None:
        """Take in that a call waited for a person until now."""
        if asked := self.calls.get(call_id):
            self.calls[call_id] = replace(asked, at=at)

    def answered(self, result: ToolResultPart) -> bool:
        """Take in the result of a call; return False where it is known or not asked for."""
        if result.call_id not in self.calls or result.call_id in self._results:
            return False
        self._results[result.call_id] = result
        return True

    def unreported(self) -> list[ToolResultPart]:
        """Take in and return results that only the prompt of the next call tells."""
        told = [part for message in self._since_reply() for part in message.parts if isinstance(part, ToolResultPart)]
        return [part for part in told if self.answered(part)]

    def snapshot(self) -> tuple[Message, ...]:
        """Return all messages so far, with results that the model has not been told yet."""
        told = {part.call_id for m in self._since_reply() for part in m.parts if isinstance(part, ToolResultPart)}
        untold = (self._results[call_id] for call_id in self.calls if call_id in self._results and call_id not in told)
        return (*self._whole, *(Message(role=Role.TOOL, parts=(result,)) for result in untold))

    def prompt(self, turn: int) -> SentPrompt:
        """Return what a turn's model call sent; the last call, after a fallback.

        Raises:
            KeyError: The history tells of no such call.
        """
        messages, length, choice, instead = self._sent[turn]
        return SentPrompt(self.head, tuple(messages[:length]), instead or self.head.model.choices[choice], self._chain)

    def has_sent(self, turn: int) -> bool:
        """Return whether there is a prompt of that turn."""
        return turn in self._sent

    def to_sum_up(self, call: ModelCall) -> list[Message]:
        """Return what a call for a summary of its first messages sent."""
        self._begun_with()
        tail = [self._resolved(message, {}, {}) for message in call.tail]
        return [*self._shortened(call)[: call.base], *tail]

    def asked_alone(self, call: ModelCall, messages: list[Message]) -> None:
        """Take in a call whose prompt is no part of any conversation."""
        self.messages = messages
        self._sent[call.turn] = (messages, len(messages), call.choice, call.instead)

    def new_steps(self, call: ModelCall) -> tuple[Compaction, ...]:
        """Return the steps by which the prompt was shortened that are news."""
        steps = (*call.earlier, *call.compactions)
        known, self._steps = self._steps, len(steps)
        return steps[known:]

    def _shortened(self, call: ModelCall) -> list[Message]:
        """Return what is left in the prompt of what the last reply knows."""
        if self._at_reply is None:
            self._at_reply = (self.messages, self._until_reply(self.messages))
        known, length = self._at_reply
        messages = known[:length]
        for step in call.compactions:
            messages = step.apply(messages)
        return messages

    def _begun_with(self) -> int:
        """Return how many of all messages there were with the last reply.

        Of what this begins with, results of its calls are as known as any.
        """
        if self._answered is None:
            self._answered = self._until_reply(self._whole)
            begun = (part for message in self._whole[self._answered :] for part in message.parts)
            self._results |= {part.call_id: part for part in begun if isinstance(part, ToolResultPart)}
        return self._answered

    def _until_reply(self, messages: Sequence[Message]) -> int:
        return after_last_reply(messages) if self._begins_known is None else self._begins_known

    def _left_untold(self, answered: int, known: Sequence[Message], tail: Sequence[Message]) -> list[Message]:
        """Return results that left with their calls before the model was told them."""
        calls = [call.id for message in self._whole[:answered][-1:] for call in message.tool_calls]
        if not calls or (known and calls == [call.id for call in known[-1].tool_calls]):
            return []
        told = _results_of(tail)
        left = [message for message in self._whole[answered:] if _results_of([message]) - told]
        untold = (self._results[call_id] for call_id in calls if call_id in self._results)
        missing = [result for result in untold if result.call_id not in told | _results_of(left)]
        return [*left, *(Message(role=Role.TOOL, parts=(result,)) for result in missing)]

    def _untouched(self, message: Message) -> Message:
        """Return a message with all that its tools returned."""
        parts = tuple(self._results.get(p.call_id, p) if isinstance(p, ToolResultPart) else p for p in message.parts)
        return message if parts == message.parts else message.model_copy(update={"parts": parts})

    def _since_reply(self) -> list[Message]:
        since: list[Message] = []
        for message in reversed(self.messages):
            if message.role is Role.ASSISTANT:
                break
            since.append(message)
        return since[::-1]

    def _resolved(self, message: Message, found: Mapping[str, str], told: Mapping[str, Part]) -> Message:
        if not any(isinstance(part, PartRef) for part in message.parts):
            return message
        return message.model_copy(update={"parts": tuple(self._known(part, found, told) for part in message.parts)})

    def _known(self, part: Part, found: Mapping[str, str], told: Mapping[str, Part]) -> Part:
        if not isinstance(part, PartRef):
            return part
        if part.digest in told:
            return told[part.digest]
        if part.search_id in found:
            return TextPart(text=found[part.search_id])
        if part.call_id in self._results:
            return self._results[part.call_id]
        if part.message < len(self.messages) and part.part < len(self.messages[part.message].parts):
            return self.messages[part.message].parts[part.part]
        return part


def _uncut(
    tail: Sequence[Message], call: ModelCall, found: Mapping[str, str], told: Mapping[str, Part]
) -> Iterator[Message]:
    """Yield what a model was told since its last reply, with all that was said."""
    whole = {(ref.message - call.base, ref.part): told[ref.digest] for ref in call.cut if ref.digest in told}
    searched = (ref for ref in call.cut if ref.search_id in found)
    whole |= {(ref.message - call.base, ref.part): TextPart(text=found[ref.search_id]) for ref in searched}
    for index, message in enumerate(tail):
        parts = tuple(whole.get((index, place), part) for place, part in enumerate(message.parts))
        yield message if parts == message.parts else message.model_copy(update={"parts": parts})


def _results_of(messages: Iterable[Message]) -> set[str]:
    return {part.call_id for message in messages for part in message.parts if isinstance(part, ToolResultPart)}
