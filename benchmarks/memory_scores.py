"""The written dialogues of `benchmarks/dialogues`, and how well a memory did with one of them.

All of it is judged by words. An alternative is a phrase, or several phrases that must stand in one text, joined by `+`;
a group is alternatives of which one must be there. `It's a Škoda.` holds `škoda`, and no part of a longer word.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

DIALOGUES = Path(__file__).parent / "dialogues" / "dialogues.jsonl"
ORDERED = ("update", "contradiction")
"""Kinds of question of which a stale value must not be ranked before the one that stands."""
UNKNOWN = "unknown"
KINDS = ("fact", *ORDERED, "time", UNKNOWN)

Groups = tuple[tuple[str, ...], ...]

_WORD = re.compile(r"[^\W_]+")
_PAST = (
    *(
        "no longer",
        "not any more",
        "any more",
        "anymore",
        "used to",
        "was going to",
        "formerly",
        "former",
        "previously",
    ),
    *("stopped", "gave up", "given up", "quit", "until", "in the bin", "cancelled", "paused", "instead of"),
)
"""A text with one of these does not say of an old value that it stands."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a dialogue."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Session:
    """What was said on one day."""

    id: str
    date: str
    """As `2025-02-03`."""
    messages: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question after the last session, and what answers it."""

    id: str
    kind: str
    text: str
    k: int
    """Texts within which the answer must be."""
    answer: Groups
    """Of each group some text must hold an alternative. None where it was never said."""
    must_not: tuple[str, ...]
    """Alternatives that stand for stale values, and for those of other people."""
    absent: tuple[str, ...]
    """Words that only an answer would have, where it was never said."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something about the user, as a good memory would put it down."""

    text: str
    words: Groups
    """What a text that says so must hold, all in one."""
    said: str
    """The session."""
    ended: str | None = None
    by: str | None = None
    """What was said in that session in its place."""


@dataclass(frozen=True, slots=True)
class Never:
    """Something that was said of others, in jest or as a mere thought, and is not so."""

    text: str
    words: Groups
    unless: tuple[str, ...]
    """Words with which a text says it of whom it is true, or that it is not so."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Sessions with one person, what is asked afterwards, and what stands in the end."""

    id: str
    sessions: tuple[Session, ...]
    asked: tuple[Asked, ...]
    stands: tuple[Fact, ...]
    superseded: tuple[Fact, ...]
    never: tuple[Never, ...]

    def facts_of(self, session: str) -> list[str]:
        """Return what a faultless extraction finds in a session, by its id."""
        facts = (*self.stands, *self.superseded)
        said = [fact.text for fact in facts if fact.said == session]
        return [
            *said,
            *dict.fromkeys(fact.by for fact in facts if fact.ended == session and fact.by not in said if fact.by),
        ]


@dataclass(frozen=True, slots=True)
class Recalled:
    """A text that a memory returned, best first, as it would enter a prompt."""

    text: str
    score: float | None = None
    """The higher the closer. None where the memory has no such number."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a memory's answer to one question came to."""

    kind: str
    rank: int | None
    """Texts that hold the whole answer, counted from the first one."""
    stale_first: bool
    """Whether a stale value came before the answer, or in its place."""
    stale_at: int | None
    """Rank of the first text that says something of `must_not` as if it stood."""
    best: float | None
    """The highest score."""
    returned: int

    def is_right(self, k: int) -> bool:
        """Return whether the answer was within the first `k` texts, before any stale value of an ordered kind."""
        if self.kind == UNKNOWN:
            return self.returned == 0
        return self.rank is not None and self.rank <= k and not (self.kind in ORDERED and self.stale_first)

    def is_clean(self, k: int) -> bool:
        """Return whether it is right, and nothing stale or foreign is within the first `k` texts either."""
        return self.is_right(k) and (self.stale_at is None or self.stale_at > k)


@dataclass(frozen=True, slots=True)
class State:
    """How what a memory holds in the end compares with what is so."""

    stands: tuple[bool, ...]
    """Of each fact that stands, whether a text says it."""
    gone: tuple[bool, ...]
    """Of each superseded one, whether no text says it."""
    kept_out: tuple[bool, ...]
    """Of each that never was so, whether no text says it."""
    texts: int


def read(path: Path = DIALOGUES) -> list[Dialogue]:
    """Return the dialogues of a file that has one per line."""
    return [_dialogue(json.loads(line)) for line in path.read_text().splitlines()]


def holds(text: str, alternative: str) -> bool:
    """Return whether a text has every phrase of an alternative, as whole words."""
    words = _normal(text)
    return all(_normal(phrase) in words for phrase in alternative.split("+"))


