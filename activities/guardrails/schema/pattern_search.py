"""Patterns of JSON schemas, which may come from anybody, in a limited time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Final

from ....contracts.errors import SetupError

CHECK_SECONDS: Final = 2.0
"""Longest that all patterns of one check may take together."""
_ends: ContextVar[float] = ContextVar("ends")


class TooSlowError(Exception):
    """The patterns of a schema took too long."""


@contextmanager
def limited_search() -> Iterator[None]:
    """Let the searches within take no longer than they may together."""
    token = _ends.set(time.monotonic() + CHECK_SECONDS)
    try:
        yield
    finally:
        _ends.reset(token)


def has_pattern(pattern: str, text: str) -> bool:
    """Return whether a pattern is found in a text.

    Raises:
        TooSlowError: That, with what was looked for before, takes too long.
        ValueError: It is no pattern.
    """
    left = _ends.get() - time.monotonic()
    try:
        if left <= 0:
            raise TimeoutError
        return readable_pattern(pattern).search(text, timeout=left, concurrent=True) is not None
    except TimeoutError:
        raise TooSlowError(pattern) from None


@lru_cache(maxsize=256)
def readable_pattern(pattern: str) -> Any:
    """Return a pattern of a schema as it is looked for.

    JSON Schema means the syntax of JavaScript. That of this library has all that is common in it, and unlike Python's
    own it can be interrupted.

    Raises:
        ValueError: It is no pattern; says why.
        SetupError: The library is not installed.
    """
    try:
        import regex  # noqa: PLC0415 - only for workers that check schemas
    except ImportError as error:
        raise SetupError(
            f"patterns of schemas need the package regex ({error}): pip install 'sostenuto[worker]'"
        ) from None
    try:
        return regex.compile(pattern)
    except regex.error as error:
        raise ValueError(str(error)) from None
