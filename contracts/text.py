"""How a text is cut, or cleared of secrets, and what of it is drawn."""

from __future__ import annotations

import json
import re
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


UNSEEN: Final = dict.fromkeys(
    code
    for first, last in (
        (0x00AD, 0x00AD),
        (0x034F, 0x034F),
        (0x061C, 0x061C),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
        (0x200B, 0x200F),
        (0x202A, 0x202E),
        (0x2060, 0x206F),
        (0x2800, 0x2800),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFEFF, 0xFEFF),
        (0xFFA0, 0xFFA0),
        (0xFFF0, 0xFFF8),
        (0x1BCA0, 0x1BCA3),
        (0x1D173, 0x1D17A),
        (0xE0000, 0xE0FFF),
    )
    for code in range(first, last + 1)
)
"""What is drawn as nothing: the code points that Unicode calls default ignorable, and the blank of Braille."""

_BLANK: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


def is_seen(text: str) -> bool:
    """Return whether anything of a text is drawn.

    Does not change with the Python that runs it: workflows decide by it.
    """
    return bool(_BLANK.sub("", text.translate(UNSEEN)))
