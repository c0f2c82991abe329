"""How a text is cut where only so much of it is shown or sent."""

from __future__ import annotations


def shorten(text: str, chars: int) -> str:
    """Return at most so many characters of a text, the last one `…` where it is cut."""
    return text if len(text) <= chars else f"{text[: chars - 1]}…"


def first_line(text: str, chars: int) -> str:
    """Return the first line of a text, shortened."""
    return shorten(next(iter(text.strip().splitlines()), ""), chars)


def one_line(text: str, chars: int) -> str:
    """Return a text as one line, shortened: runs of white space become one space."""
    return shorten(" ".join(text.split()), chars)


def cut(text: str, chars: int) -> str:
    """Return the first characters of a text, and say so behind them where it is cut."""
    return text if len(text) <= chars else f"{text[:chars]}… (cut)"


def encodable(text: str) -> str:
    """Return a text with `?` for what is not Unicode, such as half of an emoji."""
    return text.encode(errors="replace").decode()


def plural(number: int, noun: str) -> str:
    """Return a number of things in words: `1 turn`, `2,000 turns`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
