"""What a run is asked: how people write it, and the message that it becomes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard, get_args

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from ..contract import Contract, brief
from ..errors import SpecError
from ..limits import MAX_DEPTH, is_too_deep
from ..message import Message, Part, TextPart

Input = str | Message | Sequence[Any] | Mapping[str, Any] | BaseModel
"""Text, a message, a list of texts and parts; fields, which templates call by their names; or a list without parts,
which `Parallel(each=...)` takes the items of. Fields and items are JSON, or values that pydantic makes JSON of."""

_PARTS: tuple[type, ...] = get_args(get_args(Part)[0])


def message_from(content: Input) -> Message:
    """Make a message of what a runnable is asked.

    Raises:
        SpecError: The input is empty, or not something that a run can be asked.
    """
    message = content if isinstance(content, Message) else _message(content)
    if not any(getattr(part, "text", True) for part in message.parts):
        raise SpecError("the input is empty: pass a text, a message, a list, or a dict of fields")
    return message


def question_from(content: Input) -> Message:
    """Make a message of what somebody asks from outside: blanks alone are nothing.

    Raises:
        SpecError: As `message_from`.
    """
    message = message_from(content)
    if all(isinstance(part, TextPart) and not part.text.strip() for part in message.parts):
        raise SpecError("the input is blank: pass a text, a message, a list, or a dict of fields")
    return message


def _message(content: Any) -> Message:
    if isinstance(content, str) or _is_part(content):
        return Message.user(content)
    if isinstance(content, Sequence) and any(_is_part(item) for item in content):
        return Message.user([*map(_text_or_part, content)])
    # What a run came to is not a question: its output is.
    if isinstance(content, bytes | Contract) or not isinstance(content, Mapping | Sequence | BaseModel):
        meant = "its output" if hasattr(content, "output") else "a text, a message, a list, or a dict of fields"
        raise SpecError(f"the input is {brief(content)}, which no run can be asked: pass {meant}")
    try:
        plain = to_jsonable_python(content)
    except ValueError as error:
        raise SpecError(f"the input is not JSON: {error}") from None
    if is_too_deep(plain):
        raise SpecError(f"the input is nested deeper than {MAX_DEPTH} levels")
    return Message.user(json.dumps(plain, ensure_ascii=False))


def _is_part(value: Any) -> TypeGuard[Part]:
    return isinstance(value, _PARTS)


def _text_or_part(item: Any) -> str | Part:
    if isinstance(item, str) or _is_part(item):
        return item
    raise SpecError(f"the input has {brief(item)} beside parts: pass texts and parts, or JSON without parts")