def says(text: str, groups: Groups) -> bool:
    """Return whether one text has an alternative of every group."""
    return all(any(holds(text, one) for one in group) for group in groups)


def verdict(asked: Asked, recalled: Sequence[Recalled]) -> Verdict:
    """Judge what a memory returned for a question."""
    texts = [one.text for one in recalled]
    ranks = [_first(texts, partial(says, groups=(group,))) for group in asked.answer]
    found = [rank for rank in ranks if rank is not None]
    rank = max(found) if found and len(found) == len(ranks) else None
    stale_at = _first(texts, partial(_is_stale, asked=asked))
    scores = [one.score for one in recalled if one.score is not None]
    return Verdict(
        kind=asked.kind,
        rank=rank,
        stale_first=stale_at is not None and (rank is None or stale_at < rank),
        stale_at=stale_at,
        best=max(scores, default=None),
        returned=len(texts),
    )


def state_of(dialogue: Dialogue, texts: Sequence[str]) -> State:
    """Compare the texts that stand in a memory with the final state of a dialogue."""
    return State(
        tuple(any(says(text, fact.words) for text in texts) for fact in dialogue.stands),
        tuple(
            not any(_says_still(text, fact, heirs) for text in texts)
            for fact in dialogue.superseded
            for heirs in (_heirs(fact, dialogue),)
            # One that came back in the end cannot be told from what stands.
            if not any(says(fact.text, heir.words) for heir in heirs)
        ),
        tuple(
            not any(says(text, one.words) and not _has_any(text, one.unless) for text in texts)
            for one in dialogue.never
        ),
        len(texts),
    )


def separation(verdicts: Iterable[Verdict]) -> float | None:
    """Return how well the best score tells what was said from what was not: 0.5 is chance, 1 is perfect.

    The share of pairs of a question with an answer and one without in which the former has the higher score. Where
    nothing was returned, the score is lower than any other. None where a memory has no scores.
    """
    known: list[float] = []
    unknown: list[float] = []
    for one in verdicts:
        best = one.best if one.returned else -math.inf
        if best is None:
            return None
        (unknown if one.kind == UNKNOWN else known).append(best)
    if not unknown or not known:
        return None
    won = sum((best > other) + 0.5 * (best == other) for best in known for other in unknown)
    return won / (len(known) * len(unknown))


def _heirs(fact: Fact, dialogue: Dialogue) -> list[Fact]:
    """Return what took a fact's place, what took that one's place, and so on."""
    known = {one.text: one for one in (*dialogue.stands, *dialogue.superseded)}
    heirs: list[Fact] = []
    while (heir := known.get(fact.by or "")) and heir not in heirs:
        heirs.append(heir)
        fact = heir
    return heirs


def _says_still(text: str, fact: Fact, heirs: Sequence[Fact]) -> bool:
    return says(text, fact.words) and not _has_any(text, _PAST) and not any(says(text, heir.words) for heir in heirs)


def _is_stale(text: str, asked: Asked) -> bool:
    answers = any(says(text, (group,)) for group in asked.answer)
    return not answers and not _has_any(text, _PAST) and _has_any(text, asked.must_not)


def _has_any(text: str, alternatives: Iterable[str]) -> bool:
    return any(holds(text, one) for one in alternatives)


def _first(texts: Sequence[str], wanted: Callable[[str], bool]) -> int | None:
    return next((rank for rank, text in enumerate(texts, 1) if wanted(text)), None)


def _normal(text: str) -> str:
    return f" {' '.join(_WORD.findall(text.casefold()))} "


def _dialogue(given: dict[str, Any]) -> Dialogue:
    final = given["final"]
    return Dialogue(
        given["id"],
        tuple(
            Session(one["id"], one["date"], tuple(Said(**message) for message in one["messages"]))
            for one in given["sessions"]
        ),
        tuple(
            Asked(
                id=one["id"],
                kind=one["kind"],
                text=one["question"],
                k=one["k"],
                answer=_groups(one["any_of"]),
                must_not=tuple(one["must_not"]),
                absent=tuple(one.get("absent", ())),
            )
            for one in given["questions"]
        ),
        tuple(_fact(one) for one in final["stands"]),
        tuple(_fact(one) for one in final["superseded"]),
        tuple(Never(one["fact"], _groups(one["any_of"]), tuple(one["unless"])) for one in final["never"]),
    )


def _fact(given: dict[str, Any]) -> Fact:
    return Fact(given["fact"], _groups(given["any_of"]), given["said"], given.get("ended"), given.get("by"))


def _groups(given: Sequence[Sequence[str]]) -> Groups:
    return tuple(tuple(group) for group in given)
