"""What a guardrail's rule says of a text that breaks it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that a text breaks, and where, if it does so somewhere."""

    rule: str
    """Such as `deny[0]`, `max_chars` or `schema`."""
    reason: str
    """What was expected, and nothing of the text."""
    start: int | None = None
    """Index of the first character of what breaks it. None: it is the text as a whole."""
    end: int | None = None
    """Index behind its last one."""
