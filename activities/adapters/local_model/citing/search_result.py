"""Reads the result of a collection's search as the passages that it has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from typing import Final

from .....contracts.collection.document import PATH_SEPARATOR
from .....contracts.wire.retrieval import Passage, Retrieved, text_within_frame

_PASSAGE: Final = re.compile(
    r'<passage id="(?P<id>[^"]*)"(?P<said>[^>]*)>\n(?P<text>.*?)\n</passage>(?=\n<passage id="|\s*\Z)', re.DOTALL
)
_SECTION: Final = re.compile(r' section="([^"]*)"')
_SAID: Final = re.compile(r'(?: source="([^"]*)")?(?: section="([^"]*)")?(?: page="(\d{1,9})")?')


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
    return _passages(found, has_ids=len(found) == number)


def passages_alone(text: str) -> tuple[FoundPassage, ...]:
    """Return the passages of a text that is what a model reads of a search.

    Every other text has none.

    Args:
        text: A part of a message. How many passages it should have is not known: where two have one id, one of them is
            made of words of the other, so none of them has an id.
    """
    found = list(_PASSAGE.finditer(text))
    if not found or "\n".join(map(_rewritten, found)) != text:
        return ()
    clear = len({one["id"] for one in found}) == len(found)
    return _passages(found, has_ids=clear)


def _passages(found: Sequence[re.Match[str]], *, has_ids: bool) -> tuple[FoundPassage, ...]:
    return tuple(
        FoundPassage(one["id"] if has_ids else "", _heading(one["said"]), text_within_frame(one["text"]))
        for one in found
    )


def _rewritten(found: re.Match[str]) -> str:
    """Return a frame as a search writes it that has what this one has."""
    said = _SAID.fullmatch(found["said"])
    if not said:
        return ""
    source, section, page = said.groups()
    headings = tuple(unescape(section).split(PATH_SEPARATOR)) if section else ()
    passage = Passage(
        id=unescape(found["id"]),
        text=text_within_frame(found["text"]),
        source=unescape(source or ""),
        headings=headings,
        page=int(page) if page else None,
        start=0,
        end=0,
    )
    return Retrieved(passages=(passage,)).content


def _heading(said: str) -> str:
    section = _SECTION.search(said)
    return unescape(section[1]).rpartition(PATH_SEPARATOR)[2] if section else ""
