"""Files, folders and patterns on this machine.

Every file has an address that names it for ever: `file:///…`.
"""

from __future__ import annotations

import asyncio
import glob
import hashlib
import os
import socket
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit

from ....contracts.text import encodable
from ....contracts.wire.ingest.ingest import DocumentFailure, DocumentRef
from .scope import Reached, SourceScope, is_pattern, is_within
from .source import MAX_DOCUMENT_BYTES, Content, Listed, SourceElsewhere, SourceError, hash_of, is_path, too_large

_BLOCK: Final = 1_048_576
_NO_FILE: Final = "it is neither a file nor a folder"
# Some systems have not all of these flags.
_OPENED: Final = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


class FileSource:
    """Files of this machine.

    Args:
        host: The machine on which the paths were meant, for errors.
    """

    def __init__(self, host: str = "") -> None:
        self._host = host

    def owns(self, address: str) -> bool:
        """Return whether it is a path, or the address of a file."""
        return is_path(address)

    async def after(self, cursor: str, sources: Sequence[str], limit: int) -> Listed:
        """Return the next files.

        Raises:
            SourceElsewhere: A source is not on this machine.
            SourceError: A source is not what it should be.
        """
        documents, failures = await asyncio.to_thread(self._next, path_of_cursor(cursor), sources, limit)
        return page_of(documents, failures, limit)

    async def content(self, uri: str) -> Content:
        """Read one."""
        data = await asyncio.to_thread(read_file, path_of(uri))
        return Content(data, hash_of(data))

    def covering(self, sources: Sequence[str]) -> Callable[[str], bool]:
        """Return what tells whether a file is of the sources."""
        scope = SourceScope(sources)
        return lambda uri: scope.at(path_of(uri)).has_file

    async def folders(self, uris: Sequence[str]) -> Sequence[str]:
        """Return those that are not files now."""
        return await asyncio.to_thread(lambda: [uri for uri in uris if not os.path.isfile(path_of(uri))])

    def _next(self, after: str, sources: Sequence[str], limit: int) -> tuple[list[DocumentRef], list[DocumentFailure]]:
        documents: list[DocumentRef] = []
        failures: list[DocumentFailure] = []
        for found in found_files(sources, after=after, host=self._host):
            if isinstance(found, DocumentFailure):
                failures.append(found)
            else:
                try:
                    documents.append(reference(found))
                except SourceError as error:
                    failures.append(DocumentFailure(uri=uri_of(found), reason=str(error)))
            if len(documents) + len(failures) >= limit:
                break
        return documents, failures


def page_of(documents: Sequence[DocumentRef], failures: Sequence[DocumentFailure], limit: int) -> Listed:
    """Return files as a page, which ends at the last of them where it is full."""
    found = [*(one.uri for one in documents), *(one.uri for one in failures)]
    last = max(map(path_of, found), key=path_order, default="")
    return Listed(documents, failures, cursor_of(last) if len(found) >= limit else "")


def uri_of(path: str) -> str:
    """Return the address of a file."""
    return Path(path).as_uri()


def path_of(uri: str) -> str:
    """Return the path of a file's address."""
    # Not every name is UTF-8.
    return os.fsdecode(unquote_to_bytes(urlsplit(uri).path))


def cursor_of(path: str) -> str:
    """Return a path as it can be sent: itself, or its address where it is not Unicode."""
    return path if path == encodable(path) else uri_of(path)


def path_of_cursor(cursor: str) -> str:
    """Return the path that was sent."""
    return path_of(cursor) if cursor.startswith("file:") else cursor


def found_files(sources: Sequence[str], *, after: str = "", host: str = "") -> Iterator[DocumentFailure | str]:
    """Yield the path of each file of the sources once, in order.

    And what of them cannot be read.

    Args:
        sources: Paths of files and folders, and patterns with `*`, `?` and `[…]`; `**` goes through folders.
        after: Path after which to begin.
        host: The machine on which the paths were meant, for the error.

    Raises:
        SourceElsewhere: A source is not on this machine.
        SourceError: A source is not what it should be.
    """
    for source in sources:
        _check(source, host)
    scope = SourceScope(sources)
    for top in sorted(scope.tops, key=path_order):
        yield from _walked(top, scope.at(top), after)


