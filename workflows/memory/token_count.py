"""How many tokens each part of a prompt has, as its provider has counted them.

With each reply a provider tells how many tokens the whole prompt had. What was new in it had those that it had more
than the one before; within that, parts share by their length.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from ...contracts.control.usage import Usage
from ...contracts.head import Head
from ...contracts.limits import written_bytes
from ...contracts.message import FilePart, ImagePart, Message, Part, ToolResultPart
from ...contracts.wire.memory.compaction import Compaction
from ...contracts.wire.run import Counted

UNCOUNTED_BYTES: Final = 4
"""Bytes of a token, until a provider has counted any."""
_MARGIN: Final = 1.25
"""What is new in a prompt may be denser than anything that was counted."""
_LEAST_TELLING_BYTES: Final = 512
"""Of what is shorter the density tells nothing: something stands around each message."""
_AROUND_TOKENS: Final = 16
"""An answer has about so many more as a message of the next prompt: something stands around each."""
STUB_TOKENS: Final = 100
"""Most tokens of what is told in place of a result of a tool."""
_PICTURE_BYTES: Final = 6_400
"""A picture has about as many tokens as so much text."""
_DOCUMENT_BYTES: Final = 120_000
"""A document has no more than so much, as a rule."""


def weight(message: Message) -> int:
    """Return how many bytes of text have about as many tokens as a message."""
    return written_bytes(message) + sum(map(_blob_weight, message.parts))


def _blob_weight(part: Part) -> int:
    if isinstance(part, ToolResultPart):
        return sum(map(_blob_weight, part.attachments))
    if not isinstance(part, ImagePart | FilePart):
        return 0
    data = len(part.data or "")
    # Of its bytes, of which its base64 has a third more, few are text where it is long.
    return (_PICTURE_BYTES if isinstance(part, ImagePart) else min(data * 3 // 4, _DOCUMENT_BYTES)) - data


class TokenCount:
    """Tokens of the head, and of each message that the last reply knows.

    Args:
        counted: What an earlier execution knew.
        is_detailed: Whether the next execution is to know it of each message.
    """

    def __init__(self, counted: Counted | None = None, *, is_detailed: bool = False) -> None:
        counted = counted or Counted()
        self._is_detailed = is_detailed
        self.model = counted.model
        """`provider/model` that counted them."""
        self.total = counted.tokens
        """All of them, at most; 0 where nobody has told."""
        self.head = float(counted.head)
        self.messages = [float(tokens) for tokens in counted.messages]
        """Those of each message that the last reply knows, at most."""
        self._loose = [*counted.loose]
        """Messages of which nobody has told them yet: they took the place of others."""
        self._density = counted.density

    @property
    def counted(self) -> Counted:
        """It as the next execution is given it."""
        return Counted(
            tokens=self.total,
            model=self.model,
            head=math.ceil(self.head),
            messages=tuple(map(math.ceil, self.messages)) if self._is_detailed else (),
            density=round(self._density, 3),
            loose=tuple(self._loose) if self._is_detailed else (),
        )

    def replied(self, model: str, usage: Usage, head: Head, messages: Sequence[Message]) -> None:
        """Take in what a provider counted.

        Args:
            model: Who.
            usage: How many tokens the prompt and the answer had.
            head: What stood before the messages.
            messages: All that were sent, without the answer.
        """
        if not usage.input_tokens:
            self.total, self.head, self.messages, self._loose = 0, 0.0, [], []
            return
        new = [*self._loose, *range(len(self.messages), len(messages))]
        self.messages += [0.0] * (len(messages) - len(self.messages))
        weights = [weight(messages[index]) for index in new]
        bare = 0 if self.head else written_bytes(head)
        fixed = self.head + sum(self.messages) - sum(self.messages[index] for index in new)
        left = usage.input_tokens - fixed
        if self.model not in ("", model) or left < 0:
            # It counts otherwise than whoever counted before.
            shares = sum(weights) * max(self._density, 1 / UNCOUNTED_BYTES)
            part = usage.input_tokens / max(fixed + shares, 1)
            self.head *= part
            self.messages = [tokens * part for tokens in self.messages]
            left = shares * part
        # A token has at least one byte: what is told beyond that stands before the messages, unseen by us.
        each = min(max(left, 0.0) / max(sum(weights) + bare, 1), 1.0)
        self.head += each * bare + max(left - each * (sum(weights) + bare), 0.0)
        for index, size in zip(new, weights, strict=True):
            self.messages[index] = each * size
        if sum(weights) >= _LEAST_TELLING_BYTES and not bare:
            self._density = max(self._density, min(each, 1.0))
        self.messages.append(float(usage.output_tokens + _AROUND_TOKENS))
        self.model, self.total, self._loose = model, usage.total_tokens, []

    def compacted(self, step: Compaction, messages: Sequence[Message], told: int) -> None:
        """Take in what left the prompt.

        Args:
            step: What did.
            messages: Those that the last reply knows, as they are now.
            told: Most tokens of what is told in its place.
        """
        if not self.total:
            # Nobody has counted any.
            return
        cleared = frozenset(step.cleared)
        is_loose = step.keep([index in self._loose for index in range(len(self.messages))], told=True)
        self.messages = step.keep(self.messages, float(told))
        self._loose = [index for index, loose in enumerate(is_loose) if loose]
        for index, message in enumerate(messages):
            stubs = [part for part in message.parts if isinstance(part, ToolResultPart) and part.call_id in cleared]
            if stubs:
                self.messages[index] = min(self.messages[index], float(STUB_TOKENS * len(stubs)))
                self._loose = sorted({*self._loose, index})
        self.total = math.ceil(self.head + sum(self.messages))

    def known(self, head: Head, messages: Sequence[Message]) -> tuple[float, list[float]]:
        """Return the tokens of the head, and of each message that the last reply knows.

        Args:
            head: What stands before them.
            messages: Those messages.
        """
        if self.total and len(self.messages) == len(messages):
            return self.head, self.messages
        bare, weights = written_bytes(head), [weight(message) for message in messages]
        each = self.total / max(sum(weights) + bare, 1) if self.total else 1 / UNCOUNTED_BYTES
        known = (each * bare, [each * size for size in weights])
        if self.total:
            self.head, self.messages = known
        return known

    def of_new(self, messages: Sequence[Message]) -> float:
        """Return about how many tokens messages have that nobody has counted."""
        return sum(map(weight, messages)) * self.per_new_byte

    @property
    def per_new_byte(self) -> float:
        """Tokens of a byte of what is new.

        They are somewhat more than of anything that was counted, and than of text.
        """
        return min(max(self._density, 1 / UNCOUNTED_BYTES) * _MARGIN, 1.0)
