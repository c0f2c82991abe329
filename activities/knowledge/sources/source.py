"""What every kind of source does, and how it fails."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from ....contracts.errors import SostenutoError
from ....contracts.wire.ingest.ingest import DocumentFailure, DocumentRef

MAX_DOCUMENT_BYTES: Final = 50_000_000
"""Largest document that is read."""

IN_A_BUCKET: Final = "s3://"
"""How the address of an object begins."""
ON_THE_WEB: Final = ("https://", "http://")


class SourceError(SostenutoError):
    """A source or a document of it cannot be read.

    The message says why, and what to do.
    """


class SourceElsewhere(SourceError):  # noqa: N818 - named for what to do: ask another worker
    """A path is not on this machine; another worker may have it.

    Args:
        what: What is missing.
        told: The same, and what to do where a worker was to read it.
    """

    def __init__(self, what: str, told: str) -> None:
        super().__init__(told)
        self.what = what


class SourceUnavailable(SostenutoError):  # noqa: N818 - named for what to do: ask again
    """A source cannot be reached at this moment, and may be in the next."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The next documents of a kind of source."""

    documents: Sequence[DocumentRef] = ()
    failures: Sequence[DocumentFailure] = ()
    """Those that cannot be read."""
    cursor: str = ""
    """Where they end; empty where there is nothing more."""


@dataclass(frozen=True, slots=True)
class Content:
    """A document that was fetched."""

    data: bytes
    hash: str
    """As the list of its source has it."""


class SourceKind(Protocol):
    """A kind of source."""

    def owns(self, address: str) -> bool:
        """Return whether a source, a document or a cursor is of this kind."""
        ...

    async def after(self, cursor: str, sources: Sequence[str], limit: int) -> Listed:
        """Return the next documents of sources of this kind, each once.

        Args:
            cursor: Where the page before ended; empty for the first.
            sources: All that were named, the same for each page.
            limit: How many to return, those that cannot be read included. At least 1.

        Raises:
            SourceError: A source cannot be read.
            SourceUnavailable: It cannot be reached now.
        """
        ...

    async def content(self, uri: str) -> Content:
        """Return the content of a document.

        Raises:
            SourceError: It cannot be read.
            SourceUnavailable: It cannot be reached now.
        """
        ...

    def covering(self, sources: Sequence[str]) -> Callable[[str], bool]:
        """Return what tells documents of these sources from others, by their names."""
        ...

    async def folders(self, uris: Sequence[str]) -> Sequence[str]:
        """Return those that may be folders.

        What is below one that cannot be read is not gone.
        """
        ...


def is_path(source: str) -> bool:
    """Return whether a source names files of a machine.

    As all do that do not say otherwise.
    """
    return not source.startswith((IN_A_BUCKET, *ON_THE_WEB))


def too_large(size: int) -> str:
    """Return why a document of so many bytes is not read."""
    return f"it has {size:,} bytes and the limit is {MAX_DOCUMENT_BYTES:,}: split it"


def hash_of(data: bytes) -> str:
    """Return by what a content is known."""
    return hashlib.sha256(data).hexdigest()
