"""What starts a chat, what its next execution is given, and its turns."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import FieldSerializationInfo, JsonValue, SerializerFunctionWrapHandler, field_serializer, field_validator

from ...contract import Contract
from ...guardrails.any_guardrail import AnyGuardrail, every_guardrail
from ...head import Head
from ...message import Message
from ...packed import unpack, written_packed
from ...specs.runnable import Runnable
from ..control.share import Portion
from ..guardrails.decision import GuardrailDecision
from ..memory.compaction import KeptMessages
from ..retrieval import Passage
from ..run import Carried, Result, Status
from ..totals import Totals


class WhenBusy(StrEnum):
    """What becomes of a message that comes while a chat answers another one."""

    QUEUE = "queue"
    """It waits for its turn."""
    INTERRUPT = "interrupt"
    """The turn under way is cancelled, and what it said is kept."""
    REJECT = "reject"
    """It is refused."""


class TurnMark(Contract):
    """Where a turn of a chat stands in what was said."""

    id: str
    """Id of its message."""
    begins: int
    """Index of its first message among all messages."""
    ends: int
    """Index after its last one. Of a turn of which nothing was kept, where it begins."""
    result: Result
    """What it came to; without its output where that is the last text in it."""
    is_last_text: bool = False
    """Whether the output is the last text in it."""


class Screened(Contract):
    """What was found in a message before it was sent."""

    decisions: tuple[GuardrailDecision, ...] = ()
    """What guardrails decided."""
    sealed: dict[str, str] = {}
    """Originals of what was redacted, as ciphertext, by placeholder."""


class SentMessage(Message):
    """A message as it is sent to a chat.

    One argument with all of it: a chat that an older worker serves takes it for the message.
    """

    screened: Screened = Screened()

    @classmethod
    def of(cls, message: Message, screened: Screened) -> SentMessage:
        """Return a message with what guardrails decided of it."""
        return cls(role=message.role, parts=message.parts, pinned=message.pinned, screened=screened)

    @property
    def message(self) -> Message:
        """The message alone."""
        return Message(role=self.role, parts=self.parts, pinned=self.pinned)


class Asked(Contract):
    """A message that a chat is yet to answer."""

    id: str
    message: Message
    screened: Screened = Screened()


class ChatInput(Contract):
    """Input of the chat workflow."""

    runnable: Runnable
    when_busy: WhenBusy = WhenBusy.QUEUE
    title: str = ""
    """Empty until the first message gives it one."""
    forked_from: str = ""
    """Id of the chat whose first turns are its own."""
    turns: tuple[TurnMark, ...] = ()
    """The turns before this execution. Packed."""
    messages: tuple[Message, ...] = ()
    """What was said in them, where `carried` does not have it. Packed."""
    passages: tuple[Passage, ...] = ()
    """What searches found in them, where `carried` does not have it. Packed."""
    kept: KeptMessages | None = None
    """Where the messages stand in the whole conversation, where some have left the prompt and `carried` does not have
    it."""
    are_left: bool = False
    """Whether what was said in those turns has left the prompt, so that the history alone has it. Of the answer to a
    `ChatForkQuery` alone."""
    waiting: tuple[Asked, ...] = ()
    """What it is yet to answer, in order."""
    carried: Carried | None = None
    """What its agent takes along when it continues as new."""
    totals: Totals = Totals()
    """What the executions before this one used."""
    model_turns: int = 0
    """Model calls that were answered in them."""
    told: dict[str, Portion] = {}
    """What each ledger was told that they spent, by its name."""
    offload: bool = False
    """Whether the client and the workers keep large payloads outside the history."""
    guardrails: tuple[AnyGuardrail, ...] = ()
    """What goes in and out has to pass beside the guardrails of the runnable: those of its app."""
    sealed: dict[str, str] = {}
    """Originals of what was redacted before this execution, as ciphertext, by placeholder. `carried` has them where it
    is there."""

    @field_serializer("runnable", "turns", "messages", "passages", mode="wrap", when_used="json")
    def _pack(self, value: Any, handler: SerializerFunctionWrapHandler, info: FieldSerializationInfo) -> Any:
        # The runnable of a chat that has just begun is for people to read.
        is_first = not (self.turns or self.carried)
        if info.field_name == "runnable" and is_first:
            return handler(value)
        return written_packed(value, handler, info)

    _unpack = field_validator("runnable", "turns", "messages", "passages", mode="before")(unpack)

    @property
    def head(self) -> Head | None:
        """What all model calls of its runnable share, as `RunInput.head`."""
        head = self.runnable.head_with(*(self.carried.mcp if self.carried else ()))
        return head.guarded(every_guardrail(self.guardrails, self.runnable.guardrails)) if head else None

    @property
    def said(self) -> tuple[Message, ...]:
        """All messages before this execution."""
        return self.carried.messages if self.carried else self.messages


class Taken(Contract):
    """That a chat has taken a message."""

    result: Result | None = None
    """What came of it, where an earlier execution answered it."""


class TurnEnd(Contract):
    """The end of a turn, as it stands in the history."""

    message_id: str
    result: Result
    """Without its output where that is the model's last text."""
    is_last_text: bool = False
    """Whether the output is the model's last text, which the history has already."""


class ChatForkQuery(Contract):
    """Asks a chat for what a fork of it begins with."""

    at: str = ""
    """Id of the message whose turn is the last one that is wanted. Empty: all."""


class ChatTurn(Contract):
    """A turn of a chat: a message and what came of it."""

    id: str
    """Id of the message."""
    message: Message
    """What was asked."""
    status: Status | None = None
    """How it ended. None while it goes on."""
    output: JsonValue = None
    """What was answered, as text or JSON; of a turn that did not complete, its last words."""
    reason: str = ""
    """Why it ended so; empty where the status tells enough."""
