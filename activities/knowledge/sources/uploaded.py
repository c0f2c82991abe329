"""Documents that a client has uploaded, for workers that do not share its files.

The client lists and reads them; what it found is a list under its own hash, like each of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Protocol

from ....contracts.errors import SetupError
from ....contracts.wire.ingest.ingest import DocumentFailure, DocumentPage, DocumentRef
from ...not_served import NotServedError
from .files import FileSource, found_files, page_of, path_of, path_of_cursor, path_order, read_file, uri_of
from .source import Content, Listed, SourceElsewhere, SourceError, hash_of


class Uploads(Protocol):
    """Contents under their hashes."""

    def put(self, content: bytes) -> str:
        """Write a content unless it is there, and return its hash. Blocks."""
        ...

    def get(self, digest: str) -> bytes:
        """Return the content of a hash. Blocks.

        Raises:
            FileNotFoundError: It is not there.
        """
        ...


def upload(sources: Sequence[str], uploads: Uploads) -> str:
    """Upload every file of the sources; return the hash of their list.

    Blocks, for as long as reading and writing them takes.

    Args:
        sources: Absolute paths of files and folders, and patterns.
        uploads: Where to.

    Raises:
        SourceError: A source is not there, or is not what it should be.
    """
    documents: list[DocumentRef] = []
    failures: list[DocumentFailure] = []
    for found in found_files(sources):
        if isinstance(found, DocumentFailure):
            failures.append(found)
            continue
        try:
            content = read_file(found)
        except SourceError as error:
            failures.append(DocumentFailure(uri=uri_of(found), reason=str(error)))
        else:
            documents.append(DocumentRef(uri=uri_of(found), hash=uploads.put(content), size=len(content)))
    listed = DocumentPage(documents=tuple(documents), failures=tuple(failures))
    return uploads.put(listed.model_dump_json().encode())


class UploadedDocuments:
    """What clients have uploaded, as a worker reads it.

    Args:
        uploads: Where it is. None: this worker has no such place.
    """

    def __init__(self, uploads: Uploads | None) -> None:
        self._uploads = uploads
        # Pages are listed one after the other, and a list may be long.
        self._listed: Callable[[str], tuple[DocumentRef | DocumentFailure, ...]] = lru_cache(2)(self._read)

    def next(self, digest: str, after: str, limit: int) -> tuple[list[DocumentRef], list[DocumentFailure]]:
        """Return the documents of a list that come after a path.

        And what of them could not be read. Blocks.

        Raises:
            NotServedError, SourceElsewhere, SetupError: As `content`.
        """
        later = (one for one in self._listed(digest) if not after or path_order(path_of(one.uri)) > path_order(after))
        found = [one for _, one in zip(range(limit), later, strict=False)]
        refs = [one for one in found if isinstance(one, DocumentRef)]
        return refs, [one for one in found if isinstance(one, DocumentFailure)]

    def content(self, digest: str) -> bytes:
        """Return a content. Blocks.

        Raises:
            NotServedError: This worker has no place for uploads.
            SourceElsewhere: It is not there; another worker may have it.
            SetupError: It is damaged.
        """
        if self._uploads is None:
            raise NotServedError(
                "documents were uploaded, and this worker has no SOSTENUTO_PAYLOAD_DIR: give it the client's"
            )
        try:
            return self._uploads.get(digest)
        except FileNotFoundError:
            missing = f"the upload {digest} is not in this worker's SOSTENUTO_PAYLOAD_DIR"
            raise SourceElsewhere(missing, f"{missing}: give it the client's") from None
        except OSError as error:
            raise SourceError(f"the upload {digest} cannot be read: {error.strerror}") from None

    def _read(self, digest: str) -> tuple[DocumentRef | DocumentFailure, ...]:
        try:
            listed = DocumentPage.model_validate_json(self.content(digest))
        except ValueError as error:
            raise SetupError(f"the upload {digest} is not a list of documents: {error}") from None
        return tuple(sorted((*listed.documents, *listed.failures), key=lambda one: path_order(path_of(one.uri))))


class UploadedSource(FileSource):
    """Files of a client's machine, which it has uploaded.

    Args:
        uploaded: What clients have uploaded.
        digest: The hash of the list of files, or of the content of one.
    """

    def __init__(self, uploaded: UploadedDocuments, digest: str) -> None:
        super().__init__()
        self._uploaded = uploaded
        self._digest = digest

    async def after(self, cursor: str, sources: Sequence[str], limit: int) -> Listed:  # noqa: ARG002 - the list has them
        """Return the next files of the list."""
        after = path_of_cursor(cursor)
        return page_of(*await asyncio.to_thread(self._uploaded.next, self._digest, after, limit), limit)

    async def content(self, uri: str) -> Content:  # noqa: ARG002 - its hash says which one is meant
        """Return the content of a file."""
        data = await asyncio.to_thread(self._uploaded.content, self._digest)
        return Content(data, hash_of(data))
