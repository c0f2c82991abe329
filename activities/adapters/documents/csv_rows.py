"""Tables of CSV: each row becomes a paragraph that names its columns.

Must not need more than one row to understand another.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Final

from ....contracts.errors import DocumentError
from .plain import MAX_CHARS, bounded

_DELIMITERS: Final = ",;\t|"
_NUMBER: Final = re.compile(r"(?!(?:19|20)\d\d$)[-+]?[\d.,]*\d%?")


def csv_text(text: str) -> str:
    """Return the rows of a table, each as `name: value; name: value`.

    Raises:
        DocumentError: It is not well-formed, or has a field of more characters than the standard library takes.
    """
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    parts: list[str] = []
    total = 0
    try:
        for part in _paragraphs(rows):
            total += len(part) + 2
            if total > MAX_CHARS:  # the names of the columns stand in it as often as it has rows
                raise DocumentError(f"its rows have more than {MAX_CHARS:,} characters: cut it into several documents")
            parts.append(part)
    except csv.Error as error:
        raise DocumentError(f"its table cannot be read: line {rows.line_num:,}: {error}") from error
    return bounded("\n\n".join(parts))


def _paragraphs(rows: Iterator[list[str]]) -> Iterator[str]:
    names: list[str] = []
    begun = told = False
    for cells in rows:
        row = [" ".join(cell.split()) for cell in cells]
        if not any(row):
            continue
        if not begun and _are_names(row):
            names = row
        else:
            said = (f"{_name(names, number)}: {cell}" for number, cell in enumerate(row) if cell)
            yield "; ".join(said)
            told = True
        begun = True
    if not told:
        yield "; ".join(name for name in names if name)


def _name(names: list[str], number: int) -> str:
    return (names[number] if number < len(names) else "") or f"column {number + 1}"


def _are_names(row: list[str]) -> bool:
    """Return whether a first row names the columns.

    No two are the same then, and none is a number but a year.
    """
    named = [cell for cell in row if cell]
    return len(named) == len(set(named)) and not any(_NUMBER.fullmatch(cell) for cell in named)


def _delimiter(text: str) -> str:
    """Return what the first row has most of outside of quotes: it separates cells."""
    first = "".join(text[:10_000].lstrip().partition("\n")[0].split('"')[::2])
    return max(_DELIMITERS, key=first.count)
