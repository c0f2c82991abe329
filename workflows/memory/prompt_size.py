"""About how many tokens a prompt has, by what its provider has counted of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from ...contracts.limits import written_bytes
from ...contracts.message import FilePart, ImagePart, Message, Part, ToolResultPart
from ...contracts.model import Head
from ...contracts.wire.run import Counted

UNCOUNTED_BYTES: Final = 4
"""Bytes of a token, until a provider has counted any."""
_MARGIN: Final = 1.25
"""What is new in a prompt may be denser than what was counted."""
_PICTURE_BYTES: Final = 6_400
"""A picture has about as many tokens as so much text."""


def weight(message: Message) -> int:
    """Return how many bytes of text have about as many tokens as a message."""
    return written_bytes(message) + sum(map(_blob_weight, message.parts))


def _blob_weight(part: Part) -> int:
    if isinstance(part, ToolResultPart):
        return sum(map(_blob_weight, part.attachments))
    if not isinstance(part, ImagePart | FilePart):
        return 0
    data = len(part.data or "")
    # A document's text is about as long as the document, whose base64 is longer by a third.
    return _PICTURE_BYTES - data if isinstance(part, ImagePart) else -data // 4


@dataclass(frozen=True, slots=True)
class PromptSize:
    """About how much of a window a prompt takes."""

    head: int
    """Weight of what stands before the messages: bytes of text of as many tokens."""
    known: tuple[int, ...]
    """Weights of the messages that the last reply knows."""
    unsent: tuple[int, ...]
    """Weights of those that it does not know."""
    per_byte: float
    """Tokens of a byte."""

    @classmethod
    def of(cls, head: Head, messages: Sequence[Message], sent: int, counted: Counted) -> PromptSize:
        """Return the size of a prompt.

        Args:
            head: What stands before the messages.
            messages: All of them.
            sent: How many of them the last reply knows.
            counted: What its provider told of them.
        """
        weights = tuple(map(weight, messages))
        size = cls(written_bytes(head), weights[:sent], weights[sent:], 1 / UNCOUNTED_BYTES)
        known = size.head + sum(size.known)
        return replace(size, per_byte=counted.tokens * counted.part / known) if counted.tokens else size

    @property
    def known_tokens(self) -> float:
        """Tokens of what the last reply knows, what stands before included."""
        return self.per_byte * (self.head + sum(self.known))

    @property
    def tokens(self) -> int:
        """Tokens of all of it: what nobody has counted is taken for somewhat denser."""
        return int(self.known_tokens + self.per_byte * _MARGIN * sum(self.unsent))

    def bytes_of(self, tokens: float, *, unsent: bool = False) -> int:
        """Return how many bytes have so many tokens."""
        return int(tokens / (self.per_byte * (_MARGIN if unsent else 1)))
