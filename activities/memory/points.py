"""The points of memories in a vector store: made, found by what stands in them.

Must not decide what is written, told or deleted.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Sequence
from typing import Final

from ...contracts.wire.memory.record import SHOWN_ID_CHARS, MemoryPlace
from ..knowledge.search import Knowledge
from ..knowledge.store.stored import CollectionError, point_id
from ..knowledge.store.vector_store import Point, Record, StoreError, VectorStore, Where
from .stored import MADE, in_scope, layout_of_memories, set_of_memories

POINTS_AT_ONCE: Final = 500
"""So many points are read at once."""

_MOST_KNOWN_SETS: Final = 1_000


class MemoryPoints:
    """The points of the memories of all scopes.

    Args:
        knowledge: Where they are.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        self.store: VectorStore = knowledge.collections.store
        self._made: OrderedDict[str, str] = OrderedDict()
        """The sets that are known to be there, with what embeds what is in them."""

    async def one(self, place: MemoryPlace, what: Where, among: Sequence[Where] | None = None) -> Record | None:
        """Return one memory of a scope that a condition holds for.

        Args:
            place: The scope.
            what: The condition.
            among: What holds for it beside. Default: that it is of the scope.
        """
        where = [*(in_scope(place) if among is None else among), what]
        found = await self.store.scroll(set_of_memories(place.collection), where, limit=1)
        return found[0] if found else None

    async def some(self, place: MemoryPlace, where: Sequence[Where]) -> list[Record]:
        """Return the first points that conditions hold for."""
        return [*await self.store.scroll(set_of_memories(place.collection), where, limit=POINTS_AT_ONCE)]

    async def read(self, place: MemoryPlace, ids: Sequence[str]) -> list[Record]:
        """Return memories of the scope, by their ids or what models are told of those.

        What models are told of two ids alike is none of them.
        """
        found: dict[str, Record] = {}
        for key, some in (("memory", [i for i in ids if len(i) > SHOWN_ID_CHARS]), ("shown", ids)):
            for start in range(0, len(some), POINTS_AT_ONCE):
                share = tuple(some[start : start + POINTS_AT_ONCE])
                points = await self.every(place, [*in_scope(place), Where(key=key, any_of=share)])
                alike = Counter(point.payload[key] for point in points)
                found |= {point.id: point for point in points if alike[point.payload[key]] == 1}
        return [*found.values()]

    async def with_past(self, place: MemoryPlace, points: Sequence[Record]) -> list[Record]:
        """Return memories with all whose place they took.

        Who wants one forgotten wants no trace of it.
        """
        found = {point.id: point for point in points}
        left = list(points)
        while left:
            past = [one for point in left for one in point.payload.get("supersedes", ())]
            # One that counts is nobody's past: a write that ended half way has only said so.
            left = [
                point
                for point in await self.read(place, past)
                if point.id not in found and point.payload.get("superseded_by")
            ]
            found |= {point.id: point for point in left}
        return [*found.values()]

    async def every(self, place: MemoryPlace, where: Sequence[Where], keys: Sequence[str] = ()) -> list[Record]:
        """Return all points that conditions hold for.

        Args:
            place: Among those of which collection.
            where: The conditions.
            keys: Places of the payload that are wanted; empty for all.
        """
        whole, found, after = set_of_memories(place.collection), list[Record](), ""
        while True:
            page = await self.store.scroll(whole, where, limit=POINTS_AT_ONCE, after=after, keys=keys)
            found += page
            if len(page) < POINTS_AT_ONCE:
                return found
            after = page[-1].id

    async def make(self, place: MemoryPlace, dimensions: int) -> None:
        """Make the set of a collection's memories, where it is not there yet."""
        if await self.is_made(place):
            return
        whole = set_of_memories(place.collection)
        await self.store.create(whole, layout_of_memories(dimensions))
        made = {"point": MADE, "embedding": place.embedding}
        await self.store.upsert(whole, [Point(id=point_id(MADE), payload=made)])

    async def is_made(self, place: MemoryPlace, *, embeds: bool = True) -> bool:
        """Return whether there are memories of a collection.

        Args:
            place: Of which collection.
            embeds: Whether something is to be embedded, as what is there was.

        Raises:
            CollectionError: What is there was embedded by another model.
        """
        whole = set_of_memories(place.collection)
        embedding = self._made.get(whole) or await self._embedding_of(whole)
        if not embedding:
            return False
        self._made[whole] = embedding
        while len(self._made) > _MOST_KNOWN_SETS:
            self._made.popitem(last=False)
        if embeds and embedding != place.embedding:
            raise CollectionError(
                f"the memories of collection {place.collection!r} are embedded by {embedding}, and are to be by "
                f"{place.embedding} here: put it back, or take a collection of another name for them"
            )
        return True

    async def _embedding_of(self, whole: str) -> str:
        try:
            made = await self.store.read(whole, [point_id(MADE)])
        except StoreError:
            if whole in await self.store.sets():
                raise
            return ""
        return str(made[0].payload["embedding"]) if made else ""
