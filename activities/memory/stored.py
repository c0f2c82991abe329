"""What stands in a vector store for a memory. Must not know who asks for it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from ...contracts.memory.long_term import MemoryKind
from ...contracts.wire.memory.record import MemoryPlace, MemoryRecord, MemorySource, NewMemory, in_utc, shown_id
from ..knowledge.store.vector_store import Layout, Record, Where

MEMORY: Final = "memory"
MADE: Final = "made"
GONE: Final = "gone"
"""Kinds of points: a memory, what the set was made with, and what is known of a deletion."""

MOST_WRITES: Final = 50
"""So many writes are known again that said what was there."""

_COUNTS: Final = "yes"
_COUNTS_NO_MORE: Final = "no"


def set_of_memories(collection: str) -> str:
    """Return the name of the set of the memories of a collection.

    No set of documents is named so: no collection has `@` in its name.
    """
    return f"memories@{collection}"


def layout_of_memories(dimensions: int) -> Layout:
    """Return what such a set is made of."""
    texts = ("point", "scope", "counts", "kind", "key", "same", "memory", "shown", "writes")
    return Layout(dimensions=dimensions, indexes={**dict.fromkeys(texts, "text"), "until": "number"})


def same_text(text: str) -> str:
    """Return a text as it is compared.

    In small letters, without blanks and dots that mean nothing. Signs, symbols and articles stay: A+ is no A-.
    """
    compared = " ".join(unicodedata.normalize("NFC", text).casefold().split())
    return compared.rstrip(". ") or compared


def payload_of(
    place: MemoryPlace, source: MemorySource, memory: NewMemory, ids: tuple[str, str], replaces: Sequence[str]
) -> dict[str, Any]:
    """Return the payload of a new memory.

    Args:
        place: Where it is.
        source: What said it.
        memory: What is to be remembered.
        ids: Its own, and that of the step that says it.
        replaces: Ids of those whose place it takes.
    """
    id_, step = ids
    at = in_utc(source.at).isoformat()
    return {
        "point": MEMORY,
        "memory": id_,
        "shown": shown_id(id_),
        "scope": place.scope,
        "counts": _COUNTS,
        "kind": memory.kind.value,
        "key": memory.key.casefold(),
        "same": same_text(memory.text),
        "text": memory.text,
        "importance": memory.importance,
        "source": source.model_dump(mode="json"),
        "confirmed": at,
        "supersedes": list(replaces),
        "writes": [id_],
        "steps": [step],
    }


def superseded_by(id_: str, at: datetime) -> dict[str, Any]:
    """Return what changes of a memory whose place another takes."""
    return {"counts": _COUNTS_NO_MORE, "superseded_by": id_, "superseded_at": in_utc(at).isoformat()}


def said_again(payload: Mapping[str, Any], id_: str, step: str, at: datetime, memory: NewMemory) -> dict[str, Any]:
    """Return what changes of a memory that is said again by another write."""
    confirmed = max(payload["confirmed"], in_utc(at).isoformat())
    return {
        "confirmed": confirmed,
        "writes": [*_kept(payload.get("writes", ())), id_],
        "steps": [*_kept(payload.get("steps", ())), step],
        "importance": max(float(payload.get("importance", 0.5)), memory.importance),
        "key": payload.get("key", "") or memory.key.casefold(),
    }


def _kept(known: Sequence[str]) -> Sequence[str]:
    """Return the ids that stay known where another one comes.

    The first is that of the memory itself.
    """
    return known if len(known) < MOST_WRITES else [known[0], *known[-MOST_WRITES + 2 :]]


def last_asked(payload: Mapping[str, Any]) -> str:
    """Return when a memory was last asked to be written."""
    return max(str(payload.get("asked", "")), str(payload.get("confirmed", "")))


def gone_from(place: MemoryPlace) -> list[Where]:
    """Return what holds for all that is known of deletions in a scope."""
    return [Where(key="point", any_of=(GONE,)), Where(key="scope", any_of=(place.scope,))]


def in_scope(place: MemoryPlace, kinds: Sequence[MemoryKind] = ()) -> list[Where]:
    """Return what holds for all memories of a scope, or those of some kinds."""
    of_kind = [Where(key="kind", any_of=tuple(kind.value for kind in kinds))] if kinds else []
    return [Where(key="point", any_of=(MEMORY,)), Where(key="scope", any_of=(place.scope,)), *of_kind]


def counting(place: MemoryPlace, kinds: Sequence[MemoryKind] = ()) -> list[Where]:
    """Return what holds for those of them that count."""
    return [*in_scope(place, kinds), Where(key="counts", any_of=(_COUNTS,))]


def record_of(point: Record) -> MemoryRecord | None:
    """Return a memory as it is told; None where another version wrote it otherwise."""
    said = point.payload
    try:
        return MemoryRecord(
            id=said["memory"],
            kind=said["kind"],
            text=said["text"],
            key=said.get("key", ""),
            importance=said.get("importance", 0.5),
            source=MemorySource.model_validate(said["source"]),
            confirmed=said["confirmed"],
            supersedes=tuple(said.get("supersedes", ())),
            superseded_by=said.get("superseded_by", ""),
            superseded_at=said.get("superseded_at"),
        )
    except (KeyError, ValidationError):
        return None
