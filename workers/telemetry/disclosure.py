"""What people and models say, as far as it may leave in spans. Does no I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from typing import Any, Final, Literal

from pydantic import JsonValue

from ...contracts.message import (
    FilePart,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from ...contracts.text import encodable, forms_of_secret, plural
from .masks import masked

Capture = Literal["off", "on", "redacted"]
"""What is sent of what was said: nothing; all of it; all but what names a person or opens a door."""

MOST_CHARS: Final = 60_000
"""Of one attribute. What is longer is cut; of a prompt the oldest messages go first."""

_MASKED_BEYOND: Final = 5_000
"""Characters that are looked at beyond what is kept, so that nothing is cut before it is known for a secret."""
_SHORTEST_SECRET: Final = 6
_MOST_KNOWN_CHARS: Final = 10_000_000


class Disclosure:
    """Says what may leave.

    Args:
        capture: How much of what was said.
        secrets: Texts that never leave, such as the worker's own keys.
    """

    def __init__(self, capture: Capture = "off", secrets: Iterable[str] = ()) -> None:
        self.is_on = capture != "off"
        self._is_masked = capture == "redacted"
        known = {form for one in secrets if len(one) >= _SHORTEST_SECRET for form in _forms(one)}
        # The longest first: one may be part of another.
        words = sorted(known, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, words))) if words else None
        self._known: dict[int, tuple[Message, tuple[str, ...]]] = {}
        self._known_chars = 0

    def safe(self, text: str, most: int = MOST_CHARS) -> str:
        """Return a text as it may leave, cut to what a backend takes.

        Args:
            text: The text.
            most: Characters that are kept of it.
        """
        kept = self._masked(text[: most + _MASKED_BEYOND])
        if len(kept) <= most and len(text) <= most + _MASKED_BEYOND:
            return kept
        return f"{kept[:most]} … ({len(text) - most:,} more characters)"

    def value(self, value: JsonValue) -> str:
        """Return a value as text: a text as it is, everything else as JSON."""
        if value is None:
            return ""
        if isinstance(value, str):
            return self.safe(value)
        written = _json_text(value)
        # What is cut is no JSON any more: its values need not be looked at one by one.
        if len(written) > MOST_CHARS:
            return self.safe(written)
        return self.safe(_json_text(self._cleaned(value)))

    def messages(self, messages: Sequence[Message], finish: str = "") -> str:
        """Return messages as the GenAI conventions write them, as JSON.

        Each result of a tool is a message of its own: tools that read one with several show the last alone.

        Args:
            messages: The oldest first. Where they are too long, the oldest are left out.
            finish: Why the model ended there, of its answer.

        Source: OpenTelemetry semantic conventions for generative AI, `gen_ai.input.messages`.
        """
        left, kept = MOST_CHARS, list[str]()
        written = (one for message in reversed(messages) for one in reversed(self._messages_of(message, finish)))
        for one in written:
            left -= len(one)
            if left < 0 and kept:
                break
            kept.append(one)
        return f"[{','.join(reversed(kept))}]"

    def _messages_of(self, message: Message, finish: str) -> tuple[str, ...]:
        # Each prompt has the messages of the one before it.
        known = self._known.get(id(message))
        if known and known[0] is message and not finish:
            return known[1]
        ending = {"finish_reason": finish} if finish else {}
        split = ({"role": role, "parts": [*self._written(parts)], **ending} for role, parts in _split(message))
        written = tuple(json.dumps(one, ensure_ascii=False) for one in split)
        if not finish:
            self._keep(message, written)
        return written

    def _keep(self, message: Message, written: tuple[str, ...]) -> None:
        self._forget(id(message))
        self._known[id(message)] = (message, written)
        self._known_chars += sum(map(len, written))
        while self._known_chars > _MOST_KNOWN_CHARS:
            self._forget(next(iter(self._known)))

    def _forget(self, known_as: int) -> None:
        _, written = self._known.pop(known_as, (None, ()))
        self._known_chars -= sum(map(len, written))

    def instructions(self, text: str) -> str:
        """Return what stands before a conversation as the conventions write it, as JSON."""
        return json.dumps([{"type": "text", "content": self.safe(text)}], ensure_ascii=False)

    def _written(self, parts: Sequence[Part]) -> Iterator[dict[str, Any]]:
        room = MOST_CHARS
        for index, part in enumerate(parts):
            if room <= 0:
                yield {"type": "text", "content": f"({plural(len(parts) - index, 'more part')})"}
                return
            said = self._part(part, room)
            room -= len(json.dumps(said, ensure_ascii=False))
            yield said

    def _part(self, part: Part, most: int) -> dict[str, Any]:
        match part:
            case TextPart():
                return {"type": "text", "content": self.safe(part.text, most)}
            case ReasoningPart():
                return {"type": "reasoning", "content": self.safe(part.text, most)}
            case ToolCallPart():
                fits = len(_json_text(part.arguments)) <= most
                arguments = self._cleaned(part.arguments) if fits else "(too long)"
                return {"type": "tool_call", "id": part.id, "name": self.safe(part.name), "arguments": arguments}
            case ToolResultPart():
                content = self.safe(part.content, most)
                return {"type": "tool_call_response", "id": part.call_id, "response": content}
            case ImagePart() | FilePart() if part.url:
                modality = "image" if isinstance(part, ImagePart) else "document"
                uri = self.safe(part.url, most)
                return {"type": "uri", "modality": modality, "mime_type": part.media_type, "uri": uri}
            case ImagePart() | FilePart():
                return {"type": "text", "content": f"({part.media_type}, left out)"}
            case _:
                return {"type": part.kind}

    def _cleaned(self, value: JsonValue) -> JsonValue:
        """Return a value as it may leave, of the same shape.

        Masked as text, it could be no JSON any more.
        """
        match value:
            case str():
                return self._masked(value)
            case bool() | None:
                return value
            case int() | float():
                if not isfinite(value):
                    return str(value)
                written = str(value)
                shown = self._masked(written)
                return value if shown == written else shown
            case list():
                return [self._cleaned(one) for one in value]
            case dict():
                return {self._masked(key): self._cleaned(one) for key, one in value.items()}

    def _masked(self, text: str) -> str:
        # A database of PostgreSQL takes no zero characters.
        text = encodable(text).replace("\0", "\N{REPLACEMENT CHARACTER}")
        if self._secrets:
            text = self._secrets.sub("[secret]", text)
        return masked(text) if self._is_masked else text


def _json_text(value: JsonValue) -> str:
    # Not by pydantic, which refuses what is no Unicode.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret as it is, and as it is quoted.

    Also within JSON that is itself quoted.
    """
    for form in forms_of_secret(secret):
        yield form
        yield json.dumps(form)[1:-1]


def _split(message: Message) -> Iterator[tuple[str, Sequence[Part]]]:
    results = [part for part in message.parts if isinstance(part, ToolResultPart)]
    yield from (("tool", (part,)) for part in results)
    others = [part for part in message.parts if not isinstance(part, ToolResultPart)]
    if others or not results:
        yield message.role.value, others
