"""Reads a transcript as a question and what was done about it so far."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from ....contracts.errors import InvalidRequest
from ....contracts.message import (
    CitationPart,
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from .citing.search_result import FoundPassage, passages_alone, read_passages

_LABEL: Final = re.compile(r"^\s*question:\s*(?=\S)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PastCall:
    """A tool call and what came of it."""

    tool: str
    arguments: dict[str, JsonValue]
    content: str
    is_error: bool
    passages: tuple[FoundPassage, ...] = ()
    """What it found, where it was the search of a collection."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """The last question of a transcript."""

    question: str
    calls: tuple[PastCall, ...]
    """Calls made for this question, in order, those that failed too."""
    history: tuple[Message, ...]
    """What was said before and with the question: text alone, of users and the assistant."""
    given: tuple[FoundPassage, ...] = ()
    """Passages that were found before it was asked, and stand beside the question."""


def read_exchange(messages: Sequence[Message]) -> Exchange:
    """Return the last question, its tool calls, and the conversation as text.

    Raises:
        InvalidRequest: A part cannot be read by a model of text.
    """
    asked = max((i for i, message in enumerate(messages) if message.role is Role.USER), default=0)
    results = {r.call_id: r for message in messages[asked:] for r in message.parts if isinstance(r, ToolResultPart)}
    calls = tuple(
        _past_call(call, results[call.id])
        for message in messages[asked:]
        for call in message.tool_calls
        if call.id in results
    )
    history = tuple(said for message in messages[: asked + 1] if (said := _said(message)).parts)
    for result in results.values():
        _only_text(result.attachments)
    question, given = _asked(messages[asked]) if messages else ("", ())
    if given and question:
        return Exchange(question, calls, history, given)
    return Exchange(history[-1].text if history else "", calls, history)


def _asked(message: Message) -> tuple[str, tuple[FoundPassage, ...]]:
    """Return what is asked beside the passages of a message, and these."""
    given: list[FoundPassage] = []
    rest: list[str] = []
    for part in message.parts if message.role is Role.USER else ():
        if isinstance(part, TextPart):
            passages = passages_alone(part.text)
            given += passages
            rest += () if passages else (part.text,)
    text = "\n".join(rest).strip()
    # What a template says before it tells how to answer, and is not looked for.
    labelled = _LABEL.search(text)
    return (text[labelled.end() :] if labelled else text).strip(), tuple(given)


def _past_call(call: ToolCallPart, result: ToolResultPart) -> PastCall:
    passages = read_passages(result.content, result.passages)
    return PastCall(call.name, call.arguments, result.content, result.is_error, passages)


def _said(message: Message) -> Message:
    parts = () if message.role is Role.TOOL else _only_text(message.parts)
    text = "\n".join(part.text for part in parts if part.text)
    return Message(role=message.role, parts=(TextPart(text=text),) if text else ())


def _only_text(parts: Sequence[Part]) -> tuple[TextPart, ...]:
    texts = []
    for part in parts:
        if isinstance(part, TextPart):
            texts.append(part)
        elif isinstance(part, ImagePart | FilePart):
            raise InvalidRequest(
                f"the local model reads text, not a part of kind {part.kind!r} ({part.media_type}): use another model"
            )
        elif not isinstance(part, CitationPart | ReasoningPart | OpaquePart | ToolCallPart | ToolResultPart):
            raise InvalidRequest(f"the local model cannot read a part of kind {part.kind!r}")
    return tuple(texts)
