"""Shows an answer that is still coming in, as far as it has passed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..model_adapter import Delta, OnDelta
from .finding import Finding
from .hiding import Hide, found_in
from .looking import FindIn

_SENTENCE_END: Final = re.compile(r"[.!?…][\"')\]»”]*\s+(?=[^\W\d_])|\n[ \t]*\n\s*(?=[^\W\d_])")
"""After it a sentence or a paragraph begins, with a letter: no value that is looked for goes on over that."""
_CONTEXT_CHARS: Final = 400
"""Of what stands before a sentence: a value may be known by it."""


@dataclass(frozen=True, slots=True)
class SentenceGuard:
    """A guardrail that can look at one sentence after the other."""

    look: FindIn
    hide: Hide | None
    """Says what takes the place of what it finds. None: nothing is let through any more."""


class GuardedStream:
    """One answer on its way to those who watch.

    A sentence is let through once the next one is there as well, for what follows may say what a value is: so what was
    shown is the beginning of what is told in the end, however it came in. What was shown of an answer that does not
    pass in the end, or that was redacted otherwise as a whole, is taken back by the answer itself.

    Args:
        guards: Look at the sentences, in order.
        on_delta: Told what has passed.
    """

    def __init__(self, guards: Sequence[SentenceGuard], on_delta: OnDelta) -> None:
        self._guards = guards
        self._on_delta = on_delta
        self._text = ""
        self._passed = 0
        self._ends: list[int] = []
        self._stopped = False

    def take(self, delta: Delta) -> None:
        """Take in the next piece: thoughts and calls are told with the answer alone."""
        if delta.kind != "text" or self._stopped:
            return
        begin = max(len(self._text) - _CONTEXT_CHARS, self._ends[-1] if self._ends else 0)
        self._text += delta.text
        known = self._ends[-1] if self._ends else 0
        new = [one.end() for one in _SENTENCE_END.finditer(self._text, begin) if one.end() > known]
        if not new:
            return
        self._ends += new
        if len(self._ends) > 1:
            self._let_through(self._ends[-2])
            self._ends = self._ends[-1:]

    def _let_through(self, end: int) -> None:
        """Let sentences through up to an index, with a look at those behind it."""
        start = max(self._passed - _CONTEXT_CHARS, 0)
        window, lead = self._text[start : self._ends[-1]], self._passed - start
        instead: list[tuple[Finding, str]] = []
        for guard in self._guards:
            for one in found_in(window, guard.look):
                if one.end <= lead or one.start >= end - start or any(one.overlaps(other) for other, _ in instead):
                    continue
                if one.end > end - start:
                    # It goes on over what looked like an end.
                    return
                if one.start < lead or guard.hide is None:
                    self._stopped = True
                    return
                instead.append((one, guard.hide(one.kind, window[one.start : one.end]).placeholder))
        pieces, at = [], lead
        for one, placeholder in sorted(instead, key=lambda each: each[0].start):
            pieces += [window[at : one.start], placeholder]
            at = one.end
        self._passed = end
        self._on_delta(Delta("text", "".join([*pieces, window[at : end - start]])))
