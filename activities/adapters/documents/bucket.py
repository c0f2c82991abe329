"""Objects in S3, and in what speaks as S3 does.

Must not tell what a client of it says of itself: there may be keys in it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import obstore
from obstore.exceptions import BaseError, InvalidPathError
from obstore.store import S3Store

from ....contracts.text import cut, printable
from ...knowledge.sources.buckets import BucketObject
from ...knowledge.sources.source import (
    IN_A_BUCKET,
    MAX_DOCUMENT_BYTES,
    SourceError,
    SourceUnavailable,
    too_large,
)

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import RetryConfig

# What was tried again here would not be seen: the activity is, with pauses that stand in its history.
_ONCE: Final[RetryConfig] = {"max_retries": 0}
# In its settings, and not as options of the client, which would take the place of those in the environment.
_BOUNDS: Final[Any] = {"connect_timeout": "5s", "read_timeout": "20s", "timeout": "300s"}
_PIECE: Final = 1_048_576
_LISTED_AT_ONCE: Final = 100

_STATUS: Final = re.compile(r"status code: (\d{3})")
_CODE: Final = re.compile(r"<Code>(\w{1,60})</Code>")
_NO_CREDENTIALS: Final = re.compile(
    r"performing \w+ http://(169\.254\.[^ ]*|[^/ ]+/latest/(api/token|meta-data)[^ ]*) |token file|WebIdentity"
)
_PASSING: Final = frozenset({408, 425, 429})
_KEYS_REFUSED: Final = frozenset({"ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch"})
_ELSEWHERE: Final = frozenset({"AuthorizationHeaderMalformed", "IllegalLocationConstraintException"})


class S3Buckets:
    """Lists and fetches objects of allowed buckets.

    Where they are and by which credentials is told by the `AWS_*` variables of the worker's environment.

    Args:
        allowed: Those that may be read, as `s3://BUCKET`. Others, such as names of hosts, are passed over.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        names = (one.strip() for one in allowed)
        self._allowed = frozenset(
            one.removeprefix(IN_A_BUCKET).rstrip("/") for one in names if one.startswith(IN_A_BUCKET)
        )
        self._stores: dict[str, S3Store] = {}

    async def found(self, bucket: str, key: str) -> BucketObject | None:
        """Return an object without its content; None where there is none of the key."""
        store = self._store(bucket)
        try:
            with _translated(bucket, "read it (s3:GetObject)"):
                return _told(await obstore.head_async(store, key))
        except FileNotFoundError:
            return None

    async def below(self, bucket: str, folder: str, after: str = "") -> AsyncIterator[BucketObject]:
        """Yield the objects below a folder that come after a key, in their order."""
        store = self._store(bucket)
        listed = obstore.list(store, folder or None, offset=after or None, chunk_size=_LISTED_AT_ONCE)
        while True:
            try:
                with _translated(bucket, "list it (s3:ListBucket)"):
                    chunk = await anext(aiter(listed), None)
            except FileNotFoundError:
                raise _no_bucket(bucket) from None
            if chunk is None:
                return
            for found in await self._files(bucket, folder, chunk):
                yield found

    async def fetch(self, bucket: str, key: str) -> tuple[BucketObject, bytes]:
        """Return an object and its content."""
        store = self._store(bucket)
        try:
            with _translated(bucket, "read it (s3:GetObject)"):
                answer = await obstore.get_async(store, key)
                found = _told(answer.meta)
                if found.size > MAX_DOCUMENT_BYTES:
                    raise SourceError(too_large(found.size))
                content = bytearray()
                async for piece in answer.stream(min_chunk_size=_PIECE):
                    content += piece
        except FileNotFoundError:
            raise SourceError("it is not in its bucket any more") from None
        return found, bytes(content)

    async def _files(self, bucket: str, folder: str, chunk: Iterable[ObjectMeta]) -> list[BucketObject]:
        """Return what is no marker of a folder."""
        start = f"{folder}/" if folder else ""
        found = [_told(meta) for meta in chunk if meta["path"].startswith(start)]
        # The library takes the slash from the end of `folder/`, by which such markers are known, and they are empty.
        empty = [one for one in found if not one.size]
        there = await asyncio.gather(*(self._is_there(bucket, one.key) for one in empty))
        markers = {one.key for one, is_there in zip(empty, there, strict=True) if not is_there}
        return [one for one in found if one.size or one.key not in markers]

    async def _is_there(self, bucket: str, key: str) -> bool:
        try:
            found = await self.found(bucket, key)
        except SourceError:
            return True
        return found is not None and not found.size

    def _store(self, bucket: str) -> S3Store:
        if bucket not in self._allowed:
            known = ", ".join(f"{IN_A_BUCKET}{one}" for one in sorted(self._allowed)) or "none"
            raise SourceError(
                f"the bucket {bucket!r} is not allowed (allowed: {known}): name it as s3://{bucket} in "
                "SOSTENUTO_INGEST_HOSTS, or in ingest_hosts of sostenuto.toml"
            )
        if bucket not in self._stores:
            with _translated(bucket, "use it"):
                self._stores[bucket] = S3Store(bucket, config=_BOUNDS, retry_config=_ONCE)
        return self._stores[bucket]


