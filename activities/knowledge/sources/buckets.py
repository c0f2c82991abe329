"""Objects in buckets.

They are known by their ETags, and fetched only where they are new or changed.

An object's address is its key behind `s3://BUCKET/`, letter by letter, as the tools of AWS write it: nothing
in it stands for anything else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Protocol

from ....contracts.text import encodable
from ....contracts.wire.ingest.ingest import DocumentFailure, DocumentRef
from .scope import SourceScope, has_magic, is_within
from .source import IN_A_BUCKET, MAX_DOCUMENT_BYTES, Content, Listed, SourceError, too_large

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class BucketObject:
    """An object, as a list of its bucket has it."""

    key: str
    size: int
    """Bytes."""
    tag: str
    """Its ETag, or what else changes with its content."""


class Buckets(Protocol):
    """Lists and fetches objects.

    All of it raises `SourceError` where a bucket is not there or may not be read, and `SourceUnavailable` where it
    cannot be reached now.
    """

    async def found(self, bucket: str, key: str) -> BucketObject | None:
        """Return an object without its content; None where there is none of the key."""
        ...

    def below(self, bucket: str, folder: str, after: str = "") -> AsyncIterator[BucketObject]:
        """Yield the objects below a folder that come after a key, in their order.

        Asks for more of them only as they are taken.
        """
        ...

    async def fetch(self, bucket: str, key: str) -> tuple[BucketObject, bytes]:
        """Return an object and its content."""
        ...


class BucketSource:
    """Objects, folders of a bucket, and patterns of both.

    Args:
        buckets: Lists and fetches them.
    """

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets

    def owns(self, address: str) -> bool:
        """Return whether it is in a bucket."""
        return address.startswith(IN_A_BUCKET)

    async def after(self, cursor: str, sources: Sequence[str], limit: int) -> Listed:
        """Return the next ones, bucket by bucket.

        Raises:
            SourceError: A bucket may not be read, or a source has no object.
            SourceUnavailable: A bucket cannot be reached now.
        """
        if not cursor:
            for source in dict.fromkeys(sources):
                await self._check(source)
        documents: list[DocumentRef] = []
        failures: list[DocumentFailure] = []
        async with aclosing(self._objects(sources, cursor)) as objects:
            async for uri, found in objects:
                if found.size > MAX_DOCUMENT_BYTES:
                    failures.append(DocumentFailure(uri=uri, reason=too_large(found.size)))
                else:
                    documents.append(DocumentRef(uri=uri, hash=_hash(found), size=found.size))
                if len(documents) + len(failures) >= limit:
                    return Listed(documents, failures, uri)
        return Listed(documents, failures)

    async def content(self, uri: str) -> Content:
        """Fetch one."""
        found, data = await self._buckets.fetch(*_parts(uri))
        return Content(data, _hash(found))

    def covering(self, sources: Sequence[str]) -> Callable[[str], bool]:
        """Return what tells whether one is of the sources."""
        scopes = _scopes(sources)

        def covers(uri: str) -> bool:
            bucket, key = _parts(uri)
            return bucket in scopes and scopes[bucket].at(f"/{key}").has_file

        return covers

    async def folders(self, uris: Sequence[str]) -> Sequence[str]:  # noqa: ARG002 - the same for every kind
        """Return none: where a folder cannot be listed, the whole list fails."""
        return ()

    async def _check(self, source: str) -> None:
        async with aclosing(self._objects([source])) as objects:
            if await anext(objects, None) is None:
                what = "fits the pattern" if has_magic(source) else "is at or below"
                raise SourceError(f"no object {what} {source!r}: check the name, or leave the source out")

    async def _objects(self, sources: Iterable[str], after: str = "") -> AsyncGenerator[tuple[str, BucketObject]]:
        last_bucket, last_key = _parts(after)
        for bucket, scope in sorted(_scopes(sources).items(), key=lambda named: named[0]):
            if bucket >= last_bucket:
                key = last_key if bucket == last_bucket else ""
                async for found in self._within(bucket, scope, key):
                    yield f"{IN_A_BUCKET}{bucket}/{found.key}", found

    async def _within(self, bucket: str, scope: SourceScope, after: str) -> AsyncIterator[BucketObject]:
        tops = sorted(scope.tops)
        # The list goes on where it ended, and tops before that one are done.
        first = next((at for at, top in enumerate(tops) if after and _is_at(after, top)), 0)
        for top in tops[first:]:
            async for found in self._at(bucket, scope, top, after):
                yield found
            after = ""

    async def _at(self, bucket: str, scope: SourceScope, top: str, after: str) -> AsyncIterator[BucketObject]:
        """Yield what has the name of a top, and what is below it."""
        key = top.removeprefix("/")
        is_object, refusal = bool(key) and after == key, None
        if key and not after and scope.at(top).has_file:
            try:
                found = await self._buckets.found(bucket, key)
            except SourceError as error:
                # Who may read a folder may have nothing to say of an object with its name.
                found, refusal = None, error
            if found:
                is_object = True
                yield found
        try:
            async for one in self._buckets.below(bucket, key, "" if after == key else after):
                refusal = None
                if scope.at(f"/{one.key}").has_file:
                    yield one
        except SourceError as error:
            # Who may read an object need not be allowed to list its bucket.
            if not is_object:
                raise refusal or error from None
        if refusal:
            raise refusal


def check_bucket_source(source: str) -> None:
    """Check how a source in a bucket is written.

    Raises:
        SourceError: It names no bucket, or a key that cannot be read.
    """
    bucket, key = _parts(source)
    if not _NAME.fullmatch(bucket):
        raise SourceError(f"source {source!r} names no bucket: write s3://BUCKET/KEY, or s3://BUCKET/FOLDER/")
    names = key.removesuffix("/").split("/") if key else []
    if (
        any(name in ("", ".", "..") for name in names)
        or any(ord(char) < 32 or char == "\x7f" for char in key)
        or key != encodable(key)
    ):
        raise SourceError(
            f"source {source!r} has a name that cannot be asked for (an empty one, '.', '..', or one with control "
            "characters): name the folder above it, or rename the object"
        )


def _parts(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix(IN_A_BUCKET).partition("/")
    return bucket, key


def _scopes(sources: Iterable[str]) -> Mapping[str, SourceScope]:
    by_bucket: dict[str, list[str]] = {}
    for source in sources:
        check_bucket_source(source)
        bucket, key = _parts(source)
        by_bucket.setdefault(bucket, []).append(f"/{key}")
    return {bucket: SourceScope(keys, has_magic) for bucket, keys in by_bucket.items()}


def _is_at(key: str, top: str) -> bool:
    return f"/{key}" == top or is_within(f"/{key}", top)


def _hash(found: BucketObject) -> str:
    return hashlib.sha256(f"{found.tag}\n{found.size}".encode()).hexdigest()
