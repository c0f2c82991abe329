"""What somebody writes, in their own words.

Where no model finds what of it is worth remembering. Must not judge what it says.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from ....contracts.memory.long_term import MAX_MEMORY_CHARS, MemoryKind
from ....contracts.text import is_seen
from ....contracts.wire.memory.record import NewMemory
from .clauses import unquoted
from .retelling import dated

_SENTENCE_ENDS: Final = re.compile(r"(?<=[.!?])\s+|(?<=[\u3002\uff01\uff1f])\s*|\n+")
_QUESTION_ENDS: Final = ("?", "\uff1f")
_UNSPACED: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
"""Letters of writings that put no blanks between words: Chinese, Japanese, Thai and their like."""
_FEWEST_UNSPACED: Final = 6
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
    stated = " ".join(one for one in sentences if one and not one.endswith(_QUESTION_ENDS))
    if sum(map(is_seen, stated.split())) < _FEWEST_WORDS and len(_UNSPACED.findall(stated)) < _FEWEST_UNSPACED:
        return ()
    cut = stated if len(stated) <= _MOST_CHARS else _without_last(stated[:_MOST_CHARS])
    # A date is longer than the word in whose place it stands.
    text = f"The user said: {dated(cut, at)}"[:MAX_MEMORY_CHARS]
    return (NewMemory(kind=MemoryKind.EPISODE, text=text, importance=_IMPORTANCE),)


def _without_last(text: str) -> str:
    """Return a text that was cut, without the word that may be half of one."""
    return text.rsplit(" ", 1)[0] if len(text.split(" ")) >= _FEWEST_WORDS else text
