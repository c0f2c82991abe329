"""Makes a transcript one that every provider takes.

Each call is answered, right after it, and nothing is answered twice. A run that was cancelled leaves calls without an
answer; whoever continues its conversation sends them again.
"""

from __future__ import annotations

from collections.abc import Iterable

from .....contracts.message import Message, Part, Role, TextPart, ToolResultPart

_UNANSWERED = "It was stopped before it ended. Whether it took effect is unknown."


def answered(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Return the messages with an answer to each call, and without answers to none."""
    told: list[Message] = []
    waiting: dict[str, str] = {}
    for message in messages:
        if message.role is Role.TOOL:
            parts = tuple(part for part in message.parts if not _is_stray(part, waiting))
            if parts:
                told.append(message if parts == message.parts else message.model_copy(update={"parts": parts}))
            for part in parts:
                waiting.pop(getattr(part, "call_id", ""), None)
            continue
        told += _answers(waiting)
        waiting = {call.id: call.name for call in message.tool_calls} if message.role is Role.ASSISTANT else {}
        told.append(message)
    return (*told, *_answers(waiting))


def is_blank(part: Part) -> bool:
    """Return whether a part is a text without a word, which many refuse."""
    return isinstance(part, TextPart) and not part.text.strip()


def _is_stray(part: object, waiting: dict[str, str]) -> bool:
    return isinstance(part, ToolResultPart) and part.call_id not in waiting


def _answers(waiting: dict[str, str]) -> list[Message]:
    return [
        Message(role=Role.TOOL, parts=(ToolResultPart(call_id=call, name=name, content=_UNANSWERED, is_error=True),))
        for call, name in waiting.items()
    ]
