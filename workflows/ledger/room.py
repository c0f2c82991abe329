"""How much a ledger may know at once.

All of it has to fit into what a further execution begins with.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ...contracts.text import shorten
from ...contracts.wire.control.share import ShareAsked

MOST_HOLDERS: Final = 4_000
"""So many runs have something at once."""

MOST_QUESTIONS: Final = 1_500
"""So many questions wait at once. More are refused."""

_HOLDERS_BYTES: Final = 1_000_000
_QUESTIONS_BYTES: Final = 780_000
"""The same in bytes of JSON, of which ids take most where runs are nested deeply."""

_HOLDER_BYTES: Final = 170
_QUESTION_BYTES: Final = 440
"""Bytes of JSON of one without its ids and what it is for."""

_WHAT_CHARS: Final = 100


def holder_bytes(run_id: str, execution: str) -> int:
    """Return the most bytes that what is known of a run with a block takes."""
    return len(run_id.encode()) + len(execution.encode()) + _HOLDER_BYTES


def is_room_for(holders: int, size: int) -> bool:
    """Return whether one more run may have something.

    Args:
        holders: How many have.
        size: Bytes of all of them with that one.
    """
    return holders < MOST_HOLDERS and size <= _HOLDERS_BYTES


def shortened(asked: ShareAsked) -> ShareAsked:
    """Return a question as it is kept."""
    return asked.model_copy(update={"what": shorten(asked.what, _WHAT_CHARS)})


class Queue:
    """Says of questions, one after the other, whether they still fit."""

    def __init__(self) -> None:
        self._count = self._bytes = 0

    def add(self, asked: ShareAsked) -> None:
        """Take in one that waits."""
        self._count += 1
        execution = asked.of.execution if asked.of else ""
        self._bytes += sum(len(text.encode()) for text in (asked.run_id, execution, asked.what)) + _QUESTION_BYTES

    @property
    def is_full(self) -> bool:
        """Whether no more may wait."""
        return self._count >= MOST_QUESTIONS or self._bytes >= _QUESTIONS_BYTES


def fitting(waiting: Iterable[ShareAsked]) -> tuple[ShareAsked, ...]:
    """Return as many of the oldest questions as may wait.

    The others are asked again after some minutes.
    """
    kept: list[ShareAsked] = []
    queue = Queue()
    for asked in waiting:
        if queue.is_full:
            break
        queue.add(asked)
        kept.append(asked)
    return tuple(kept)
