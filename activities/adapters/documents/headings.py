"""The headings of a Markdown document, and the blocks of code in it, by its lines.

Must not read anything else of Markdown: what is bold or a link is all the same to who cuts it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ...knowledge.chunk import heading_text

_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})([^\n]*)")
_ATX: Final = re.compile(r" {0,3}(#{1,6})(?:[ \t]|$)")
_SETEXT: Final = re.compile(r" {0,3}(?:(=+)|-+)[ \t]*$")
# What begins otherwise than a paragraph is no heading, although it is underlined.
_NO_PARAGRAPH: Final = re.compile(r"[ \t]*(?:[-*+>|]|\d+[.)]|$)| {4}|\t")
MAX_PATH_CHARS: Final = 200
"""Longest words of one heading that are kept."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it up to the next one, whatever its level."""

    start: int
    body: int
    """Where the heading ends."""
    level: int
    """From 1. 0: what stands before the first heading."""
    path: tuple[str, ...]
    has_body: bool


class Outline:
    """Where the sections and the fenced blocks of a Markdown document are."""

    def __init__(self, text: str) -> None:
        self.fences: list[tuple[int, int]] = []
        """Start and end of each fenced block."""
        self.sections: list[Section] = []
        found = [(0, 0, 0, "")]
        found += _headings(text, self.fences)
        path: list[tuple[int, str]] = []
        for number, (start, body, level, words) in enumerate(found):
            end = found[number + 1][0] if number + 1 < len(found) else len(text)
            if level:
                while path and path[-1][0] >= level:
                    path.pop()
                path.append((level, words))
            has_body = bool(text[body:end].strip())
            self.sections.append(Section(start, body, level, tuple(word for _, word in path if word), has_body))
        self._starts = [section.start for section in self.sections]
        self._fence_starts = [start for start, _ in self.fences]

    def number_at(self, offset: int) -> int:
        """Return which section a place is in, from 0."""
        return bisect_right(self._starts, offset) - 1

    def is_fenced(self, offset: int) -> bool:
        """Return whether a place is in a fenced block, and not at its beginning."""
        number = bisect_right(self._fence_starts, offset - 1) - 1
        return number >= 0 and offset < self.fences[number][1]

    def path_of(self, start: int, end: int) -> tuple[str, ...]:
        """Return the headings over all that a piece says.

        Of several sections it is what they share.
        """
        numbers = range(self.number_at(start), self.number_at(end - 1) + 1)
        within = [self.sections[number] for number in numbers]
        # Of one in which only the headings are, it is the last.
        paths = [section.path for section in within if section.has_body and section.body < end] or [within[-1].path]
        shared = paths[0]
        for path in paths[1:]:
            length = 0
            for one, other in zip(shared, path, strict=False):
                if one != other:
                    break
                length += 1
            shared = shared[:length]
        return shared


def _headings(text: str, fences: list[tuple[int, int]]) -> Iterator[tuple[int, int, int, str]]:
    """Yield start, end, level and words of each heading.

    The fenced blocks are noted on the way.
    """
    fence = ""
    opened = offset = 0
    before: tuple[int, str] | None = None  # a paragraph of one line, which may be underlined
    in_paragraph = False
    for content in text.split("\n"):
        start, offset = offset, min(offset + len(content) + 1, len(text))
        mark = _FENCE.match(content) if "`" in content or "~" in content else None
        if fence:
            if mark and mark[1].startswith(fence) and not mark[2].strip():
                fences.append((opened, offset))
                fence = ""
            continue
        if mark and not (mark[1][0] == "`" and "`" in mark[2]):
            fence, opened, before, in_paragraph = mark[1], start, None, False
        elif "#" in content and (atx := _ATX.match(content)):
            yield start, offset, len(atx[1]), heading_text(content)[:MAX_PATH_CHARS]
            before, in_paragraph = None, False
        elif before and (underline := _SETEXT.match(content)):
            yield before[0], offset, 1 if underline[1] else 2, heading_text(before[1])[:MAX_PATH_CHARS]
            before, in_paragraph = None, False
        else:
            is_paragraph = not _NO_PARAGRAPH.match(content)
            before = (start, content) if is_paragraph and not in_paragraph else None
            in_paragraph = is_paragraph or (in_paragraph and bool(content.strip()))
    if fence:
        fences.append((opened, len(text)))
