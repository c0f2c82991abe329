"""Conversations of any shape that an agent can have, by chance."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from sostenuto.contracts.message import Message, Role, TextPart, ToolCallPart, ToolResultPart
from sostenuto.contracts.wire.memory.compaction import Compaction
from sostenuto.workflows.memory.leaving import old_results, oldest
from sostenuto.workflows.memory.summary import STUB


class Conversation:
    """Makes messages, each of which is another one.

    Args:
        seed: By which chance.
    """

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self._calls = 0
        self._texts = 0

    def text(self) -> str:
        """Some words, few or many."""
        self._texts += 1
        return f"{self._texts} " + "word " * self.chance.choice((0, 1, 5, 40, 200, 400))

    def asked(self) -> Message:
        """What a user says."""
        return Message.user(self.text(), pinned=self.chance.random() < 0.15)

    def replied(self, *, calls: int | None = None) -> Message:
        """What a model says, with some tool calls or none."""
        wanted = self.chance.choice((0, 1, 1, 2, 3)) if calls is None else calls
        said = (TextPart(text=self.text()),) if not wanted or self.chance.random() < 0.5 else ()
        return Message(role=Role.ASSISTANT, parts=(*said, *(self._call() for _ in range(wanted))))

    def results(self, reply: Message) -> Iterator[Message]:
        """What the tools that a reply asks for come to."""
        for call in reply.tool_calls:
            part = ToolResultPart(call_id=call.id, name=call.name, content=self.text())
            yield Message(role=Role.TOOL, parts=(part,))

    def turn(self) -> Iterator[Message]:
        """A question, some steps, and an answer."""
        yield self.asked()
        if self.chance.random() < 0.1:
            yield self.asked()
        for _ in range(self.chance.choice((0, 0, 1, 4))):
            reply = self.replied(calls=self.chance.choice((1, 2)))
            yield reply
            yield from self.results(reply)
        yield self.replied(calls=0)

    def known(self) -> list[Message]:
        """What a last reply knows, that included: the results that it asks for are yet to be told."""
        turns = [message for _ in range(self.chance.randint(0, 6)) for message in self.turn()]
        return [*turns, self.asked(), *self._steps(), self.replied()]

    def _steps(self) -> Iterator[Message]:
        for _ in range(self.chance.choice((0, 0, 2, 6))):
            reply = self.replied(calls=self.chance.choice((1, 2)))
            yield reply
            yield from self.results(reply)

    def _call(self) -> ToolCallPart:
        self._calls += 1
        return ToolCallPart(id=f"call_{self._calls}", name="look", arguments={"at": self._calls})


def staying(messages: list[Message], asked: int) -> list[int]:
    """Indices of what no step lets go."""
    return [asked, *(index for index, message in enumerate(messages) if message.pinned)]


def step_of(
    conversation: Conversation, known: list[Message], asked: int, results: Sequence[Message] = ()
) -> Compaction | None:
    """A step by which a prompt may be shortened; None where nothing can leave it.

    Args:
        conversation: By whose chance.
        known: What the last reply knows.
        asked: Index of what is asked now.
        results: What came of its calls, where that is from before what is asked now.
    """
    chance = conversation.chance
    tokens = [len(message.model_dump_json()) / 4 for message in known]
    excess = chance.uniform(0.1, 0.9) * sum(tokens)
    if chance.random() < 0.3:
        cleared, _ = old_results(known, tokens, excess)
        return Compaction(strategy="clear_tools", cleared=cleared, stub=STUB) if cleared else None
    able = [*known, *results]
    tokens += [len(message.model_dump_json()) / 4 for message in results]
    dropped = oldest(able, tokens, staying(able, asked), excess, asked)
    if not dropped:
        return None
    told = chance.choice(("", f"[{conversation.text()} left.]"))
    return Compaction(strategy="window", dropped=dropped, told=told)


def is_whole(messages: list[Message]) -> bool:
    """Whether each tool call has its results right behind it, and each result its call; the last may be open."""
    index = 0
    while index < len(messages):
        calls = [call.id for call in messages[index].tool_calls]
        found: list[str] = []
        index += 1
        while index < len(messages) and messages[index].role is Role.TOOL:
            found += [part.call_id for part in messages[index].parts if isinstance(part, ToolResultPart)]
            index += 1
        if found != calls and index < len(messages):
            return False
    return True
