"""The time that one model call may take, the same for every adapter.

Must not know any provider.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Protocol, TypeVar

from ....contracts.errors import ModelError, Timeout
from ....contracts.model import Model

_MARGIN_SHARE = 0.05
_LONGEST_MARGIN = timedelta(seconds=2)


def call_seconds(model: Model) -> float:
    """Return the seconds a call may take: just less than the activity's timeout.

    So the adapter ends first and can say what happened, where the activity's timeout could not.
    """
    margin = min(model.timeout * _MARGIN_SHARE, _LONGEST_MARGIN)
    return (model.timeout - margin).total_seconds()


class Answer(Protocol):
    """An answer that is coming in."""

    @property
    def begun(self) -> bool:
        """Whether some of it has come."""
        ...


A = TypeVar("A", bound=Answer)


class Begun:
    """Tells whether some of an answer has come, which is paid for."""

    def __init__(self) -> None:
        self._pieces: list[Answer] = []

    def watched(self, piece: A) -> A:
        """Take note of the next piece of the answer, and return it."""
        self._pieces.append(piece)
        return piece

    def mark(self, error: ModelError) -> None:
        """Note on an error how far the answer had come."""
        error.paid = any(piece.begun for piece in self._pieces)
        error.answered = bool(self._pieces)


@asynccontextmanager
async def deadline(model: Model, begun: Begun | None = None) -> AsyncIterator[None]:
    """Bound a whole call in time.

    The timeouts of HTTP clients bound only the wait for the next bytes.

    Args:
        model: Whose call.
        begun: What has come of the answer.

    Raises:
        Timeout: The call took longer than `call_seconds`.
    """
    seconds = call_seconds(model)
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        error = Timeout(f"no whole answer within {seconds:g} s: raise Model.timeout to wait longer")
        (begun or Begun()).mark(error)
        raise error from None
