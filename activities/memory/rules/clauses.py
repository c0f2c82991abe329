"""Cuts what somebody writes into clauses that each say one thing.

Must not know what they say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ....contracts.text import is_seen

_QUOTED: Final = re.compile(r"```.*?```|^>[^\n]*$", re.DOTALL | re.MULTILINE)
_BLANKS: Final = re.compile(r"[^\S\n]+")
_ABBREVIATED: Final = re.compile(r"\b(Dr|Mr|Mrs|Ms|Prof|St|Jr|Sr)\.")
"""No sentence ends with it."""
_SENTENCE: Final = re.compile(r"[^.!?;\n]+(?:[.!?;](?=\S)[^.!?;\n]+)*[.!?;\n]?")
_JOINT: Final = re.compile(
    r",? (?:and|but|so|though|although|because|also) (?=(?:i|my|we|our|please)\b|i')|, (?=(?:i|my)\b|i')",
    re.IGNORECASE,
)
_LEADS: Final = re.compile(
    r"^(?:(?:well|so|and|but|also|oh|ok(?:ay)?|yes|no|hi|hello|hey(?: there)?|thanks|thank you|sorry|btw|by the "
    r"way|fyi|"
    r"actually|anyway|besides|in fact|just so you know|for the record|for your information|to be clear|correction|"
    r"update|good news|as of (?:today|now)|these days|nowadays|currently|recently|lately|now)\b[\s,:!-]*)+",
    re.IGNORECASE,
)
_ASKED: Final = re.compile(
    r"^(?:please\s+)?(?:can you |could you |will you )?(?:please\s+)?(?:(?:do )?remember|note|keep in mind|don't "
    r"forget|"
    r"bear in mind|make a note)(?:\s+that|\s+this|\s*:|,)?\s+(?!me\b|how\b|when\b|what\b|to\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence that says one thing."""

    text: str
    is_asked: bool = False
    """Whether it is asked to be remembered."""
    is_change: bool = False
    """Whether it begins by saying that something is otherwise than was said."""


def unquoted(text: str) -> str:
    """Return a text without code and without what it quotes, with plain apostrophes.

    Any blanks but ends of lines are one space: an expression that looks for some behind others would begin at each of
    many.
    """
    return _BLANKS.sub(" ", _QUOTED.sub("\n", text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")))


def clauses_of(text: str) -> Iterator[Clause]:
    """Yield the clauses of a text that state something.

    No questions, no code, nothing that is quoted.
    """
    for found in _SENTENCE.finditer(_ABBREVIATED.sub(r"\1", unquoted(text))):
        sentence = found[0].strip()
        if sentence.endswith("?") or not sentence:
            continue
        asked = False
        for part in _JOINT.split(sentence.rstrip(".!?;\n ")):
            lead = _LEADS.match(part.strip())
            clause = part.strip()[lead.end() :] if lead else part.strip()
            wanted = _ASKED.match(clause)
            # What is joined to something that is to be remembered is to be so, too.
            asked = asked or bool(wanted)
            clause = clause[wanted.end() :] if wanted else clause
            words = lead[0].casefold() if lead else ""
            if is_seen(clause):
                changed = any(word in words for word in ("actually", "correction", "update"))
                yield Clause(" ".join(clause.split()), asked, changed)
