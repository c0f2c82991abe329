"""Cuts what is new in a prompt, where nothing else is left that could leave it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ...contracts.message import Message, Part, TextPart, ToolResultPart

_LEAST_CHARS: Final = 300
"""What is shorter stays as it is: what is told in its place is no shorter."""
_MARGIN_CHARS: Final = 200
_LEAST_ROOM_CHARS: Final = 60
_OF_RESULT: Final = "[{:,} characters are left out here: they do not fit what you can read at once. Ask for less.]"
_OF_TEXT: Final = "[{:,} characters are left out here, to save room.]"


def longest_new(messages: Sequence[Message], sent: int, asked: int) -> tuple[int, Part] | None:
    """Return the longest part that can be told in part, with the index of its message.

    Those are what tools returned, and what was asked before what is asked now and never answered.

    Args:
        messages: All of the prompt.
        sent: How many of them the last reply knows.
        asked: Index of what is asked now.
    """
    longest, found = _LEAST_CHARS, None
    for index, part in _new_parts(messages, sent, asked):
        if (size := len(cuttable_text(part))) > longest:
            longest, found = size, (index, part)
    return found


def _new_parts(messages: Sequence[Message], sent: int, asked: int) -> Iterator[tuple[int, Part]]:
    for index in range(sent, len(messages)):
        for part in messages[index].parts:
            is_past_question = isinstance(part, TextPart) and index < asked and not messages[index].pinned
            if isinstance(part, ToolResultPart) or is_past_question:
                yield index, part


def cuttable_text(part: Part) -> str:
    """Return the text of a part that can be told in part; empty of any other."""
    if isinstance(part, ToolResultPart):
        return part.content
    return part.text if isinstance(part, TextPart) else ""


def cut_part(part: Part, left_out: int) -> Part:
    """Return the beginning and the end of a part, and that something is left out.

    Args:
        part: All of it.
        left_out: About how many characters are to be left out.
    """
    room = len(cuttable_text(part)) - left_out - _MARGIN_CHARS
    if isinstance(part, ToolResultPart):
        return part.model_copy(update={"content": _cut(part.content, room, _OF_RESULT)})
    return TextPart(text=_cut(cuttable_text(part), room, _OF_TEXT))


def _cut(text: str, room: int, note: str) -> str:
    if room < _LEAST_ROOM_CHARS:
        return note.format(len(text))
    begin, end = text[: room * 2 // 3], text[-(room // 3) :]
    return f"{begin}\n{note.format(len(text) - len(begin) - len(end))}\n{end}"
