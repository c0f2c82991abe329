"""A document as it is indexed, and a piece of it.

Whoever loads or cuts one gives these back. Must not know a file's format.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, Literal

Form = Literal["text", "markdown", "code"]
"""What the text of a document is written in."""

PATH_SEPARATOR: Final = " > "
"""Stands between the headings of a path."""

_UNDERLINE: Final = re.compile(r"[ ]{0,3}(=+|-+)[ \t]*")
_HEADING: Final = re.compile(r"[ ]{0,3}#{1,6}(?=[ \t]|$)")
_CLOSING: Final = re.compile(r"(?:^|[ \t])#+[ \t]*$")
_LINK: Final = re.compile(r"!?\[([^\]\[]*)\]\([^()\s]*\)")
_MARKS: Final = re.compile(r"[*`]+")


@dataclass(frozen=True, slots=True)
class LoadedDocument:
    r"""A document's text, without what only its format needed.

    Line ends are `\n`. There are no other control characters but `\t`, and no lone surrogates.
    """

    text: str
    form: Form
    title: str = ""
    pages: tuple[int, ...] = ()
    """Offset in `text` at which each page or slide begins. Empty where it has none."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document: `text[start:end]` of it, counted in characters."""

    text: str
    start: int
    end: int
    page: int | None = None
    """Page or slide on which it begins, from 1."""
    headings: tuple[str, ...] = ()
    """Headings that it stands under, the outermost first."""

    def embedded_text(self) -> str:
        """Return what is embedded: the text under its headings.

        Those that it begins with are not said twice.
        """
        lines = (line for line in self.text.split("\n") if line.strip())
        own = {
            heading_text(line) for line in takewhile(lambda line: _HEADING.match(line) or _UNDERLINE.match(line), lines)
        }
        # One that is underlined looks like any other line.
        own.add(heading_text(self.text.partition("\n")[0]))
        path = PATH_SEPARATOR.join(heading for heading in self.headings if heading not in own)
        return f"{path}\n\n{self.text}" if path else self.text


Loader = Callable[[bytes, str], LoadedDocument | str]
"""A loader of one's own: a named function of a document's bytes and its name. A string is taken for plain text."""


def heading_text(line: str) -> str:
    """Return the words of a heading's line, without its marks, links and emphasis."""
    text = _CLOSING.sub("", _HEADING.sub("", line)) if _HEADING.match(line) else line
    return " ".join(_MARKS.sub("", _LINK.sub(r"\1", text)).split())
