"""Chooses what leaves a prompt: whole exchanges, the oldest first."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate
from typing import Final

from ...contracts.message import Message, Role, ToolCallPart, ToolResultPart
from .token_count import STUB_TOKENS

_WORTH_IT: Final = 2
"""A result leaves a prompt where it has so many times the tokens of what is told in its place."""


def exchanges(messages: Sequence[Message], stay: Collection[int]) -> Iterator[range]:
    """Yield what can leave a prompt, the oldest first.

    A call never leaves without its results.

    Args:
        messages: Those that the last reply knows, and what came of its calls where that may leave, too.
        stay: Indices of those that stay.
    """
    index = 0
    while index < len(messages):
        end = index + 1
        if messages[index].tool_calls:
            while end < len(messages) and messages[end].role is Role.TOOL:
                end += 1
            if end == len(messages) and not _are_answered(messages[index].tool_calls, messages[index + 1 : end]):
                # Its results are yet to be told.
                return
        if not any(one in stay for one in range(index, end)):
            yield range(index, end)
        index = end


def _are_answered(calls: Sequence[ToolCallPart], results: Sequence[Message]) -> bool:
    parts = (part for message in results for part in message.parts)
    return {call.id for call in calls} <= {part.call_id for part in parts if isinstance(part, ToolResultPart)}


def oldest(
    messages: Sequence[Message],
    tokens: Sequence[float],
    stay: Collection[int],
    excess: float,
    asked: int,
    most: float = math.inf,
) -> tuple[tuple[int, int], ...]:
    """Return which of the oldest messages leave, as ranges of indices.

    Of what was said before what is asked now, whole turns leave where there are several.

    Args:
        messages: Those of which any can leave.
        tokens: Their tokens.
        stay: Indices of those that stay.
        excess: How many tokens have to leave at least, if there are so many.
        asked: Index of what is asked now.
        most: Most tokens that there may be from the first message to the last one that leaves, where more than one
            leaves.
    """
    ranges: list[tuple[int, int]] = []
    left, count = excess, 0
    # A prompt may have thousands of messages: no sum begins anew.
    until = [0.0, *accumulate(tokens)]
    for one in exchanges(messages, stay):
        begins_turn = messages[one.start].role is Role.USER or one.start >= asked
        # A step that sums up a summary alone would be the same again and again.
        is_more = count > 1 and until[one.stop] > most
        if (left <= 0 and begins_turn) or is_more:
            break
        count += len(one)
        left -= sum(tokens[one.start : one.stop])
        if ranges and ranges[-1][1] == one.start:
            ranges[-1] = (ranges[-1][0], one.stop)
        else:
            ranges.append((one.start, one.stop))
    return tuple(ranges)


def beyond_window(
    messages: Sequence[Message],
    tokens: Sequence[float],
    stay: Collection[int],
    dropped: Sequence[tuple[int, int]],
    most: float,
) -> tuple[tuple[int, int], ...]:
    """Return the ranges of exchanges that have more tokens than any prompt may.

    Args:
        messages: Those of which any can leave.
        tokens: Their tokens.
        stay: Indices of those that stay.
        dropped: Those that are to leave, as ranges of indices.
        most: Most tokens that there may be of an exchange, with what stays before it.
    """
    ranges, staying = [], frozenset(stay)
    # A prompt may have thousands of messages: no sum begins anew.
    before = [0.0, *accumulate(size if index in staying else 0.0 for index, size in enumerate(tokens))]
    for one in exchanges(messages, staying):
        is_dropped = any(start <= one.start < stop for start, stop in dropped)
        if is_dropped and before[one.start] + sum(tokens[one.start : one.stop]) > most:
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
