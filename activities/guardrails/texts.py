"""The texts inside messages and JSON, and how they are changed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from ...contracts.contract import Contract
from ...contracts.message import (
    CitationPart,
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

Change = Callable[[str, str], str]
"""Takes a text, and the name of the field that it stands under, empty where it stands under none; returns what takes
its place."""

PartT = TypeVar("PartT", bound=Contract)
BlobT = TypeVar("BlobT", FilePart, ImagePart)

_READABLE = ("text/", "application/json", "application/xml", "application/x-yaml", "application/yaml")


def changed_json(value: Any, change: Change, field: str = "") -> Any:
    """Return JSON with its texts, names and numbers changed."""
    if isinstance(value, str):
        return change(value, field)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        # An account or a phone number may be written as one.
        written = str(value)
        changed = change(written, field)
        return value if changed == written else changed
    if isinstance(value, dict):
        return {change(name, ""): changed_json(item, change, name) for name, item in value.items()}
    return [changed_json(item, change, field) for item in value]


def changed_text(text: str, change: Change) -> str:
    """Return a text changed; JSON of an object or a list by what stands in it.

    As text it would hide what is escaped there.
    """
    if text.lstrip()[:1] in ("{", "["):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return change(text, "")
        changed = changed_json(value, change)
        return text if changed == value else json.dumps(changed, ensure_ascii=False)
    return change(text, "")


def changed_message(message: Message, change: Change) -> Message:
    """Return a message changed; the very same one where nothing was."""
    parts = changed_parts(message.parts, change)
    return message if parts == message.parts else message.model_copy(update={"parts": parts})


def changed_said(message: Message, change: Change) -> Message:
    """Return a message changed, but for the calls in it."""
    parts = tuple(
        one
        for part in message.parts
        for one in ((part,) if isinstance(part, ToolCallPart) else changed_parts((part,), change))
    )
    return message if parts == message.parts else message.model_copy(update={"parts": parts})


def changed_parts(parts: Iterable[Part], change: Change) -> tuple[Any, ...]:
    """Return parts of a message changed.

    A model's thinking is left out where it would have to be changed: its provider takes it back as it was, or not at
    all.
    """
    changed = (_changed_part(part, change) for part in parts)
    return tuple(part for part in changed if part is not None)


def _changed_part(part: Part, change: Change) -> Part | None:
    match part:
        case TextPart():
            return _with(part, text=changed_text(part.text, change))
        case FilePart():
            return _with(_changed_blob(part, change), name=change(part.name, ""))
        case ImagePart():
            return _changed_blob(part, change)
        case ToolCallPart():
            return changed_call(part, change)
        case ToolResultPart():
            attachments = changed_parts(part.attachments, change)
            return _with(part, content=changed_text(part.content, change), attachments=attachments)
        case ReasoningPart():
            text, data = change(part.text, ""), changed_json(part.data, change)
            return part if (text, data) == (part.text, part.data) else None
        case CitationPart() | OpaquePart():
            return _with(part, data=changed_json(part.data, change))
        case _:
            return part


def changed_call(call: ToolCallPart, change: Change) -> ToolCallPart:
    """Return a tool call with its arguments changed."""
    return _with(call, arguments=changed_json(call.arguments, change), malformed=change(call.malformed, ""))


def _changed_blob(part: BlobT, change: Change) -> BlobT:
    """Return a file with its address, or the text that it is, changed."""
    if part.url is not None or part.data is None:
        return _with(part, url=change(part.url or "", ""))
    if not part.media_type.startswith(_READABLE):
        return part
    try:
        text = base64.b64decode(part.data, validate=True).decode()
    except ValueError:
        return part
    changed = changed_text(text, change)
    return part if changed == text else _with(part, data=base64.b64encode(changed.encode()).decode())


def _with(part: PartT, **fields: Any) -> PartT:
    same = all(getattr(part, name) == value for name, value in fields.items())
    return part if same else part.model_copy(update=fields)
