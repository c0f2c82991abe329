"""Chooses what leaves a prompt: whole exchanges, the oldest first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from ...contracts.message import Message, Role, ToolResultPart

LEAST_RESULT_BYTES: Final = 400
"""A shorter result stays: what would stand in its place is no shorter."""


def exchanges(messages: Sequence[Message], stay: Collection[int]) -> Iterator[range]:
    """Yield what can leave a prompt, the oldest first: a call never without its result.

    Args:
        messages: Those that the last reply knows.
        stay: Indices of those that stay.
    """
    index = 0
    while index < len(messages):
        end = index + 1
        if messages[index].tool_calls:
            while end < len(messages) and messages[end].role is Role.TOOL:
                end += 1
            if end == len(messages):
                # Its results are yet to be told.
                return
        if not any(one in stay for one in range(index, end)):
            yield range(index, end)
        index = end


def oldest(
    messages: Sequence[Message], weights: Sequence[int], stay: Collection[int], excess: int, asked: int
) -> tuple[tuple[int, int], ...]:
    """Return which of the oldest messages leave: ranges of indices, the end not included.

    Of what was said before what is asked now, whole turns leave where there are several.

    Args:
        messages: Those that the last reply knows.
        weights: Their weights.
        stay: Indices of those that stay.
        excess: How much has to leave at least, if there is so much.
        asked: Index of what is asked now.
    """
    ranges: list[tuple[int, int]] = []
    left = excess
    for one in exchanges(messages, stay):
        begins_turn = messages[one.start].role is Role.USER or one.start >= asked
        if left <= 0 and begins_turn:
            break
        left -= sum(weights[one.start : one.stop])
        if ranges and ranges[-1][1] == one.start:
            ranges[-1] = (ranges[-1][0], one.stop)
        else:
            ranges.append((one.start, one.stop))
    return tuple(ranges)


def old_results(messages: Sequence[Message], excess: int) -> tuple[tuple[str, ...], bool]:
    """Return the ids of the tool calls whose results leave, and whether that is enough.

    The oldest come first.

    Args:
        messages: Those that the last reply knows.
        excess: How much has to leave at least, if there is so much.
    """
    found: list[str] = []
    left = excess
    for result in (part for message in messages for part in message.parts if isinstance(part, ToolResultPart)):
        size = len(result.content.encode())
        if left <= 0:
            break
        if size > LEAST_RESULT_BYTES or result.attachments:
            found.append(result.call_id)
            left -= size - LEAST_RESULT_BYTES // 2
    return tuple(found), left <= 0


def cut_result(content: str, room: int) -> str:
    """Return the beginning and the end of what a tool returned, and that something is left out.

    Args:
        content: All of it.
        room: About how many characters it may have.
    """
    begin, end = content[: room * 2 // 3], content[-(room // 3) :] if room >= 3 else ""
    left_out = len(content) - len(begin) - len(end)
    note = f"[{left_out:,} characters are left out here: they do not fit what you can read at once. Ask for less.]"
    return f"{begin}\n{note}\n{end}"
