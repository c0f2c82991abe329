"""Collections on a vector store: documents in versions.

A search sees one moment of them.

Every change is written beside what is there, where no search sees it, and is shown by one write: the number of the
newest step in the catalogue. A search looks at one step, so it never sees a part of a change (the method is that of
multi-version concurrency control in databases).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from ....contracts.collection.fields import Condition
from ....contracts.text import plural
from ....contracts.wire.ingest.ingest import Writing
from .catalogue import Catalogue
from .stored import (
    DOCUMENT,
    NOT_YET,
    PASSAGE,
    CollectionError,
    KnownVersion,
    Stored,
    StoredPassage,
    Version,
    check_same,
    document_key,
    document_point,
    layout_of,
    passage_point,
    set_of,
    stored_fields,
    visible_at,
    where_of,
)
from .vector_store import Hit, Leg, Point, Record, StoreError, StoreUnavailable, VectorStore, Where

_MOST_AT_ONCE: Final = 100
_PAGE: Final = 1_000
_PATIENCE: Final = 20


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search saw."""

    stored: Stored
    legs: Sequence[Sequence[Hit]]


class Collections:
    """All collections of a vector store.

    One change of a collection is made at a time: the workflow of an ingest sees to that by its id. What a change that
    was given up has left is never seen, and is deleted when the next one begins.

    Args:
        store: Where they are.
    """

    def __init__(self, store: VectorStore) -> None:
        self._store = self.store = store
        self.catalogue = Catalogue(store)

    async def begin(self, wanted: Stored, *, rebuild: bool = False) -> Writing:
        """Begin a change, after deleting what an earlier one has left.

        Args:
            wanted: What the collection is to be; its counts are not looked at.
            rebuild: Whether to write everything into a new set, which takes the place of the old one at `show`.

        Raises:
            CollectionError: What is there was made otherwise, or is not whole.
            StoreUnavailable: Another attempt changes it at the same time.
        """
        await self.catalogue.make()
        known = await self.catalogue.stored(wanted.name)
        stored = known or wanted.model_copy(update={"generation": 1, "step": 0, "begun": 0, "swept": 0})
        if known is None:
            # A drop that was given up half way may have left some: their passages are nobody's.
            for left in _generations(wanted.name, await self._store.sets()):
                await self._check_still(wanted.name, known)
                await self._store.drop(left)
            await self._store.create(set_of(stored), layout_of(wanted))
        elif not rebuild:
            check_same(stored, wanted)
            await self._check_whole(stored)
        # What was begun before can be shown no more.
        begun = max(stored.begun, stored.step) + 1
        if rebuild:
            writing = Writing(name=stored.name, generation=stored.generation + 1, step=begun)
            coming = wanted.model_copy(update={"generation": writing.generation})
            stored = stored.model_copy(update={"begun": begun, "coming": coming})
            await self._check_still(wanted.name, known)
            await self.catalogue.write(stored)
            await self._check_still(wanted.name, stored)
            await self._store.drop(set_of(writing))
            await self._store.create(set_of(writing), layout_of(wanted))
            return writing
        writing = Writing(name=stored.name, generation=stored.generation, step=begun)
        if stored.fields != wanted.fields:
            await self._store.create(set_of(writing), layout_of(wanted))
        # `swept` is there before what it tells of is deleted, as in `sweep`.
        now = {"begun": begun, "coming": None, "fields": wanted.fields, "swept": max(stored.swept, stored.step)}
        await self._check_still(wanted.name, known)
        await self.catalogue.write(stored.model_copy(update=now))
        # Of earlier steps: an attempt that was taken for dead may come here while its successor's steps are staged.
        given_up = [Where(key="from", at_least=NOT_YET), Where(key="step", at_most=writing.step)]
        await self._store.delete(set_of(writing), given_up)
        await self._store.delete(set_of(writing), [Where(key="until", at_most=stored.step)])
        return writing

    async def versions(self, writing: Writing, uris: Sequence[str], tenant: str = "") -> Mapping[str, KnownVersion]:
        """Return what there is now of these documents."""
        found: dict[str, KnownVersion] = {}
        for keys in _pieces([document_key(uri, tenant) for uri in uris]):
            where = [Where(key="kind", any_of=(DOCUMENT,)), Where(key="document", any_of=tuple(keys))]
            records = await self._store.scroll(
                set_of(writing), [*where, *visible_at(writing.step - 1)], limit=len(keys)
            )
            found |= {
                record.payload["uri"]: KnownVersion(record.payload["hash"], record.payload.get("fields", {}))
                for record in records
            }
        return found

    async def staged_one(self, writing: Writing, uri: str, tenant: str = "") -> Mapping[str, Any]:
        """Return the record of a document that is whole in this step.

        It has `hash`, `passages` and `characters`; empty where there is none.
        """
        records = await self._store.read(set_of(writing), [document_point(writing, document_key(uri, tenant))])
        return records[0].payload if records else {}

    async def stage(self, writing: Writing, version: Version, passages: Sequence[StoredPassage]) -> None:
        """Write a document where no search sees it yet.

        It takes the place of an earlier attempt at it in this step, but of none that has the same hash or was shown: an
        attempt that was taken for dead may go on for a while.
        """
        whole = set_of(writing)
        key = document_key(version.uri, version.tenant)
        there = await self.staged_one(writing, version.uri, version.tenant)
        if there and (there["hash"] == version.hash or there["from"] != NOT_YET):
            return
        own = [Where(key="document", any_of=(key,)), Where(key="step", any_of=(writing.step,))]
        await self._store.delete(whole, own)
        shared = {
            "document": key,
            "uri": version.uri,
            "hash": version.hash,
            "title": version.title,
            "tenant": version.tenant,
            "fields": stored_fields(version.fields),
            "step": writing.step,
            "from": NOT_YET,
            "until": NOT_YET,
        }
        points = [passage_point(passage, number, shared) for number, passage in enumerate(passages)]
        for piece in _pieces(points):
            await self._store.upsert(whole, piece)
        counts = {"passages": len(points), "characters": version.characters}
        record = shared | {"kind": DOCUMENT, "seen": version.seen, **counts}
        # The last: where it is, the document is whole.
        await self._store.upsert(whole, [Point(id=document_point(writing, key), payload=record)])

    async def staged(self, writing: Writing) -> list[str]:
        """Return the keys of the documents that are whole in this step."""
        whole, keys, after = set_of(writing), [], ""
        where = [Where(key="kind", any_of=(DOCUMENT,)), Where(key="step", any_of=(writing.step,))]
        while page := await self._store.scroll(whole, where, limit=_PAGE, after=after, keys=["document"]):
            keys += [record.payload["document"] for record in page]
            after = page[-1].id
        return keys

    async def mark(self, writing: Writing, uris: Sequence[str], tenant: str, mark: str) -> None:
        """Note of documents that they were seen, whatever their version."""
        for keys in _pieces([document_key(uri, tenant) for uri in uris]):
            where = [Where(key="kind", any_of=(DOCUMENT,)), Where(key="document", any_of=tuple(keys))]
            await self._store.set_payload(set_of(writing), where, {"seen": mark})

    async def show(self, writing: Writing, keys: Sequence[str], gone: Sequence[str] = ()) -> Stored:
        """Let searches see documents that were staged in this step.

        They take the place of their earlier versions.

        Repeatable. Searches see all of it or nothing. The change may go on with the next step.

        Args:
            writing: The step.
            keys: What was staged.
            gone: Documents that searches are to see no more.

        Raises:
            CollectionError: Another change has begun since.
        """
        whole = set_of(writing)
        stored = await self.catalogue.there(writing.name)
        if stored.step == writing.step:
            return stored
        if stored.begun > writing.step:
            raise CollectionError(f"another change of collection {writing.name!r} has begun: this one is given up")
        for piece in _pieces(keys):
            own = [Where(key="document", any_of=tuple(piece)), Where(key="step", any_of=(writing.step,))]
            await self._store.set_payload(whole, own, {"from": writing.step})
        for piece in _pieces([*keys, *gone]):
            earlier = [
                Where(key="document", any_of=tuple(piece)),
                Where(key="from", at_most=writing.step - 1),
                Where(key="until", at_least=NOT_YET),
            ]
            await self._store.set_payload(whole, earlier, {"until": writing.step})
        counts = {
            "documents": await self._count(whole, writing.step, DOCUMENT),
            "passages": await self._count(whole, writing.step, PASSAGE),
        }
        now = datetime.now(UTC).isoformat(timespec="seconds")
        shown = {"step": writing.step, "begun": writing.step, "swept": stored.swept, "updated": now, **counts}
        rebuilt = stored.coming and stored.coming.generation == writing.generation
        stored = (stored.coming if rebuilt and stored.coming else stored).model_copy(update=shown)
        await self.catalogue.write(stored)
        return stored

    async def sweep(self, writing: Writing) -> None:
        """Delete what ended at this step or before.

        A search that still looks at an earlier one sees that it does, and looks again.
        """
        stored = await self.catalogue.there(writing.name)
        if stored.swept < writing.step:
            await self.catalogue.write(stored.model_copy(update={"swept": writing.step}))
        await self._store.delete(set_of(writing), [Where(key="until", at_most=writing.step)])

    async def finish(self, writing: Writing) -> str:
        """Delete the set that a rebuilt one took the place of, and make searches fast.

        Returns what there is to say of it: that the old one had more documents, or that searches are not as fast.
        """
        notes = []
        now = (await self.catalogue.there(writing.name)).documents
        for one in _generations(writing.name, await self._store.sets()):
            if one == set_of(writing):
                continue
            if (before := await self._count(one, writing.step, DOCUMENT)) > now:
                notes.append(
                    f"it had {plural(before, 'document')} before and has {now:,} now: made anew, it has what these "
                    "sources have and nothing else"
                )
            await self._store.drop(one)
        try:
            await self._store.optimize(set_of(writing))
        except StoreError as error:
            notes.append(f"it is searched without new indexes, and more slowly: {error}")
        return "; ".join(notes)

    async def documents(self, name: str, *, tenant: str = "", after: str = "", limit: int = 1_000) -> Sequence[Record]:
        """Return a page of the documents that searches see, in the order of their ids."""
        stored = await self.catalogue.there(name)
        where = [Where(key="kind", any_of=(DOCUMENT,)), Where(key="tenant", any_of=(tenant,)), *visible_at(stored.step)]
        return await self._store.scroll(set_of(stored), where, limit=limit, after=after)

    async def search(
        self,
        name: str,
        legs: Sequence[Leg],
        conditions: Sequence[Condition] = (),
        *,
        tenant: str | None = None,
        seen: Stored | None = None,
    ) -> Searched:
        """Search one moment of a collection.

        Args:
            name: The collection.
            legs: The ways of searching.
            conditions: What the fields of a document have to be.
            tenant: Whose documents. None: the collection is not partitioned.
            seen: The collection as it was a moment ago, where it was looked at.

        Raises:
            CollectionError: There is no such collection.
        """
        stored = seen or await self.catalogue.there(name)
        for _ in range(_PATIENCE):
            where = [*visible_at(stored.step), *(where_of(condition) for condition in conditions)]
            if tenant is not None:
                where.append(Where(key="tenant", any_of=(tenant,)))
            try:
                found = await self._store.search(set_of(stored), legs, where)
            except StoreError:
                # Another generation may have taken its place.
                now = await self.catalogue.there(name)
                if now.generation == stored.generation:
                    await self._check_whole(now)
                    raise
                stored = now
                continue
            now = await self.catalogue.there(name)
            # Otherwise some of what it looked for may have been deleted while it looked.
            if now.swept <= stored.step and now.generation == stored.generation:
                return Searched(stored, found)
            stored = now
        raise StoreUnavailable(f"collection {name!r} changes faster than it can be searched")

    async def drop(self, name: str) -> None:
        """Delete a collection with everything in it. One that is not there is no error."""
        sets = await self._store.sets()
        # The catalogue first: where it ends in between nobody searches what is left, and `begin` deletes that.
        await self.catalogue.remove(name)
        for one in _generations(name, sets):
            if await self.catalogue.stored(name):
                # A new one has begun meanwhile: the sets are its own.
                return
            await self._store.drop(one)

    async def _check_still(self, name: str, known: Stored | None) -> None:
        """Check that no other attempt has changed the catalogue since."""
        if await self.catalogue.stored(name) != known:
            raise StoreUnavailable(f"collection {name!r} is changed by another attempt: this one is given up")

    async def _check_whole(self, stored: Stored) -> None:
        if set_of(stored) not in await self._store.sets():
            raise CollectionError(
                f"the passages of collection {stored.name!r} are gone: the store has no set {set_of(stored)!r}, though "
                f"the catalogue tells of {stored.documents} documents: bring them in again by "
                f"`sostenuto ingest {stored.name} PATH --rebuild`, or drop it by `sostenuto drop {stored.name}`"
            )

    async def _count(self, of: str, step: int, kind: str) -> int:
        return await self._store.count(of, [Where(key="kind", any_of=(kind,)), *visible_at(step)])


def _generations(name: str, sets: Iterable[str]) -> list[str]:
    """Return those of the sets that are a collection's."""
    parts = ((one, *one.rpartition(".")) for one in sets)
    return [one for one, owner, _, number in parts if owner == name and number.isdigit()]


def _pieces(items: Sequence[Any]) -> list[Sequence[Any]]:
    return [items[start : start + _MOST_AT_ONCE] for start in range(0, len(items), _MOST_AT_ONCE)]
