"""Chooses memories by how well they fit, how recent and how important they are.

The three that Park et al. take (Generative Agents, 2023), weighted so that what fits counts most. Must not do I/O.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from ...contracts.contract import Contract
from ...contracts.wire.memory.calls import RecallCall, RecalledMemory
from ...contracts.wire.memory.record import in_utc
from ..knowledge.store.vector_store import Hit, Record
from .stored import record_of

WORDS_SHARE: Final = 0.3
"""How much the words count in how well a memory fits; the rest is its meaning."""
_WORDS_HALF: Final = 3.0
"""A score by words that counts half."""

RECENCY_SHARE: Final = 0.15
IMPORTANCE_SHARE: Final = 0.25
"""How much these add to how well a memory fits, at most."""

TOKEN_BYTES: Final = 3
"""English has more to a token: what is counted so is no more than it seems."""


ANSWER_BYTES: Final = 500_000
"""Most JSON of the memories of one answer: the server takes 2 MB of an activity, with all that it says beside."""

FittingT = TypeVar("FittingT", bound=Contract)


@dataclass(slots=True)
class FoundMemory:
    """A memory that one way of searching found, or both."""

    payload: Mapping[str, Any]
    dense: float = 0.0
    words: float = 0.0
    told: RecalledMemory = field(init=False)

    def score(self, now: datetime, half_life: timedelta) -> float:
        """Return how much it deserves to be told, from 0 to 1.4."""
        words = self.words / (self.words + _WORDS_HALF)
        fits = (1 - WORDS_SHARE) * max(self.dense, 0.0) + WORDS_SHARE * words
        age = max((in_utc(now) - in_utc(datetime.fromisoformat(self.payload["confirmed"]))) / half_life, 0.0)
        return float(fits + RECENCY_SHARE * 0.5**age + IMPORTANCE_SHARE * float(self.payload.get("importance", 0.5)))


def ranked(hits: Sequence[Sequence[Hit]], call: RecallCall) -> list[RecalledMemory]:
    """Return what was found, the best first.

    With what the conversation was told before.

    Args:
        hits: By meaning; then, where that was looked for, by words.
        call: What was asked.
    """
    found: dict[str, FoundMemory] = {}
    for index, leg in enumerate(hits):
        for hit in leg:
            if record_of(Record(id=hit.id, payload=hit.payload)) is None:
                # Another version wrote it otherwise.
                continue
            one = found.setdefault(hit.id, FoundMemory(hit.payload))
            if index:
                one.words = hit.score
            else:
                one.dense = hit.score
    told = [
        RecalledMemory(
            id=one.payload["memory"],
            kind=one.payload["kind"],
            text=one.payload["text"],
            at=one.payload["confirmed"],
            score=round(one.score(call.now, call.half_life), 4),
        )
        for one in found.values()
    ]
    # Equal ones in the order of their ids, so that the same question has the same answer.
    return sorted(told, key=lambda one: (-one.score, one.id))


def within_tokens(found: Sequence[RecalledMemory], call: RecallCall) -> list[RecalledMemory]:
    """Return as many of the best as may be told.

    Where one does not fit, a shorter one may take its place.
    """
    kept: list[RecalledMemory] = []
    room = call.tokens * TOKEN_BYTES if call.tokens else None
    for one in found:
        size = len(one.told.encode())
        if len(kept) == call.limit:
            break
        if room is None or size <= room:
            kept.append(one)
            room = None if room is None else room - size
    return kept


def within_bytes(found: Sequence[FittingT]) -> list[FittingT]:
    """Return as many of the first as go into one answer, and one at least."""
    kept: list[FittingT] = []
    room = ANSWER_BYTES
    for one in found:
        room -= len(one.model_dump_json().encode())
        if kept and room < 0:
            break
        kept.append(one)
    return kept
