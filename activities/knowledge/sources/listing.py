"""Goes through all kinds of sources, one after the other.

Must not know any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ....contracts.wire.ingest.ingest import DocumentFailure, DocumentRef
from .source import Listed, SourceKind


async def next_page(kinds: Sequence[SourceKind], cursor: str, sources: Sequence[str], limit: int) -> Listed:
    """Return the next documents of sources of several kinds, kind by kind.

    Raises:
        SourceError, SourceUnavailable: As `SourceKind.after`.
    """
    documents: list[DocumentRef] = []
    failures: list[DocumentFailure] = []
    first = next((number for number, kind in enumerate(kinds) if cursor and kind.owns(cursor)), 0)
    for kind in kinds[first:]:
        room = limit - len(documents) - len(failures)
        page = await kind.after(cursor, [source for source in sources if kind.owns(source)], room)
        documents += page.documents
        failures += page.failures
        cursor = page.cursor
        if cursor:
            break
    return Listed(documents, failures, cursor)


def covering(kinds: Sequence[SourceKind], sources: Sequence[str]) -> Callable[[str], bool]:
    """Return what tells documents of the sources from others, by URI.

    As far as their names tell.
    """
    covers = [(kind, kind.covering([source for source in sources if kind.owns(source)])) for kind in kinds]
    return lambda uri: any(kind.owns(uri) and covered(uri) for kind, covered in covers)


async def folders_of(kinds: Sequence[SourceKind], uris: Sequence[str]) -> list[str]:
    """Return the documents that may be folders."""
    found: list[str] = []
    for kind in kinds:
        found += await kind.folders([uri for uri in uris if kind.owns(uri)])
    return found


def owner_of(kinds: Sequence[SourceKind], uri: str) -> SourceKind:
    """Return the kind of source that has a document."""
    return next(kind for kind in kinds if kind.owns(uri))
