"""Where documents come from.

Files, folders and patterns on this machine, and addresses.

Every document has an address that names it for ever: `file:///…` or `https://…`.
"""

from __future__ import annotations

import glob
import hashlib
import os
import socket
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

from ...contracts.errors import SostenutoError
from ...contracts.wire.ingest import DocumentFailure, DocumentRef

MAX_DOCUMENT_BYTES: Final = 50_000_000
"""Largest document that is read."""

_MAGIC: Final = ("*", "?", "[")
_BLOCK: Final = 1_048_576


class SourceError(SostenutoError):
    """A source or a document of it cannot be read.

    The message says why, and what to do.
    """


class SourceElsewhere(SourceError):  # noqa: N818 - named for what to do: ask another worker
    """A path is not on this machine; another worker may have it."""


class Web(Protocol):
    """Documents at addresses."""

    async def fetch(self, url: str) -> bytes:
        """Return the content of an address.

        Raises:
            SourceError: It may not be fetched, or cannot be.
        """
        ...


def is_address(source: str) -> bool:
    """Return whether a source is an address, and not a path."""
    return source.startswith(("https://", "http://"))


def uri_of(path: str) -> str:
    """Return the address of a file."""
    return Path(path).as_uri()


def path_of(uri: str) -> str:
    """Return the path of a file's address."""
    return unquote(urlsplit(uri).path)


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
    roots: dict[str, None] = {}
    for source in sources:
        for path in _expanded(source, host):
            roots.setdefault(path)
    # A root within another one is gone through with that.
    tops = [path for path in roots if not any(_is_within(path, other) for other in roots)]
    for top in sorted(tops, key=_order):
        yield from _walked(top, after)


def covers(sources: Sequence[str], uri: str) -> bool:
    """Return whether a document belongs to one of the sources.

    As far as their names tell.
    """
    for source in sources:
        if is_address(source) or is_address(uri):
            if source == uri:
                return True
        elif any(mark in source for mark in _MAGIC):
            if Path(path_of(uri)).match(source):
                return True
        elif path_of(uri) == source or _is_within(path_of(uri), source):
            return True
    return False


def read_file(path: str) -> bytes:
    """Return the content of a file.

    Raises:
        SourceError: It cannot be read, or is too large.
    """
    try:
        with Path(path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_DOCUMENT_BYTES:
                raise SourceError(too_large(size))
            data = file.read(MAX_DOCUMENT_BYTES + 1)
    except OSError as error:
        raise SourceError(f"it cannot be read: {error.strerror}") from None
    if len(data) > MAX_DOCUMENT_BYTES:
        raise SourceError(too_large(len(data)))
    return data


def reference(path: str) -> DocumentRef:
    """Return a file's address, hash and size.

    Raises:
        SourceError: It cannot be read, or is too large.
    """
    digest = hashlib.sha256()
    size = 0
    try:
        with Path(path).open("rb") as file:
            if (whole := os.fstat(file.fileno()).st_size) > MAX_DOCUMENT_BYTES:
                raise SourceError(too_large(whole))
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
    except OSError as error:
        raise SourceError(f"it cannot be read: {error.strerror}") from None
    return DocumentRef(uri=uri_of(path), hash=digest.hexdigest(), size=size)


def too_large(size: int) -> str:
    """Return why a document of so many bytes is not read."""
    return f"it has {size:,} bytes and the limit is {MAX_DOCUMENT_BYTES:,}: split it"


def _expanded(source: str, host: str) -> list[str]:
    if not Path(source).is_absolute():
        raise SourceError(f"source {source!r} is not an absolute path, and workers may be anywhere: write it whole")
    if any(mark in source for mark in _MAGIC) and not Path(source).exists():
        found = sorted(glob.glob(source, recursive=True))
        if not found:
            raise SourceElsewhere(_elsewhere(f"nothing fits the pattern {source!r}", host))
        return found
    if not Path(source).exists():
        raise SourceElsewhere(_elsewhere(f"there is no {source!r}", host))
    return [source.rstrip("/") or "/"]


def _elsewhere(what: str, host: str) -> str:
    here = socket.gethostname()
    there = f" The ingest was started on {host!r}." if host and host != here else ""
    return (
        f"{what} on the worker's machine {here!r}.{there} Workers read the files themselves: give them the same folder "
        "at the same path, or name addresses that they can fetch"
    )


def _walked(top: str, after: str) -> Iterator[DocumentFailure | str]:
    try:
        kind = Path(top).stat().st_mode
    except OSError as error:
        yield DocumentFailure(uri=uri_of(top), reason=f"it cannot be read: {error.strerror}")
        return
    if not stat.S_ISDIR(kind):
        if _order(top) > _order(after):
            yield _file(top, kind)
        return
    try:
        names = sorted(entry.name for entry in os.scandir(top))
    except OSError as error:
        yield DocumentFailure(uri=uri_of(top), reason=f"the folder cannot be read: {error.strerror}")
        return
    for name in names:
        yield from _entry(os.path.join(top, name), after)


def _entry(path: str, after: str) -> Iterator[DocumentFailure | str]:
    # Whole folders before the one where the last page ended are passed over.
    if _order(path) < _order(after) and not _is_within(after, path):
        return
    if Path(path).name.startswith("."):
        return
    if Path(path).is_symlink() and Path(path).is_dir():
        # It may lead in a circle, or out of what was meant.
        if _order(path) > _order(after):
            yield DocumentFailure(uri=uri_of(path), reason="it is a link to a folder: name that folder itself")
        return
    yield from _walked(path, after)


def _file(path: str, kind: int) -> DocumentFailure | str:
    if not stat.S_ISREG(kind):
        return DocumentFailure(uri=uri_of(path), reason="it is neither a file nor a folder")
    return path


def _order(path: str) -> list[str]:
    """Return what puts everything in a folder where the folder stands."""
    return path.split(os.sep)


def _is_within(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")
