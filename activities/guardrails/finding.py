"""What a detector finds in a text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """A part of a text that is of some kind."""

    kind: str
    """Such as `email` or `iban`."""
    start: int
    """Index of its first character."""
    end: int
    """Index behind its last one."""

    def overlaps(self, other: Finding) -> bool:
        """Return whether both have a character in common."""
        return self.start < other.end and other.start < self.end


def before(text: str, index: int, chars: int) -> str:
    """Return at most so many characters of a text before an index."""
    return text[max(index - chars, 0) : index]


def without_overlaps(found: Iterable[Finding]) -> list[Finding]:
    """Return findings in the order of the text, of which no two overlap.

    Args:
        found: The surest first: of two that overlap that counts.
    """
    kept: list[Finding] = []
    for one in found:
        if not any(one.overlaps(other) for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: one.start)
