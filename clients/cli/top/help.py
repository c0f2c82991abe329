"""What the keys do, and what is seen. Does no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rich.text import Text

from .view import KEYS
from .words import fitted, folded

_WORDS: Final[Mapping[str, str]] = {
    "STALLED 3x": "its workflow code failed three times in a row, and is tried again until it is mended",
    "NO WORKER": "its work waits, and no worker takes it",
    "RETRIED 8x": "a call failed eight times, and is tried again",
    "PAUSED": "somebody paused a call of it",
    "idle": "a chat that waits for a person's message",
    "?": "not looked at yet: a look takes forty of them, those in trouble and those shown first",
    "QUIET": "how long ago something happened in it",
    "CALLS": "model calls that were answered, with those of its nested runs",
    "+": "that much at least: its history is read by and by, or a price is not known",
}
_KEY_WIDTH: Final = 11


def help_page(width: int, height: int) -> list[Text]:
    """Return the help as lines of a screen."""
    lines = [Text(fitted("sostenuto top", width), style="bold"), Text()]
    for pairs in (KEYS, _WORDS):
        for name, what in pairs.items():
            parts = folded(what, max(width - _KEY_WIDTH - 1, 8), 3)
            for place, part in enumerate(parts):
                line = Text(fitted("" if place else name, _KEY_WIDTH), style="bold")
                lines.append(line.append(f" {part}", style="not bold"))
        lines.append(Text())
    return lines[: max(height, 1)]
