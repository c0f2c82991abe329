"""JSON and JSON Lines: each record becomes a paragraph of `path: value` lines.

Must not change a number: they are taken as they are written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from ....contracts.errors import DocumentError
from ....contracts.limits import MAX_DEPTH, is_too_deep
from .plain import MAX_CHARS, bounded, clean

_WORDS: Final[dict[object, str]] = {True: "true", False: "false"}


def json_text(text: str) -> str:
    """Return what a JSON document says, each item of a list at its top by itself.

    Raises:
        DocumentError: It is no JSON, too deep or too long.
    """
    value = _parsed(text, "it")
    return _joined(value if isinstance(value, list) else [value])


def jsonl_text(text: str) -> str:
    """Return what JSON Lines say, each line by itself.

    Raises:
        DocumentError: A line is no JSON, too deep, or all are too long.
    """
    # Not by `splitlines`, which also splits where strings may have a character as it is.
    lines = enumerate(text.split("\n"), 1)
    return _joined(_parsed(line, f"line {number:,}") for number, line in lines if line.strip())


def _joined(records: Any) -> str:
    parts: list[str] = []
    total = 0
    for record in records:
        lines: list[str] = []
        for line in _lines(record):
            total += len(line) + 1
            if total > MAX_CHARS:  # the path to a value stands in the line of each
                raise DocumentError(f"its records have more than {MAX_CHARS:,} characters of text")
            lines.append(line)
        parts.append("\n".join(lines))
    # What is escaped in a string is none of the text that was cleaned.
    return bounded(clean("\n\n".join(part for part in parts if part)))


def _parsed(text: str, where: str) -> Any:
    try:
        value = json.loads(text, parse_int=str, parse_float=str)
    except RecursionError as error:
        raise _too_deep(where) from error
    except ValueError as error:
        raise DocumentError(f"{where} is no JSON: {error}") from error
    if is_too_deep(value):
        raise _too_deep(where)
    return value


def _too_deep(where: str) -> DocumentError:
    return DocumentError(f"{where} has lists and objects in one another deeper than {MAX_DEPTH} levels")


def _lines(value: Any, path: str = "") -> Iterator[str]:
    """Yield one line for each value, with the path to it. Not deeper than was checked."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _lines(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        if not any(isinstance(item, dict | list) for item in value):
            yield from _lines(", ".join(_said(item) for item in value), path)
        else:
            for number, item in enumerate(value, 1):
                yield from _lines(item, f"{path}.{number}" if path else str(number))
    elif value is not None and value != "":
        yield f"{path}: {_said(value)}" if path else _said(value)


def _said(value: Any) -> str:
    return _WORDS[value] if isinstance(value, bool) else "" if value is None else str(value)
