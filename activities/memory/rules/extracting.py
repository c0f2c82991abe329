"""Finds by rules what a text says of its author that is worth remembering.

English alone, and only what is said in so many words: no irony, no hearsay, nothing between the lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final
from unicodedata import normalize

from ....contracts.memory.long_term import MAX_MEMORY_CHARS, MemoryKind
from ....contracts.text import is_seen
from ....contracts.wire.memory.record import MOST_WRITTEN, NewMemory
from .clauses import Clause, clauses_of
from .patterns import NOTHING_OF_ONESELF, PATTERNS, Pattern
from .retelling import dated, in_third_person, retold

_MOST_CLAUSE_CHARS: Final = 300
_SHORTEST: Final = 2
_TAIL: Final = re.compile(
    r"(?:,?\s+(?:by the way|btw|now|too|as well|please|thanks|thank you|these days|nowadays|at the moment|so far|"
    r"right now|"
    r"if you (?:want|like|need to know)|for now|instead|you know)|\s+(?:since|because|so that|and so|while|which is|"
    r"when you|if you)\b.*)+$",
    re.IGNORECASE,
)
_WHEN: Final = re.compile(
    r"(?:,?\s+(?:(?:last|this|next) \w+|(?:a|\d+|two|three|four|five|six|some|many) \w+ ago|yesterday|today|in "
    r"\d{4}|(?:in|on) "
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*(?: \d{4})?|for (?:\d+|a few|two|three|many|some) \w+))+$",
    re.IGNORECASE,
)
"""When something began, behind what is so since."""
_SINCE: Final = frozenset({"home", "employer", "job"})
"""Of what it is told when it began."""
_ITEMS: Final = re.compile(r"\s*,\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+", re.IGNORECASE)
_IS: Final = re.compile(r"(?:the|our) ([\w' -]{2,60}?) (?:is|are)(?: now)? \S", re.IGNORECASE)
_ARTICLE: Final = re.compile(r"^(?:an?|the|my|our|some|any|all)\s+", re.IGNORECASE)
_TALK: Final = re.compile(
    r"(?:to\b|that\b|it\b|this\b|these\b|those\b|what\b|how\b|you\b|your\b|not\b|when\b|if\b|there\b|here\b|"
    r"sure\b|going to\b|"
    r"wondering\b|looking\b|trying\b|getting\b|having\b)",
    re.IGNORECASE,
)
"""How something begins that says nothing by itself."""

_AROUND: Final = ".,;:!?\"'()[]{}<>*_`\u201c\u201d\u2018\u2019\u2026-"
"""What stands around a word and says nothing of what it means."""


def extracted(text: str, at: datetime, kinds: Sequence[MemoryKind]) -> tuple[NewMemory, ...]:
    """Return what a text says that is worth remembering, in its order.

    Of what it says twice otherwise, the last counts.

    Args:
        text: What somebody wrote of themselves.
        at: When: `tomorrow` becomes a date.
        kinds: Which kinds are wanted.
    """
    found: dict[str, NewMemory] = {}
    for clause in clauses_of(text):
        for memory in _said_in(clause, at):
            if memory.kind in kinds:
                # Said last it comes last.
                found.pop(memory.key or memory.text, None)
                found[memory.key or memory.text] = memory
    return tuple(found.values())[:MOST_WRITTEN]


def understood(text: str, kind: MemoryKind, at: datetime) -> NewMemory:
    """Return one text that is to be remembered as it is.

    With what it is about, where the rules know that.

    Args:
        text: What is to be remembered.
        kind: What kind of memory it is, where the rules do not know.
        at: When it is said.
    """
    clauses = [*clauses_of(text)]
    said = [memory for clause in clauses for memory in _matched(clause, at)]
    if len(clauses) == len(said) == 1 and len(text) <= _MOST_CLAUSE_CHARS and kind is not MemoryKind.EPISODE:
        return said[0].model_copy(update={"importance": max(said[0].importance, 0.7)})
    if len(clauses) == 1 and not said:
        return _as_said(clauses[0], at, 0.7).model_copy(update={"kind": kind, "text": retold(text, at)})
    return NewMemory(kind=kind, text=retold(text, at), importance=0.7)


def _said_in(clause: Clause, at: datetime) -> Iterator[NewMemory]:
    known = False
    for memory in _matched(clause, at):
        known = True
        yield memory
    is_told = clause.is_asked and len(clause.text.split()) > _SHORTEST and len(clause.text) <= _MOST_CLAUSE_CHARS
    if is_told and not known:
        yield _as_said(clause, at, 0.8)


def _as_said(clause: Clause, at: datetime, importance: float) -> NewMemory:
    """Return what is to be remembered although no pattern knows it.

    That one thing is another has a subject.
    """
    subject = _IS.match(clause.text)
    return NewMemory(
        text=retold(clause.text, at),
        key=_bare(subject[1])[:200] if subject else "",
        importance=importance,
        updates=clause.is_change,
    )


def _matched(clause: Clause, at: datetime) -> Iterator[NewMemory]:
    if len(clause.text) > _MOST_CLAUSE_CHARS:
        return
    for pattern in PATTERNS:
        match = pattern.expression.fullmatch(clause.text)
        if not match:
            continue
        groups = match.groupdict()
        x = next((value for name, value in groups.items() if name.startswith("x") and value), "")
        x, y = _tidy(x), _tidy(groups.get("y") or "")
        x = _WHEN.sub("", x) if pattern.key in _SINCE else x
        if not is_seen(x) or _TALK.match(x) or NOTHING_OF_ONESELF.fullmatch(y or "-") or _is_in_passing(pattern, x):
            return
        for one in _items(pattern, x):
            yield _memory(pattern, one, y, clause, at)
        return


def _memory(pattern: Pattern, x: str, y: str, clause: Clause, at: datetime) -> NewMemory:
    text = dated(pattern.text.replace("{x}", in_third_person(x)).replace("{y}", in_third_person(y)), at)
    return NewMemory(
        kind=pattern.kind,
        text=text[:MAX_MEMORY_CHARS],
        key=_key(pattern, x, y),
        importance=max(pattern.importance, 0.8) if clause.is_asked else pattern.importance,
        updates=pattern.updates or clause.is_change,
    )


def _key(pattern: Pattern, x: str, y: str) -> str:
    bare_x, bare_y = _bare(x), _bare(y)
    filled = pattern.key.replace("{x|y}", " or ".join(sorted((bare_x, bare_y))))
    # Seats by the window and on the aisle are both seats.
    filled = filled.replace("{x:head}", bare_x.split(" ")[-1] if bare_x else "")
    return filled.replace("{x}", bare_x).replace("{y}", bare_y)[:200]


def _bare(text: str) -> str:
    """Return a text as it is compared: without its article, in small letters.

    Signs and symbols stay: C++ is no C#.
    """
    compared = _ARTICLE.sub("", normalize("NFC", text.casefold()))
    words = [word.strip(_AROUND) for word in compared.split()]
    return " ".join(filter(None, words)) or " ".join(compared.split())


def _items(pattern: Pattern, x: str) -> Sequence[str]:
    """Return what is said of each of several things, where each has a key of its own."""
    if "{x}" not in pattern.key:
        return (x,)
    return [one for one in _ITEMS.split(x) if is_seen(one)][:10]


def _is_in_passing(pattern: Pattern, x: str) -> bool:
    # Something that one has, but no subject of its own.
    return not pattern.key and bool(NOTHING_OF_ONESELF.fullmatch(_bare(_ARTICLE.sub("", x)).split(" ")[-1] or "-"))


def _tidy(text: str) -> str:
    return _TAIL.sub("", text.strip(" ,:-\"'")).strip(" ,:-\"'")
