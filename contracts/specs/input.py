"""What a run is asked: how people write it, and the message that it becomes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeGuard, get_args

from pydantic import BaseModel

from ..contract import Contract, brief, to_plain
from ..errors import SpecError
from ..limits import MAX_DEPTH, NOT_UNICODE, is_finite, is_too_deep, why_unwritable
from ..message import Message, Part, PartRef, Role, TextPart, ToolCallPart, ToolResultPart
from ..text import encodable

Input = str | Message | Sequence[Any] | Mapping[str, Any] | BaseModel
"""Text, a message, a list of texts and parts; fields, which templates call by their names; or a list without parts,
which `Parallel(each=...)` takes the items of. Fields and items are JSON, or values that pydantic makes JSON of. For an
agent also a list of messages: what was said before, and what it is asked now."""

_PARTS: tuple[type, ...] = get_args(get_args(Part)[0])


class Question(NamedTuple):
    """What a run is asked, and what was said before."""

    message: Message
    before: tuple[Message, ...] = ()


def question_with_history(content: Input) -> Question:
    """Return what a run is asked.

    It may be messages, of which the last is the question.

    Raises:
        SpecError: As `message_from`; or the messages are none that a conversation can go on from.
    """
    items: list[Any] = [*content] if isinstance(content, list | tuple) else []
    if not any(isinstance(item, Message) for item in items):
        return Question(_asked(message_from(content)))
    for index, item in enumerate(items):
        if not isinstance(item, Message):
            raise SpecError(f"the input: item {index} is {brief(item)} beside messages: pass messages alone")
    *before, last = items
    if last.role is not Role.USER:
        raise SpecError(f"the input: the last message is of role {last.role.value!r}: end with what it is asked")
    return Question(_asked(message_from(last)), tuple(_conversation(before)))


def message_from(content: Input) -> Message:
    """Make a message of what a runnable is asked.

    Raises:
        SpecError: The input is empty, or not something that a run can be asked.
    """
    message = content if isinstance(content, Message) else _message(content)
    if not any(getattr(part, "text", True) for part in message.parts):
        raise SpecError("the input is empty: pass a text, a message, a list, or a dict of fields")
    for part in message.parts:
        if isinstance(part, TextPart) and encodable(part.text) != part.text:
            raise SpecError(f"the input: {NOT_UNICODE}")
    return message


def question_from(content: Input) -> Message:
    """Make a message of what somebody asks from outside: blanks alone are nothing.

    Raises:
        SpecError: As `message_from`.
    """
    message = message_from(content)
    if all(isinstance(part, TextPart) and not part.text.strip() for part in message.parts):
        raise SpecError("the input is blank: pass a text, a message, a list, or a dict of fields")
    return _asked(message)


def _asked(message: Message) -> Message:
    """Return what is asked, which has no part that belongs into a conversation.

    Raises:
        SpecError: It has one; says which.
    """
    for number, part in enumerate(message.parts):
        if problem := _misplaced(part, Role.USER):
            raise SpecError(f"the input: what it is asked, part {number}: {problem}")
    return message


def _message(content: Any) -> Message:
    if isinstance(content, str) or _is_part(content):
        return Message.user(content)
    if isinstance(content, Sequence) and any(isinstance(item, Message) for item in content):
        raise SpecError("the input is a list of messages, and one is asked here: pass the last one's text")
    if isinstance(content, Sequence) and any(_is_part(item) for item in content):
        return Message.user([*map(_text_or_part, content)])
    # What a run came to is not a question: its output is.
    if isinstance(content, bytes | Contract) or not isinstance(content, Mapping | Sequence | BaseModel):
        meant = "its output" if hasattr(content, "output") else "a text, a message, a list, or a dict of fields"
        raise SpecError(f"the input is {brief(content)}, which no run can be asked: pass {meant}")
    try:
        plain = to_plain(content)
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


def _conversation(messages: Sequence[Message]) -> Iterator[Message]:
    """Yield messages as a conversation that can go on, and that every provider takes.

    Their tool calls have ids that no later call has.

    Raises:
        SpecError: A tool's result answers no call, or a call has no result at once; says which.
    """
    open_calls: dict[str, ToolCallPart] = {}
    for index, message in enumerate(messages):
        place = f"the input: message {index}"
        if problem := why_unwritable(message):
            raise SpecError(f"{place}: {problem}")
        if open_calls and message.role is not Role.TOOL:
            raise SpecError(f"{place}: the tool call {next(iter(open_calls))!r} before it has no result")
        parts: list[Part] = []
        for number, part in enumerate(message.parts):
            where = f"{place}, part {number}"
            if problem := _misplaced(part, message.role):
                raise SpecError(f"{where}: {problem}")
            if isinstance(part, ToolCallPart):
                if part.id in open_calls:
                    raise SpecError(f"{where}: two tool calls of this message have the id {part.id!r}")
                open_calls[part.id] = part.model_copy(update={"id": f"call_{index}_{number}"})
                part = open_calls[part.id]  # noqa: PLW2901 - under its own id
            elif isinstance(part, ToolResultPart):
                part = _answering(open_calls, part, where)  # noqa: PLW2901
            parts.append(part)
        yield message.model_copy(update={"parts": tuple(parts)})
    if open_calls:
        raise SpecError(f"the input: the tool call {next(iter(open_calls))!r} has no result")


def _answering(open_calls: dict[str, ToolCallPart], result: ToolResultPart, where: str) -> ToolResultPart:
    """Return a result under the own id of its call, which is open no more."""
    call = open_calls.pop(result.call_id, None)
    if call is None:
        raise SpecError(f"{where}: it is the result of {result.call_id!r}, and no open call before it has that id")
    if call.name != result.name:
        raise SpecError(
            f"{where}: it is a result of {result.name!r}, and the call {result.call_id!r} is of {call.name!r}"
        )
    return result.model_copy(update={"call_id": call.id})


def _misplaced(part: Part, role: Role) -> str:
    """Return why a part cannot stand in a message of that role; empty where it can."""
    if isinstance(part, PartRef):
        return "it stands for another one, which is not here"
    if isinstance(part, ToolResultPart) and role is not Role.TOOL:
        return f"a tool's result stands in a message of role 'tool', and this one is of role {role.value!r}"
    if not isinstance(part, ToolCallPart):
        return ""
    if role is not Role.ASSISTANT:
        return f"a tool call stands in a message of role 'assistant', and this one is of role {role.value!r}"
    if not _CALLABLE.fullmatch(part.name):
        return f"{part.name!r} is no name of a tool: providers take up to 64 letters, digits, '_' and '-'"
    return "" if is_finite(part.arguments) else "an argument of the call is NaN or infinite, which is no JSON"


_CALLABLE = re.compile(r"[A-Za-z0-9_-]{1,64}")
