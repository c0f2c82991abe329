"""What people and models say, as far as it may leave in spans. Does no I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Literal

from pydantic import JsonValue
from pydantic_core import to_json

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
from ...contracts.text import encodable

Capture = Literal["off", "on", "redacted"]
"""What is sent of what was said: nothing; all of it; all but what names a person or opens a door."""

MOST_CHARS: Final = 60_000
"""Of one attribute. What is longer is cut; of a prompt the oldest messages go first."""

_MASKS: Final = (
    (
        "[private key]",
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S),
    ),
    ("[token]", re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*")),
    ("[key]", re.compile(r"\b(?:sk|pk|rk|xox[abprs]|gh[pousr]|github_pat|glpat|AKIA|AIza|hf)[-_]?[\w-]{16,}")),
    ("[password]", re.compile(r"(?i)(?<=[a-z]://)[^\s/@:]*:[^\s/@]+(?=@)")),
    ("[e-mail]", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("[IBAN]", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")),
    ("[card]", re.compile(r"\b\d(?:[ -]?\d){12,18}\b")),
    ("[phone]", re.compile(r"(?<![\w.])(?:\+|00)\d(?:[ ()/.-]{0,2}\d){6,14}(?!\w)")),
)
_SHORTEST_SECRET: Final = 6
_MOST_KNOWN: Final = 2_000


class Disclosure:
    """Says what may leave.

    Args:
        capture: How much of what was said.
        secrets: Texts that never leave, such as the worker's own keys.
    """

    def __init__(self, capture: Capture = "off", secrets: Iterable[str] = ()) -> None:
        self.is_on = capture != "off"
        self._masks = _MASKS if capture == "redacted" else ()
        known = sorted({secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}, key=len, reverse=True)
        self._known: dict[int, tuple[Message, str]] = {}
        self._secrets = re.compile("|".join(map(re.escape, known))) if known else None

    def safe(self, text: str) -> str:
        """Return a text as it may leave, cut to what a backend takes."""
        text = encodable(text)
        if self._secrets:
            text = self._secrets.sub("[secret]", text)
        for mask, pattern in self._masks:
            text = pattern.sub(mask, text)
        return (
            text if len(text) <= MOST_CHARS else f"{text[:MOST_CHARS]} … ({len(text) - MOST_CHARS:,} more characters)"
        )

    def value(self, value: JsonValue) -> str:
        """Return a value as text: a text as it is, everything else as JSON."""
        if value is None:
            return ""
        return self.safe(value if isinstance(value, str) else to_json(value, inf_nan_mode="strings").decode())

    def messages(self, messages: Sequence[Message], finish: str = "") -> str:
        """Return messages as the GenAI conventions write them, as JSON.

        Args:
            messages: The oldest first. Where they are too long, the oldest are left out.
            finish: Why the model ended there, of its answer.

        Source: OpenTelemetry semantic conventions for generative AI, `gen_ai.input.messages`.
        """
        left, kept = MOST_CHARS, list[str]()
        for message in reversed(messages):
            written = self._written(message, finish)
            left -= len(written)
            if left < 0 and kept:
                break
            kept.append(written)
        return f"[{','.join(reversed(kept))}]"

    def _written(self, message: Message, finish: str) -> str:
        # Each prompt has the messages of the one before it.
        known = self._known.get(id(message))
        if known and known[0] is message and not finish:
            return known[1]
        said: dict[str, Any] = {"role": message.role.value, "parts": [*self._parts(message.parts)]}
        if finish:
            said["finish_reason"] = finish
        written = json.dumps(said, ensure_ascii=False)
        if not finish:
            self._known[id(message)] = (message, written)
            if len(self._known) > _MOST_KNOWN:
                del self._known[next(iter(self._known))]
        return written

    def instructions(self, text: str) -> str:
        """Return what stands before a conversation as the conventions write it, as JSON."""
        return json.dumps([{"type": "text", "content": self.safe(text)}], ensure_ascii=False)

    def _parts(self, parts: Sequence[Part]) -> Iterator[dict[str, Any]]:
        for part in parts:
            match part:
                case TextPart():
                    yield {"type": "text", "content": self.safe(part.text)}
                case ReasoningPart():
                    yield {"type": "reasoning", "content": self.safe(part.text)}
                case ToolCallPart():
                    arguments = json.loads(self.value(part.arguments) or "{}") if self._fits(part) else "(too long)"
                    yield {"type": "tool_call", "id": part.id, "name": part.name, "arguments": arguments}
                case ToolResultPart():
                    yield {"type": "tool_call_response", "id": part.call_id, "response": self.safe(part.content)}
                case ImagePart() | FilePart():
                    where = {"uri": self.safe(part.url)} if part.url else {"content": "(left out)"}
                    yield {"type": "uri" if part.url else "blob", "mime_type": part.media_type, **where}
                case _:
                    yield {"type": part.kind}

    def _fits(self, part: ToolCallPart) -> bool:
        return len(to_json(part.arguments, inf_nan_mode="strings")) <= MOST_CHARS // 2
