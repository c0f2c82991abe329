"""Where a text is best cut.

Between its paragraphs, else its lines or sentences, else its words.
Must not know how long a piece may be.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from ....contracts.collection.document import Form

_BLANK: Final = re.compile(r"\n[ \t]*\n")
_DEFINITION: Final = re.compile(r"\n[ \t]*\n(?=[^\s)\]}])")
_ITEM: Final = re.compile(r"\n(?=[ \t]*(?:[-*+>|]|\d{1,9}[.)])[ \t])")
_UNINDENTED: Final = re.compile(r"\n(?=[^\s)\]}])")
_QUOTES: Final = r"[\"'\u201d\u2019)\]]*"
_WIDE_STOPS: Final = r"\u3002\uff01\uff1f"
_LAST_OF_LINE: Final = re.compile(rf"[.!?:;\u2026{_WIDE_STOPS}]{_QUOTES}\n")
_SENTENCE: Final = re.compile(rf"[.!?\u2026]{_QUOTES}\s|[{_WIDE_STOPS}]")
_LINE: Final = re.compile(r"\n")
_CLAUSE: Final = re.compile(r"[,;:]\s|[\u3001\uff0c\uff1b\uff1a]")
_WORD: Final = re.compile(r"\s")
_JOINERS: Final = "\u200d\ufe0e\ufe0f"

_BEST_FIRST: Final[dict[Form, tuple[re.Pattern[str], ...]]] = {
    "markdown": (_BLANK, _ITEM, _SENTENCE),
    "text": (_BLANK, _LAST_OF_LINE, _SENTENCE),
    "code": (_DEFINITION, _BLANK, _UNINDENTED),
}
_ANYWHERE: Final = (_BLANK, _LINE, _CLAUSE, _WORD)
"""Also within a fenced block."""


def best_cut(text: str, first: int, last: int, form: Form, is_fenced: Callable[[int], bool]) -> int:
    """Return the best place for a cut after `first` and up to `last`.

    Of places that are as good as each other it is the latest.
    """
    # The first character of the next piece is looked at as well.
    window = text[first : last + 1]
    width = last - first
    for pattern in _BEST_FIRST[form]:
        cuts = [match.end() for match in pattern.finditer(window)]
        for cut in reversed(cuts):
            if 0 < cut <= width and not is_fenced(first + cut):
                return first + cut
    for pattern in _ANYWHERE:
        cuts = [match.end() for match in pattern.finditer(window)]
        for cut in reversed(cuts):
            if 0 < cut <= width:
                return first + cut
    return _between_characters(text, first, last)


def _between_characters(text: str, first: int, last: int) -> int:
    """Return a place between characters as people see them.

    No accent is parted from its letter, and no picture from what changes it.
    """
    for cut in range(last, max(first, last - 16), -1):
        following = text[cut : cut + 1]
        parts = following and (unicodedata.combining(following) or following in _JOINERS)
        if not parts and text[cut - 1] != _JOINERS[0]:
            return cut
    return last
