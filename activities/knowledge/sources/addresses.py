"""Documents at addresses, which are fetched to see whether they have changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ....contracts.wire.ingest.ingest import DocumentFailure, DocumentRef
from .source import ON_THE_WEB, Content, Listed, SourceError, hash_of


class Web(Protocol):
    """Fetches what is at addresses."""

    async def fetch(self, url: str) -> bytes:
        """Return the content of an address.

        Raises:
            SourceError: It may not be fetched, or cannot be.
        """
        ...


class AddressSource:
    """Addresses, each of which is one document.

    Args:
        web: Fetches them.
    """

    def __init__(self, web: Web) -> None:
        self._web = web

    def owns(self, address: str) -> bool:
        """Return whether it is one."""
        return address.startswith(ON_THE_WEB)

    async def after(self, cursor: str, sources: Sequence[str], limit: int) -> Listed:
        """Return the next ones, as they were named."""
        urls = list(dict.fromkeys(sources))
        left = urls[urls.index(cursor) + 1 :] if cursor in urls else urls
        documents: list[DocumentRef] = []
        failures: list[DocumentFailure] = []
        for url in left[:limit]:
            try:
                data = await self._web.fetch(url)
            except SourceError as error:
                failures.append(DocumentFailure(uri=url, reason=str(error)))
            else:
                documents.append(DocumentRef(uri=url, hash=hash_of(data), size=len(data)))
        return Listed(documents, failures, left[limit - 1] if len(left) > limit else "")

    async def content(self, uri: str) -> Content:
        """Fetch one."""
        data = await self._web.fetch(uri)
        return Content(data, hash_of(data))

    def covering(self, sources: Sequence[str]) -> Callable[[str], bool]:
        """Return what tells whether one was named."""
        return frozenset(sources).__contains__

    async def folders(self, uris: Sequence[str]) -> Sequence[str]:  # noqa: ARG002 - the same for every kind
        """Return none."""
        return ()
