"""Looks at the texts of something with one guardrail, and takes out what it finds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ...contracts.text import plural
from .finding import Finding
from .looking import FindIn

_PLACEHOLDER: Final = re.compile(r"<[A-Z][A-Z0-9_]{1,60}>")
"""What redaction leaves: it is not redacted again."""

if TYPE_CHECKING:
    from .vault.vault import Hidden

Hide = Callable[[str, str], "Hidden"]
"""Returns by a kind and a value what takes the place of the value."""


class Hiding:
    """One guardrail at work on the texts of one message.

    Args:
        look: Finds what it looks for.
        hide: Says what takes the place of it. None: it stays.
    """

    def __init__(self, look: FindIn, hide: Hide | None) -> None:
        self._look = look
        self._hide = hide
        self.found: Counter[str] = Counter()
        """How often each kind was found."""
        self.sealed: dict[str, str] = {}
        """Originals of what was taken out, as ciphertext, by placeholder."""

    def change(self, text: str, field: str) -> str:
        """Return a text without what was found in it, if that is taken out.

        Args:
            text: The text.
            field: What it stands under, which may say what it is, as `password` does.
        """
        if not text:
            return text
        # As people would write it: some values are known by what stands before them.
        lead = f"{field}: " if field else ""
        found = [one for one in found_in(lead + text, self._look) if one.end > len(lead)]
        if not found:
            return text
        pieces, at = [], 0
        for one in found:
            start, end = max(one.start - len(lead), 0), one.end - len(lead)
            self.found[one.kind] += 1
            if self._hide:
                hidden = self._hide(one.kind, text[start:end])
                if hidden.sealed:
                    self.sealed[hidden.placeholder] = hidden.sealed
                pieces += [text[at:start], hidden.placeholder]
                at = end
        return "".join([*pieces, text[at:]])

    @property
    def words(self) -> str:
        """What was found, without any of it; empty where nothing was."""
        return ", ".join(plural(count, kind.replace("_", " ")) for kind, count in sorted(self.found.items()))


def found_in(text: str, look: FindIn) -> list[Finding]:
    """Return what is found in a text: no two overlap, and none is a placeholder."""
    found = look(text)
    left = [Finding("", one.start(), one.end()) for one in _PLACEHOLDER.finditer(text)] if found else []
    kept: list[Finding] = []
    for one in found:
        if (not kept or kept[-1].end <= one.start) and not any(one.overlaps(other) for other in left):
            kept.append(one)
    return kept
