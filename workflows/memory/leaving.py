"""Chooses what leaves a prompt: whole exchanges, the oldest first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from ...contracts.message import Message, Role, ToolResultPart
from .token_count import STUB_TOKENS

_WORTH_IT: Final = 2
"""A result leaves a prompt where it has so many times the tokens of what is told in its place."""


def exchanges(messages: Sequence[Message], stay: Collection[int]) -> Iterator[range]:
    """Yield what can leave a prompt, the oldest first.

    A call never leaves without its result.

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
    messages: Sequence[Message], tokens: Sequence[float], stay: Collection[int], excess: float, asked: int
) -> tuple[tuple[int, int], ...]:
    """Return which of the oldest messages leave, as ranges of indices.

    Of what was said before what is asked now, whole turns leave where there are several.

    Args:
        messages: Those that the last reply knows.
        tokens: Their tokens.
        stay: Indices of those that stay.
        excess: How many tokens have to leave at least, if there are so many.
        asked: Index of what is asked now.
    """
    ranges: list[tuple[int, int]] = []
    left = excess
    for one in exchanges(messages, stay):
        begins_turn = messages[one.start].role is Role.USER or one.start >= asked
        if left <= 0 and begins_turn:
            break
        left -= sum(tokens[one.start : one.stop])
        if ranges and ranges[-1][1] == one.start:
            ranges[-1] = (ranges[-1][0], one.stop)
        else:
            ranges.append((one.start, one.stop))
    return tuple(ranges)


def old_results(messages: Sequence[Message], tokens: Sequence[float], excess: float) -> tuple[tuple[str, ...], bool]:
    """Return the ids of the calls whose results leave, and whether that is enough.

    The oldest come first.

    Args:
        messages: Those that the last reply knows.
        tokens: Their tokens.
        excess: How many tokens have to leave at least, if there are so many.
    """
    found: list[str] = []
    left = excess
    for message, size in zip(messages, tokens, strict=True):
        results = [part.call_id for part in message.parts if isinstance(part, ToolResultPart)]
        stubs = STUB_TOKENS * len(results)
        if left > 0 and results and size >= _WORTH_IT * stubs:
            found += results
            left -= size - stubs
    return tuple(found), left <= 0
