"""Retells what somebody says of themselves as something about them.

English alone. What may mean something else stays as it is: a numeral, a name, what stands in quotes.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from ....contracts.memory.long_term import MAX_MEMORY_CHARS

_NUMBERED: Final = (
    "type|war|class|phase|part|level|grade|stage|chapter|step|tier|category|group|volume|vol|book|act|scene|section|"
    "article|title|schedule|annex|appendix|division|league|calculus|degree|model|mark|bipolar|factor|round|line|unit"
)
"""What a Roman one stands behind."""
_IT: Final = r"(?<![\w.'/&+-])(?:I|i)"
_ALONE: Final = r"(?![\w/&+-]|\.\w)"
_FIRST_PERSON: Final = (
    (re.compile(rf"{_IT}(?: am|'m)\b"), "the user is"),
    (re.compile(rf"{_IT}(?: have|'ve)\b"), "the user has"),
    (re.compile(rf"{_IT} was\b"), "the user was"),
    (re.compile(rf"{_IT}(?:'ll| will)\b"), "the user will"),
    (re.compile(rf"{_IT}'d\b"), "the user would"),
    (re.compile(rf"{_IT}{_ALONE}"), "the user"),
    (re.compile(rf"(?<![\w.'/&+-])[Mm]y{_ALONE}"), "the user's"),
    (re.compile(rf"(?<![\w.'/&+-])(?:[Mm]e|[Mm]yself){_ALONE}"), "the user"),
    (re.compile(r"(?<=\bof )mine\b|(?<=\bis )mine\b|(?<=\bare )mine\b|(?<=\bthan )mine\b"), "the user's"),
)
_LAST: Final = r"(?<!than )(?<!and )(?<!as )(?<!am )(?<!do )(?<!or )(?<!but )(?<!like )\b(?-i:I)(?=\s*(?:[.,;:!?)]|$))"
"""One that is the last word, and nothing is said of it."""
_AS_IT_STANDS: Final = re.compile(
    rf"(\"[^\"]*\"|\u201c[^\u201d]*\u201d|`[^`]*`|\b(?:{_NUMBERED})\.? (?-i:I)\b(?!')|{_LAST})", re.IGNORECASE
)
_THIRD_PERSON: Final = re.compile(r"\b(?:the )?user(?:'s)? ", re.IGNORECASE)
_LOWER: Final = re.compile(r"[a-z][a-z'-]*,?")
_PLAIN: Final = re.compile(r"[\"'(]?(?:[A-Za-z][a-z]*(?:['-][A-Za-z]+)*|[A-Z]+|\d[\d.,:-]*\d|\d)[\"')%]?")
"""A first and a last word that are surely those of a sentence."""
_DAYS: Final = {"the day after tomorrow": 2, "tomorrow": 1, "tonight": 0, "today": 0, "yesterday": -1}
_DAY: Final = re.compile(
    rf"\b(?:{'|'.join(_DAYS)})\b(?!'s|-)|(?:^|(?<=[.!?] ))(?:{'|'.join(one.capitalize() for one in _DAYS)})\b(?!'s|-)"
)
"""Not what is called so, as a newspaper."""


def in_third_person(text: str) -> str:
    """Return a text with the user in place of its author, wherever it speaks of that."""
    if _THIRD_PERSON.match(text):
        return text
    parts = _AS_IT_STANDS.split(text)
    for first, third in _FIRST_PERSON:
        parts[::2] = [first.sub(third, part) for part in parts[::2]]
    return "".join(parts)


def retold(text: str, at: datetime) -> str:
    """Return a sentence of somebody about themselves as one about them, with dates.

    One that would be too long so stays as it is: without its end it might say something else.

    Args:
        text: The sentence.
        at: When it is said.
    """
    plain = " ".join(text.split())
    ways = (in_third_person(dated(plain, at)), in_third_person(plain), plain)
    said = next((way for way in ways if len(way) < MAX_MEMORY_CHARS), plain[:MAX_MEMORY_CHARS].strip())
    first, last = said.partition(" ")[0], said.rpartition(" ")[2]
    # What may be an address, a command or a code is told as it is.
    if _LOWER.fullmatch(first):
        said = said[:1].upper() + said[1:]
    return f"{said[: MAX_MEMORY_CHARS - 1]}." if _PLAIN.fullmatch(last) else said


def dated(text: str, at: datetime) -> str:
    """Return a text with dates in place of words that mean another day tomorrow."""

    def date(found: re.Match[str]) -> str:
        day = at + timedelta(days=_DAYS[found[0].casefold()])
        return f"on {day:%Y-%m-%d}"

    return _DAY.sub(date, text)
