"""Memories: as somebody wants them remembered, and as they are stored."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from pydantic import Field, field_validator

from ...contract import Contract
from ...memory.long_term import MAX_MEMORY_CHARS, MemoryKind
from ...text import is_seen

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SHOWN_ID_CHARS: Final = 8
"""So much of an id is told to models."""

MOST_WRITTEN: Final = 50
"""Most memories of one write."""


class MemoryPlace(Contract):
    """Where memories are, and whose."""

    collection: str
    scope: str
    embedding: str = ""
    """`provider/model` that embeds them, as a run has it. Empty: as the worker's app has it."""


class MemorySource(Contract):
    """Where a memory comes from."""

    run_id: str = ""
    """Id of the run or the chat; empty of what no run said."""
    execution: str = ""
    """Temporal's id of the first execution of that."""
    step: str
    """What of it said so. With what is said it makes the id: said again by the same step it is the same memory."""
    turn: int = 0
    """Which turn of the chat, or model call of the run, from 1; 0 where there is none."""
    at: datetime


class NewMemory(Contract):
    """What is to be remembered."""

    kind: MemoryKind = MemoryKind.FACT
    text: str = Field(min_length=1, max_length=MAX_MEMORY_CHARS)
    key: str = Field(default="", max_length=200)
    """What it is about, where that is known: of one key one memory counts, the newest. Empty: none.
    However it was written it is in one normal form, with single spaces in it and none around it."""
    importance: float = Field(default=0.5, ge=0, le=1, allow_inf_nan=False)
    replaces: tuple[str, ...] = ()
    """Ids of memories that it takes the place of."""
    updates: bool = False
    """Whether it says that something has changed: without a key it takes the place of what is closest to it."""

    @field_validator("text")
    @classmethod
    def _says_something(cls, text: str) -> str:
        if not is_seen(text):
            raise ValueError("nothing of it can be seen: write what is to be remembered")
        return text

    @field_validator("key", mode="before")
    @classmethod
    def _is_compared(cls, key: Any) -> Any:
        if not isinstance(key, str):
            return key
        return " ".join(unicodedata.normalize("NFC", key).split()) if is_seen(key) else ""


class MemoryRecord(Contract):
    """A memory."""

    id: str
    """A UUID, made of the run, the step and what it says."""
    kind: MemoryKind
    text: str
    key: str = ""
    importance: float = 0.5
    source: MemorySource
    """What said it first."""
    confirmed: datetime
    """When it was said last."""
    supersedes: tuple[str, ...] = ()
    """Ids of the memories whose place it took."""
    superseded_by: str = ""
    """Id of the memory that took its place; empty while it counts."""
    superseded_at: datetime | None = None
    score: float | None = None
    """How well it fits what was asked, where something was."""

    @property
    def counts(self) -> bool:
        """Whether no other took its place."""
        return not self.superseded_by


def memory_id(place: MemoryPlace, source: MemorySource, memory: NewMemory, index: int) -> str:
    """Return the id of a memory: the same whenever the same step says the same.

    Args:
        place: Where it is written.
        source: The step.
        memory: What it says.
        index: Which memory of the step it is, from 0: what was so, is so no more, and is so again is said twice.
    """
    return _uuid((*_of_step(place, source, index), memory.kind, memory.key, memory.text))


def step_id(place: MemoryPlace, source: MemorySource, index: int) -> str:
    """Return the id of one memory of a step, of which its text is no part.

    Args:
        place: Where it is written.
        source: The step.
        index: Which memory of it, from 0.
    """
    return _uuid(_of_step(place, source, index))


def _of_step(place: MemoryPlace, source: MemorySource, index: int) -> tuple[str, ...]:
    return place.collection, place.scope, source.run_id, source.execution, source.step, str(index)


def _uuid(parts: Iterable[str]) -> str:
    """Return a UUID that is made of texts, of version 8: the first bits of a hash."""
    digest = sha256(json.dumps([*parts]).encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"


def shown_id(memory: str) -> str:
    """Return as much of an id as models are told."""
    return memory[:SHOWN_ID_CHARS]


def in_utc(moment: datetime) -> datetime:
    """Return a moment in UTC; one without a zone is taken for one."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else _EPOCH + (moment - _EPOCH)