def read_file(path: str) -> bytes:
    """Return the content of a file.

    Raises:
        SourceError: It cannot be read, or is too large.
    """
    return b"".join(_blocks(path))


def reference(path: str) -> DocumentRef:
    """Return a file's address, hash and size.

    Raises:
        SourceError: It cannot be read, or is too large.
    """
    digest = hashlib.sha256()
    size = 0
    for block in _blocks(path):
        digest.update(block)
        size += len(block)
    return DocumentRef(uri=uri_of(path), hash=digest.hexdigest(), size=size)


def _blocks(path: str) -> Iterator[bytes]:
    try:
        # What was a file when it was listed may be a pipe now, and nobody may ever write into that.
        with open(os.open(path, _OPENED), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise SourceError(_NO_FILE)
            if found.st_size > MAX_DOCUMENT_BYTES:
                raise SourceError(too_large(found.st_size))
            size = 0
            while block := file.read(_BLOCK):
                size += len(block)
                if size > MAX_DOCUMENT_BYTES:
                    raise SourceError(too_large(size))
                yield block
    except OSError as error:
        raise SourceError(f"it cannot be read: {error.strerror}") from None


def _check(source: str, host: str) -> None:
    if not Path(source).is_absolute():
        raise SourceError(f"source {source!r} is not an absolute path, and workers may be anywhere: write it whole")
    if is_pattern(source):
        if next(glob.iglob(source, recursive=True), None) is None:
            raise _elsewhere(f"nothing fits the pattern {source!r}", host)
    elif not os.path.exists(source):  # `Path.exists` raises where a folder above may not be read
        raise _elsewhere(f"there is no {source!r}", host)


def _elsewhere(what: str, host: str) -> SourceElsewhere:
    here = socket.gethostname()
    there = f" The ingest was started on {host!r}." if host and host != here else ""
    return SourceElsewhere(
        what,
        f"{what} on the worker's machine {here!r}.{there} Workers read the files themselves: give them the same folder "
        "at the same path, say --upload, or name what they can fetch: s3://… or https://…",
    )


def _walked(path: str, at: Reached, after: str) -> Iterator[DocumentFailure | str]:
    try:
        kind = Path(path).stat().st_mode
    except OSError as error:
        yield from _failed(path, f"it cannot be read: {error.strerror}", after)
        return
    if not stat.S_ISDIR(kind):
        if at.has_file and path_order(path) > path_order(after):
            yield _file(path, kind)
        return
    try:
        with os.scandir(path) as entries:
            names = sorted(entry.name for entry in entries)
    except OSError as error:
        yield from _failed(path, f"the folder cannot be read: {error.strerror}", after)
        return
    for name in names:
        below = at.below(name)
        if below:
            yield from _entry(os.path.join(path, name), below, after)


def _entry(path: str, at: Reached, after: str) -> Iterator[DocumentFailure | str]:
    # Whole folders before the one where the last page ended are passed over.
    if path_order(path) < path_order(after) and not is_within(after, path):
        return
    if os.path.islink(path) and not os.path.isfile(path):
        # It may lead in a circle, or out of what was meant.
        if os.path.isdir(path) and at.passing and not at.is_named:
            yield from _failed(path, "it is a link to a folder: name that folder itself", after)
        if not at.places and (os.path.isdir(path) or not at.has_file):
            return
        at = at.by_name if os.path.isdir(path) else at
    yield from _walked(path, at, after)


def _failed(path: str, reason: str, after: str) -> Iterator[DocumentFailure]:
    if path_order(path) > path_order(after):
        yield DocumentFailure(uri=uri_of(path), reason=reason)


def _file(path: str, kind: int) -> DocumentFailure | str:
    if not stat.S_ISREG(kind):
        return DocumentFailure(uri=uri_of(path), reason=_NO_FILE)
    return path


def path_order(path: str) -> list[str]:
    """Return what puts everything in a folder where the folder stands."""
    return path.split(os.sep)
