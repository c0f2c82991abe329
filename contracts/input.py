"""What a run is asked: the forms that people write it in, and the message that it becomes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from .errors import SpecError
from .message import Message, Part

Input = str | Message | Sequence[str | Part] | Mapping[str, JsonValue]
"""Text, a message, a list of texts and parts, or fields, which templates call by their names."""


def message_from(content: Input) -> Message:
    """The message.

    Raises:
        SpecError: It is empty.
    """
    if isinstance(content, Message):
        message = content
    elif isinstance(content, Mapping):
        message = Message.user(json.dumps(dict(content), ensure_ascii=False))
    else:
        message = Message.user(content if isinstance(content, str) else [*content])
    if not any(getattr(part, "text", True) for part in message.parts):
        raise SpecError("the input is empty: pass a text, a message, a list of parts, or a dict of fields")
    return message
