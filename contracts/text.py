"""How a text is cut, or cleared of secrets, before it is shown or sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final


def shorten(text: str, chars: int) -> str:
    """Return at most so many characters of a text, the last one `…` where it is cut."""
    return text if len(text) <= chars else f"{text[: chars - 1]}…"


def first_line(text: str, chars: int) -> str:
    """Return the first line of a text, shortened."""
    return shorten(next(iter(text.strip().splitlines()), ""), chars)


def one_line(text: str, chars: int) -> str:
    """Return a text as one line, shortened: runs of white space become one space."""
    return shorten(" ".join(text.split()), chars)


def file_name(address: str) -> str:
    """Return the last part of a path or an address; all of it where it has none."""
    return address.rstrip("/").rpartition("/")[2] or address


def printable(text: str) -> str:
    """Return a text with `�` for what cannot be printed, such as control characters."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def cut(text: str, chars: int) -> str:
    """Return the first characters of a text, and say so behind them where it is cut."""
    return text if len(text) <= chars else f"{text[:chars]}… (cut)"


def encodable(text: str) -> str:
    """Return a text with `?` for what is not Unicode, such as half of an emoji."""
    return text.encode(errors="replace").decode()


def plural(number: int, noun: str, nouns: str = "") -> str:
    """Return a number of things in words: `1 turn`, `2,000 turns`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {nouns or f'{noun}s'}"


SHORTEST_SECRET: Final = 8
"""A shorter value is no secret: it stands in many texts that tell none."""


def redacted(text: str, secrets: Iterable[str]) -> str:
    """Return the text without the secrets, but for those that are too short to be any."""
    found = {form for one in secrets if len(one) >= SHORTEST_SECRET for form in forms_of_secret(one)}
    # The longest first: one may be part of another.
    for secret in sorted(found, key=len, reverse=True):
        text = text.replace(secret, "[redacted]")
    return text


def forms_of_secret(secret: str) -> Iterator[str]:
    """Yield a secret as it is, and as errors and JSON quote it."""
    yield secret
    yield repr(secret)[1:-1]
    yield ascii(secret)[1:-1]
    yield repr(secret.encode(errors="replace"))[2:-1]
    yield json.dumps(secret)[1:-1]
