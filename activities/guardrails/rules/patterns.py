"""Patterns in texts, in a time that grows as the text does, whoever wrote either."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from ....contracts.errors import SetupError

MOST_PLACES: Final = 1_000
"""Most places of one pattern that are told apart. To look for each may take as long as to read all of the text."""
_HALF: Final = re.compile("[\ud800-\udfff]")


def places(pattern: str, text: str) -> Iterator[tuple[int, int]]:
    """Yield where a pattern is in a text, as indices.

    Behind the 1,000th place all that is left is the next one. A place is empty where the pattern takes no character.

    Raises:
        ValueError: It is no pattern.
        SetupError: The library is not installed.
    """
    for number, found in enumerate(compiled(pattern).finditer(encodable_alike(text))):
        start, end = found.span()
        if number == MOST_PLACES:
            yield start, len(text)
            return
        yield start, end


def is_all_of(pattern: str, text: str) -> bool:
    """Return whether a pattern matches a whole text.

    Raises:
        ValueError: It is no pattern.
        SetupError: The library is not installed.
    """
    return compiled(pattern).fullmatch(encodable_alike(text)) is not None


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Any:
    """Return a pattern as RE2 looks for it.

    Raises:
        ValueError: RE2 does not take it; says why.
        SetupError: RE2 is not installed; says how to get it.
    """
    try:
        import re2  # noqa: PLC0415 - only for workers with such rules
    except ImportError as error:
        raise SetupError(
            f"patterns need the package google-re2 ({error}): pip install 'sostenuto[guardrails]'"
        ) from None
    options = re2.Options()
    options.case_sensitive = False
    # It would write to the terminal.
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        told = error.args[0]
        raise ValueError(told.decode(errors="replace") if isinstance(told, bytes) else str(told)) from None


def encodable_alike(text: str) -> str:
    """Return a text of the same length in which no half of a character stands."""
    return _HALF.sub("\ufffd", text)
