"""Reads the result of a collection's search as the passages that it has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Final

_PASSAGE: Final = re.compile(
    r'<passage id="(?P<id>[^"]*)"(?P<said>[^>]*)>\n(?P<text>.*?)\n</passage>(?=\n<passage id="|\s*\Z)', re.DOTALL
)
_SECTION: Final = re.compile(r' section="([^"]*)"')
_SEPARATOR: Final = " > "


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """A passage as a model is told of it."""

    id: str
    """What it is cited by; empty where that is not known for sure."""
    heading: str
    """The innermost heading that it stands under, may be empty."""
    text: str


def read_passages(content: str, number: int) -> tuple[FoundPassage, ...]:
    """Return the passages of a search's result.

    Args:
        content: What the model is told.
        number: How many passages the search found. Where another number is read, one of them has words in it that look
            like the frame of another passage, so none of them has an id.
    """
    found = list(_PASSAGE.finditer(content)) if number else []
    return tuple(
        FoundPassage(one["id"] if len(found) == number else "", _heading(one["said"]), one["text"]) for one in found
    )


def _heading(said: str) -> str:
    section = _SECTION.search(said)
    return unescape(section[1]).rpartition(_SEPARATOR)[2] if section else ""
