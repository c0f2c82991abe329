"""The catalogue: what a vector store has of each collection as a whole."""

from __future__ import annotations

import logging
from typing import Final

from pydantic import ValidationError

from .stored import CollectionError, Stored, point_id
from .vector_store import Layout, Point, Record, StoreError, VectorStore, Where

_LOG = logging.getLogger(__name__)

CATALOGUE: Final = "catalogue"
"""The set that has a point for each collection. No collection's own set is named so: each has a number in its name."""


class Catalogue:
    """The collections of a vector store.

    Args:
        store: Where they are.
    """

    def __init__(self, store: VectorStore) -> None:
        self._store = store

    async def make(self) -> None:
        """Make it, where it is not there yet."""
        await self._store.create(CATALOGUE, Layout(dimensions=0))

    async def all(self) -> list[Stored]:
        """Return every collection, by name."""
        if CATALOGUE not in await self._store.sets():
            return []
        records = await self._store.scroll(CATALOGUE, (), limit=10_000)
        return sorted(filter(None, map(_readable, records)), key=lambda stored: stored.name)

    async def stored(self, name: str) -> Stored | None:
        """Return a collection; None where there is none of that name."""
        try:
            records = await self._store.read(CATALOGUE, [point_id(name)])
        except StoreError:
            # Nothing was ever brought in.
            if CATALOGUE in await self._store.sets():
                raise
            return None
        if not records:
            return None
        stored = _readable(records[0])
        if stored is None:
            raise CollectionError(
                f"what the store has of collection {name!r} was written by another version of Sostenuto: use that one, "
                f"or delete the collection by `sostenuto drop {name}`"
            )
        return stored

    async def has(self, name: str) -> bool:
        """Return whether there is a collection of that name, also one that cannot be read."""
        return CATALOGUE in await self._store.sets() and bool(await self._store.read(CATALOGUE, [point_id(name)]))

    async def there(self, name: str) -> Stored:
        """Return a collection.

        Raises:
            CollectionError: There is none of that name, or it cannot be read.
        """
        stored = await self.stored(name)
        if stored is None:
            known = ", ".join(one.name for one in await self.all()) or "none"
            raise CollectionError(
                f"there is no collection {name!r} in the store (there are: {known}): fill it by "
                f"`sostenuto ingest {name} PATH`"
            )
        return stored

    async def write(self, stored: Stored) -> None:
        """Write what there is of a collection, in place of what was written before."""
        payload = stored.model_dump(mode="json") | {"name": stored.name}
        await self._store.upsert(CATALOGUE, [Point(id=point_id(stored.name), payload=payload)])

    async def remove(self, name: str) -> None:
        """Take a collection out. One that is not there is no error."""
        if CATALOGUE in await self._store.sets():
            await self._store.delete(CATALOGUE, [Where(key="name", any_of=(name,))])


def _readable(record: Record) -> Stored | None:
    """Return a collection; None where another version wrote it otherwise."""
    try:
        return Stored.model_validate(record.payload)
    except ValidationError as error:
        _LOG.warning("an entry of the catalogue cannot be read: %s", error)
        return None
