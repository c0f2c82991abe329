"""What stands in a vector store for a collection.

Its documents, its passages, and the collection itself.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from ....contracts.collection.fields import Condition, Field, Scalar
from ....contracts.contract import Contract
from ....contracts.errors import SostenutoError
from ....contracts.wire.ingest.ingest import Writing
from .vector_store import Layout, Point, SparseVector, Where

_IDS: Final = uuid.UUID("2f1ad27e-4b8e-4c43-9e8c-51b8d2a1c7f0")
NOT_YET: Final = 2**53 - 1
"""The step at which something ends that has not ended, and begins that has not begun."""

DOCUMENT: Final = "document"
PASSAGE: Final = "passage"


class CollectionError(SostenutoError):
    """A collection cannot be used so; the message says what to do."""


class Stored(Contract):
    """A collection as the store has it."""

    name: str
    generation: int
    """Which of its sets is searched. Another embedding makes another one."""
    step: int = 0
    """The newest change that searches see."""
    begun: int = 0
    """The newest change that was begun."""
    swept: int = 0
    """What ended at this step or before may be deleted already."""
    embedding: str
    dimensions: int
    fields: dict[str, Field] = {}
    partition: str = ""
    documents: int = 0
    passages: int = 0
    updated: str = ""
    """When the newest change was shown, as ISO 8601 in UTC."""
    coming: Stored | None = None
    """What it is to be once the set that is being built is whole."""


class StoredPassage(Contract):
    """A piece of a document, as it is stored."""

    text: str
    start: int
    """Offset in the document's text, in characters."""
    end: int
    page: int | None = None
    """From 1; None where the document has no pages."""
    headings: tuple[str, ...] = ()
    dense: str
    """As `Point.dense`."""
    sparse: SparseVector | None = None
    codes: str = ""
    """What a reranker compares."""


@dataclass(frozen=True, slots=True)
class Version:
    """A document at one moment."""

    uri: str
    hash: str
    """SHA-256 of its bytes."""
    title: str = ""
    tenant: str = ""
    fields: Mapping[str, Scalar] = field(default_factory=dict)
    seen: str = ""
    """Mark of the ingest that saw it last."""
    characters: int = 0
    """Length of its text."""


class KnownVersion(NamedTuple):
    """What tells whether a document is there as it is."""

    hash: str
    """SHA-256 of its bytes."""
    fields: Mapping[str, Any]
    """What is known of it, as it is stored."""


def document_key(uri: str, tenant: str = "") -> str:
    """Return what tells a document from every other one of a collection."""
    return hashlib.sha256(f"{tenant}\0{uri}".encode()).hexdigest()[:32]


def passage_id(document: str, content: str, start: int, end: int) -> str:
    """Return the id that models and people cite a passage by.

    It is the same as long as the document is.
    """
    return hashlib.sha256(f"{document}\0{content}\0{start}\0{end}".encode()).hexdigest()[:10]


def stored_fields(fields: Mapping[str, Scalar]) -> dict[str, str | int | float]:
    """Return the values of fields as the store compares them: truth values as texts."""
    return {name: _plain(value) for name, value in fields.items()}


def _plain(value: Scalar) -> str | int | float:
    return str(value).lower() if isinstance(value, bool) else value


def where_of(condition: Condition) -> Where:
    """Return what holds for the passages of documents for which a condition holds."""
    bounds = {name: getattr(condition, name) for name in ("at_least", "at_most")}
    return Where(
        key=f"fields.{condition.field}",
        any_of=tuple(_plain(value) for value in condition.any_of),
        **{name: _plain(bound) for name, bound in bounds.items() if bound is not None},
    )


def visible_at(step: int) -> list[Where]:
    """Return what holds for everything that a search at this step sees."""
    return [Where(key="from", at_most=step), Where(key="until", above=step)]


def passage_point(passage: StoredPassage, number: int, shared: Mapping[str, Any]) -> Point:
    """Return the point of the `number`-th passage of a document.

    It has what all of them have, too.
    """
    said = {
        "kind": PASSAGE,
        "passage": passage_id(shared["document"], shared["hash"], passage.start, passage.end),
        "text": passage.text,
        "start": passage.start,
        "end": passage.end,
        "page": passage.page,
        "headings": list(passage.headings),
        "codes": passage.codes,
    }
    return Point(
        id=point_id(shared["document"], shared["step"], number),
        dense=passage.dense,
        sparse=passage.sparse,
        payload={**shared, **{key: value for key, value in said.items() if value not in (None, "", [])}},
    )


def layout_of(stored: Stored) -> Layout:
    """Return what the set of a collection is made of."""
    kinds: dict[str, Any] = {
        **dict.fromkeys(("kind", "document", "tenant"), "text"),
        **dict.fromkeys(("from", "until", "step"), "integer"),
    }
    for name, known in stored.fields.items():
        kinds[f"fields.{name}"] = "text" if known.kind == "boolean" else known.kind
    return Layout(dimensions=stored.dimensions, indexes=kinds)


def check_same(stored: Stored, wanted: Stored) -> None:
    """Check that a collection can go on as it was made.

    Raises:
        CollectionError: It was made otherwise; says what to do.
    """
    found = [
        f"{what} is {there} in the store and {here} here"
        for what, there, here in (
            ("its embedding", stored.embedding, wanted.embedding),
            ("the length of its vectors", stored.dimensions, wanted.dimensions),
            ("its partition", stored.partition or "none", wanted.partition or "none"),
            *(
                (f"the field {name!r}", known.kind, wanted.fields[name].kind)
                for name, known in stored.fields.items()
                if name in wanted.fields
            ),
        )
        if there != here
    ]
    if found:
        raise CollectionError(
            f"collection {stored.name!r}: {'; '.join(found)}: put it back, or make the collection anew by "
            f"`sostenuto ingest {stored.name} PATH --rebuild`, which searches see when it is whole"
        )


def set_of(which: Stored | Writing) -> str:
    """Return the name of the set that is searched, or written to."""
    return f"{which.name}.{which.generation}"


def point_id(*parts: object) -> str:
    """Return the id of the point that these name."""
    return str(uuid.uuid5(_IDS, "\0".join(map(str, parts))))


def document_point(writing: Writing, key: str) -> str:
    """Return the id of the record of a document of this change."""
    return point_id(key, writing.step, "document")