def _told(meta: ObjectMeta) -> BucketObject:
    # Some gateways mark tags as weak in one answer, and not in another.
    tag = (meta["e_tag"] or "").removeprefix("W/").strip('"')
    return BucketObject(meta["path"], meta["size"], tag or meta["last_modified"].isoformat(timespec="seconds"))


def _no_bucket(bucket: str) -> SourceError:
    return SourceError(f"there is no bucket {bucket!r}: look at its name, and at AWS_ENDPOINT_URL of the workers")


@contextmanager
def _translated(bucket: str, doing: str) -> Iterator[None]:
    """Put what the library raises into our errors.

    `FileNotFoundError` stays where an object is not there.
    """
    try:
        yield
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):
            raise _no_bucket(bucket) from None
        raise
    except InvalidPathError as error:
        raise SourceError(_unreadable(bucket, error)) from None
    except BaseError as error:
        raise _failed(str(error), bucket, doing) from None


def _unreadable(bucket: str, error: InvalidPathError) -> str:
    """Return what to do about a key that cannot be read.

    The library gives nothing of a list that has one.
    """
    said = printable(cut(str(error).partition("\n\nDebug source")[0], 300))
    return (
        f"the bucket {bucket!r} has an object whose key cannot be read, and cannot be listed there ({said}): "
        "rename it, or name the folders and objects beside it"
    )


def _failed(said: str, bucket: str, doing: str) -> SourceError | SourceUnavailable:
    status, code = _STATUS.search(said), _CODE.search(said)
    told = " ".join(found[1] for found in (status, code) if found)
    named, number = code[1] if code else "", int(status[1]) if status else 0
    if _NO_CREDENTIALS.search(said):
        return SourceError(
            f"this worker has no credentials for the bucket {bucket!r}: give it AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or a role, or AWS_SKIP_SIGNATURE=true for a bucket that anybody may read"
        )
    if named == "NoSuchBucket":
        return _no_bucket(bucket)
    if named in _ELSEWHERE or "redirect" in said.partition("<")[0]:
        return SourceError(f"the bucket {bucket!r} is not in the region that AWS_REGION of this worker says: set it")
    if named in _KEYS_REFUSED or number == 401:
        return SourceError(
            f"the bucket {bucket!r} refuses this worker's credentials ({told}): renew its AWS_* variables"
        )
    if number == 403:
        return SourceError(f"this worker's credentials may not {doing} of the bucket {bucket!r} ({told}): allow it")
    if 400 <= number < 500 and number not in _PASSING:
        return SourceError(f"the bucket {bucket!r} refuses what it is asked ({told})")
    if "builder error" in said or "Config error" in said:
        return SourceError(
            f"this worker cannot ask the bucket {bucket!r} by its AWS_* variables: look at AWS_ENDPOINT_URL, which "
            "takes AWS_ALLOW_HTTP=true where it begins with http://"
        )
    return SourceUnavailable(f"the bucket {bucket!r} cannot be reached now ({told or 'no answer'})")
