"""A piece of a document, as it is indexed.

Whoever cuts one gives these back. Must not know a file's format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from ...contracts.collection.document import PATH_SEPARATOR

_UNDERLINE: Final = re.compile(r"[ ]{0,3}(=+|-+)[ \t]*")
_HEADING: Final = re.compile(r"[ ]{0,3}#{1,6}(?=[ \t]|$)")
_CLOSING: Final = re.compile(r"(?:^|[ \t])#+[ \t]*$")
_LINK: Final = re.compile(r"!?\[([^\]\[]*)\]\([^()\s]*\)")
_MARKS: Final = re.compile(r"[*`]+")


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


def heading_text(line: str) -> str:
    """Return the words of a heading's line, without its marks, links and emphasis."""
    text = _CLOSING.sub("", _HEADING.sub("", line)) if _HEADING.match(line) else line
    return " ".join(_MARKS.sub("", _LINK.sub(r"\1", text)).split())
