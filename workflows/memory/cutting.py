"""Cuts what is new in a prompt, where nothing else is left that could leave it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from ...contracts.limits import written_bytes
from ...contracts.message import Message, Part, TextPart, ToolResultPart

_LEAST_BYTES: Final = 300
"""What is shorter stays as it is: what is told in its place is no shorter."""
_MARGIN_BYTES: Final = 200
_LEAST_ROOM_BYTES: Final = 60
_OF_RESULT: Final = "[{:,} characters are left out here: they do not fit what you can read at once. Ask for less.]"
_OF_TEXT: Final = "[{:,} characters are left out here, to save room.]"


def longest_new(messages: Sequence[Message], sent: int, asked: int, *, pinned: bool = False) -> list[tuple[int, int]]:
    """Return the parts that can be told in part, the longest first.

    Those are what tools returned, and what was asked before what is asked now and never answered.

    Args:
        messages: All of the prompt.
        sent: How many of them the last reply knows.
        asked: Index of what is asked now.
        pinned: Whether what is pinned of that can be told in part, too.

    Returns:
        Of each the index of its message, and its own in that.
    """
    sizes: dict[tuple[int, int], int] = {}
    for index, position, part in _new_parts(messages, sent, asked, pinned=pinned):
        if (size := _written(cuttable_text(part))) > _LEAST_BYTES:
            sizes[index, position] = size
    return sorted(sizes, key=lambda place: -sizes[place])


def _new_parts(messages: Sequence[Message], sent: int, asked: int, *, pinned: bool) -> Iterator[tuple[int, int, Part]]:
    for index in range(sent, len(messages)):
        for position, part in enumerate(messages[index].parts):
            is_past_question = isinstance(part, TextPart) and index < asked and (pinned or not messages[index].pinned)
            if isinstance(part, ToolResultPart) or is_past_question:
                yield index, position, part


def cuttable_text(part: Part) -> str:
    """Return the text of a part that can be told in part; empty of any other."""
    if isinstance(part, ToolResultPart):
        return part.content
    return part.text if isinstance(part, TextPart) else ""


def cut_part(part: Part, left_out: int) -> Part:
    """Return the beginning and the end of a part, and that something is left out.

    Args:
        part: All of it.
        left_out: About how many bytes of its JSON are to be left out: that of a character may have many.
    """
    room = _written(cuttable_text(part)) - left_out - _MARGIN_BYTES
    if isinstance(part, ToolResultPart):
        return part.model_copy(update={"content": _cut(part.content, room, _OF_RESULT)})
    return TextPart(text=_cut(cuttable_text(part), room, _OF_TEXT))


def _cut(text: str, room: int, note: str) -> str:
    if room < _LEAST_ROOM_BYTES:
        return note.format(len(text))
    begin = text[: _most(room * 2 // 3, len(text), lambda length: text[:length])]
    end = text[len(text) - _most(room // 3, len(text), lambda length: text[len(text) - length :]) :]
    return f"{begin}\n{note.format(len(text) - len(begin) - len(end))}\n{end}"


def _most(room: int, length: int, part: Callable[[int], str]) -> int:
    """Return of how many characters a part has no more than so many bytes."""
    return bisect_right(range(min(room, length) + 1), room, key=lambda count: _written(part(count))) - 1


def _written(text: str) -> int:
    """Return the bytes of a text in JSON, without its quotes."""
    return written_bytes(text) - 2
