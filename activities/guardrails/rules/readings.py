"""A text as what shows it reads it.

HTML has names for characters, and Markdown escapes them.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_NAMED: Final = r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});?"
_HTML: Final = re.compile(_NAMED, re.IGNORECASE)
_MARKDOWN: Final = re.compile(rf"\\[!-/:-@\[-`{{-~]|{_NAMED}", re.IGNORECASE)


@dataclass(slots=True)
class ShownText:
    """A text as it is shown, and where in the written one each character stands."""

    text: str = ""
    _shown: list[int] = field(default_factory=lambda: [0])
    _written: list[int] = field(default_factory=lambda: [0])

    @classmethod
    def of(cls, written: str, named: re.Pattern[str]) -> ShownText:
        """Return a text with the characters in place of what they are written by."""
        made = cls()
        pieces: list[str] = []
        length = last = 0
        for found in named.finditer(written):
            character = found[0][1:] if found[0][0] == "\\" else html.unescape(found[0])
            pieces += written[last : found.start()], character
            length += found.start() - last + len(character)
            last = found.end()
            made._shown.append(length)
            made._written.append(last)
        made.text = "".join((*pieces, written[last:]))
        return made

    def written_at(self, index: int) -> int:
        """Return where in the written text a character of the shown one begins."""
        part = bisect_right(self._shown, index) - 1
        return self._written[part] + index - self._shown[part]


def readings(text: str) -> Iterator[ShownText]:
    """Yield a text as it stands, as HTML and as Markdown show it, where they differ."""
    yield ShownText(text)
    seen = {text}
    for named in (_HTML, _MARKDOWN):
        shown = ShownText.of(text, named)
        if shown.text not in seen:
            seen.add(shown.text)
            yield shown
