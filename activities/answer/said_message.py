"""What a model said, as a history can hold it."""

from __future__ import annotations

import json

from ...contracts import limits
from ...contracts.message import CitationPart, Message, OpaquePart, Part, ReasoningPart, ToolCallPart
from ...contracts.text import cut, encodable
from .lenient_json import json_object, with_text_alone


def with_own_ids(message: Message, index: int) -> Message:
    """Give the calls ids that are unique in the transcript.

    They mean the same to every provider.
    """
    calls = iter(range(len(message.parts)))
    return message.model_copy(
        update={
            "parts": tuple(
                part.model_copy(update={"id": f"call_{index}_{next(calls)}"})
                if isinstance(part, ToolCallPart)
                else part
                for part in message.parts
            )
        }
    )


def with_json_alone(message: Message) -> Message:
    """Leave out what a model said around the JSON that it was asked for."""
    found = None if message.tool_calls else json_object(message.text)
    return message if found is None else with_text_alone(message, found)


def writable(message: Message) -> Message:
    """Return the message as a history can hold it, and be read from.

    It has a mark in place of what is not Unicode, such as half an emoji, and arguments that are nested too deeply as
    the text that they are.
    """
    message = message.model_copy(update={"parts": tuple(part for part in map(_shallow, message.parts) if part)})
    # Not by pydantic: it writes a key that is no Unicode as something else, and says nothing.
    written = json.dumps(message.model_dump(), ensure_ascii=False)
    text = encodable(written)
    return message if text == written else Message.model_validate_json(text)


def _shallow(part: Part) -> Part | None:
    if isinstance(part, ToolCallPart) and limits.is_too_deep(part.arguments):
        written = cut(json.dumps(part.arguments, ensure_ascii=False), limits.MAX_REASON_CHARS)
        return part.model_copy(update={"arguments": {}, "malformed": written})
    if isinstance(part, CitationPart | ReasoningPart | OpaquePart) and limits.is_too_deep(part.data):
        return None
    return part
