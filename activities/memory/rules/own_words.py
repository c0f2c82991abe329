"""What somebody writes, in their own words.

Where no model finds what of it is worth remembering. Must not judge what it says.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from ....contracts.memory.long_term import MemoryKind
from ....contracts.text import is_seen
from ....contracts.wire.memory.record import NewMemory
from .clauses import unquoted
from .extracting import dated

_SENTENCE_ENDS: Final = re.compile(r"(?<=[.!?])\s+|\n+")
_FEWEST_WORDS: Final = 4
_MOST_CHARS: Final = 500
"""Longer texts are seldom of oneself, and an embedding sees no more of them."""
_IMPORTANCE: Final = 0.3


def in_own_words(text: str, at: datetime) -> tuple[NewMemory, ...]:
    """Return a message as an episode: that the user said what it states.

    None where it states next to nothing. No questions, no code, nothing that is quoted.

    Args:
        text: What somebody wrote.
        at: When: `tomorrow` becomes a date.
    """
    sentences = [one.strip() for one in _SENTENCE_ENDS.split(unquoted(text))]
    stated = " ".join(one for one in sentences if one and not one.endswith("?"))
    if sum(map(is_seen, stated.split())) < _FEWEST_WORDS:
        return ()
    cut = stated if len(stated) <= _MOST_CHARS else stated[:_MOST_CHARS].rsplit(" ", 1)[0]
    return (NewMemory(kind=MemoryKind.EPISODE, text=f"The user said: {dated(cut, at)}", importance=_IMPORTANCE),)
