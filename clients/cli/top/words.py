"""Durations, money and foreign texts in few characters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from ....contracts.text import one_line
from ..terminal import harmless

if TYPE_CHECKING:
    from rich.text import Text

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_LONGEST: Final = 600
GAP: Final = "   "
"""Stands between things on a line."""


def span(since: datetime | None, now: datetime) -> str:
    """Return how long ago something was, in at most six characters; `-`: unknown."""
    return "-" if since is None else seconds_in_words((now - since) / timedelta(seconds=1))


def seconds_in_words(seconds: float) -> str:
    """Return seconds in at most six characters: `7s`, `2m05s`, `3h12m`, `12d4h`."""
    whole = max(int(seconds), 0)
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02}m"
    days = whole // _DAY
    return f"{days}d{whole % _DAY // _HOUR}h" if days < 100 else f"{days}d"


def money(dollars: float, *, is_whole: bool = True, is_priced: bool = True) -> str:
    """Return US dollars, with `+` behind them where it is more.

    Args:
        dollars: How many.
        is_whole: Whether all was read that tells of them.
        is_priced: Whether all prices are known. Where none is, nothing known is not the same as free.
    """
    more = "" if is_whole and is_priced else "+"
    if not dollars:
        return "-" if is_whole and is_priced else "?"
    return (f"${dollars:,.2f}" if dollars >= 100 else f"${dollars:.4f}") + more


def foreign(text: str, chars: int = _LONGEST) -> str:
    """Return anybody's text as one harmless line, which is as wide as it is shown."""
    return harmless(one_line(text, chars))


def fitted(text: str, width: int, *, right: bool = False) -> str:
    """Return a text that is just so wide, with `…` where it is cut."""
    from rich.cells import cell_len, set_cell_size

    wide = cell_len(text)
    if wide > width:
        return set_cell_size(text, width - 1) + "…" if width > 1 else "…"[:width]
    blank = " " * (width - wide)
    return blank + text if right else text + blank


def flowing(chunks: Iterable[Text], width: int, *, most: int = 4) -> Sequence[Text]:
    """Return lines of a width that have as many things each as fit.

    Args:
        chunks: The things.
        width: Of the lines.
        most: How many lines there may be.
    """
    from rich.text import Text

    lines: list[Text] = []
    # One that is wider than a line goes on after a comma.
    parts = (part for chunk in chunks for part in ([chunk] if chunk.cell_len <= width else chunk.split(", ")))
    for chunk in parts:
        if lines and lines[-1].cell_len + len(GAP) + chunk.cell_len <= width:
            lines[-1].append(GAP).append_text(chunk)
        else:
            lines.append(Text().append_text(chunk))
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines[:most]


def folded(text: str, width: int, most: int) -> Sequence[str]:
    """Return a text in at most so many lines of a width.

    Args:
        text: One line, harmless.
        width: Of the lines.
        most: How many there may be.
    """
    from rich.cells import cell_len, chop_cells

    width = max(width, 1)
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(joined) <= width:
            lines[-1] = joined
        elif cell_len(word) <= width:
            lines.append(word)
        else:
            # A word that is longer than a line begins where it stands.
            first, *rest = chop_cells(joined, width)
            lines[-1:] = [first, *rest]
    if len(lines) > most:
        return [*lines[: most - 1], fitted(" ".join(lines[most - 1 : most + 1]) + "…", width)]
    return lines
