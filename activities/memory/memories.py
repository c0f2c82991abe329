"""The memories of scopes on a vector store: written, found, listed and deleted.

All changes of a scope are made one after the other: the workflow of the scope sees to that. Each may be repeated, also
where an attempt ended half way, and comes to the same. Must not know runs or workflows.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ...contracts.wire.memory.calls import (
    ForgetCall,
    Forgotten,
    ForgottenSource,
    MemoryListCall,
    MemoryPage,
    PastMemory,
    RecallCall,
    Recalled,
    ReplacedMemory,
    WriteCall,
    WriteOutcome,
)
from ...contracts.wire.memory.record import SHOWN_ID_CHARS, MemoryPlace, NewMemory, memory_id
from ..knowledge.encoding import EncodedPassage, PassageEncoder
from ..knowledge.search import Knowledge
from ..knowledge.store.stored import CollectionError, point_id
from ..knowledge.store.vector_store import Leg, Point, Record, StoreError, VectorStore, Where
from ..knowledge.store.vectors import length_of
from ..prices.price import OnCharge
from .ranking import ranked, within_tokens
from .stored import (
    MADE,
    counting,
    in_scope,
    layout_of_memories,
    payload_of,
    record_of,
    said_again,
    same_text,
    set_of_memories,
    superseded_by,
)

CHANGED_CLOSENESS: Final = 0.75
"""A text that says that something has changed takes the place of the closest one, if that is so close, as a cosine.
That two texts say the same no closeness tells: MiniLM has 0.995 between meetings on two days, and 0.96 between a gate's
code and a code of the gate."""

_CANDIDATES: Final = 60
_MOST_PAST: Final = 3
"""So much of what was so before is told with a memory."""
_PAGE: Final = 500
_MOST_SOURCES: Final = 200
_MOST_KNOWN_SETS: Final = 1_000


class Memories:
    """What a worker has of memories.

    Args:
        knowledge: Where they are, and what embeds them.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._store: VectorStore = knowledge.collections.store
        self._made: OrderedDict[str, str] = OrderedDict()
        """The sets that are known to be there, with what embeds what is in them."""

    async def write(self, call: WriteCall, charge: OnCharge) -> list[WriteOutcome]:
        """Write memories, one after the other; return what became of each.

        Raises:
            CollectionError: The memories there are embedded by another model.
        """
        place = call.place
        encoder = self._knowledge.encoder(place.embedding)
        encoded = await encoder.passages([memory.text for memory in call.memories], charge)
        await self._make(place, length_of(encoded[0].dense))
        return [await self._written(call, memory, one) for memory, one in zip(call.memories, encoded, strict=True)]

    async def recall(self, call: RecallCall, charge: OnCharge) -> Recalled:
        """Return the memories that fit a query best, each with its past.

        And how many the scope has.

        Raises:
            CollectionError: The memories there are embedded by another model.
        """
        place = call.place
        if not (call.limit or call.known) or not await self._is_made(place):
            return Recalled()
        where = counting(place, call.kinds)
        whole = set_of_memories(place.collection)
        of = await self._store.count(whole, where)
        if not of:
            return Recalled()
        query = call.query.strip() or "?"
        [encoded] = await self._encoder(place).queries([query], charge)
        words = self._knowledge.sparse.query(query)
        most = _CANDIDATES + len(call.told)
        legs = [Leg(dense=encoded.dense, limit=most), *([Leg(sparse=words, limit=most)] if words.indices else [])]
        hits = await self._store.search(whole, legs, where)
        found = ranked(hits, call)
        past = await self._past(place, {hit.payload["memory"]: hit.payload for leg in hits for hit in leg})
        new = [one.model_copy(update={"past": past[one.id]}) for one in found if one.id not in call.told]
        memories = tuple(within_tokens(new, call))
        told = [one.id for one in memories]
        return Recalled(memories=memories, known=tuple(one for one in found[: call.known] if one.id not in told), of=of)

    async def page(self, call: MemoryListCall) -> MemoryPage:
        """Return memories of a scope, in the order of their ids."""
        place = call.place
        if not await self._is_made(place, embeds=False):
            return MemoryPage()
        where = (in_scope if call.superseded else counting)(place, call.kinds)
        points = await self._store.scroll(set_of_memories(place.collection), where, limit=call.limit, after=call.after)
        cursor = points[-1].id if len(points) == call.limit else ""
        return MemoryPage(memories=tuple(filter(None, map(record_of, points))), cursor=cursor)

    async def forget(self, call: ForgetCall) -> Forgotten:
        """Delete memories, with those whose place they took, and look whether any is left."""
        place, whole = call.place, set_of_memories(call.place.collection)
        if not await self._is_made(place, embeds=False):
            return Forgotten(unknown=call.ids)
        if call.ids:
            known, unknown = await self._chosen(call)
            points = await self._with_past(place, known)
            where = [*in_scope(place), Where(key="memory", any_of=tuple(p.payload["memory"] for p in points))]
        else:
            points, unknown = await self._all(place), []
            where = in_scope(place)
        if not points:
            return Forgotten(unknown=tuple(unknown))
        await self._store.delete(whole, where)
        sources = {_source(point): None for point in points}
        told = [one for one in sources if one.run_id]
        return Forgotten(
            deleted=len(points),
            left=await self._store.count(whole, where),
            unknown=tuple(unknown),
            sources=tuple(told[:_MOST_SOURCES]),
            more_sources=max(len(told) - _MOST_SOURCES, 0),
        )

    async def _written(self, call: WriteCall, memory: NewMemory, encoded: EncodedPassage) -> WriteOutcome:
        place, whole = call.place, set_of_memories(call.place.collection)
        own = memory_id(place, call.source, memory)
        repeated = await self._one(place, Where(key="writes", any_of=(own,)))
        if repeated is not None:
            # What an attempt that ended half way has left to do.
            replaced = await self._read(place, repeated.payload["supersedes"]) if _is(repeated, own) else []
            await self._supersede(call, own, [point for point in replaced if not point.payload.get("superseded_by")])
            return _outcome(repeated, own, replaced)
        same = await self._same(place, memory)
        if same is not None:
            mine = [Where(key="memory", any_of=(same.payload["memory"],))]
            change = said_again(same.payload, own, call.source.at, memory.importance)
            await self._store.set_payload(whole, [*in_scope(place), *mine], change)
            return _outcome(same, own, [])
        replaced = await self._contradicted(place, memory, encoded)
        payload = payload_of(place, call.source, memory, own, [point.payload["memory"] for point in replaced])
        sparse = self._knowledge.sparse.document(memory.text)
        await self._store.upsert(whole, [Point(id=own, payload=payload, dense=encoded.dense, sparse=sparse)])
        await self._supersede(call, own, replaced)
        return WriteOutcome(id=own, replaced=tuple(map(_replaced, replaced)))

    async def _supersede(self, call: WriteCall, own: str, replaced: Sequence[Record]) -> None:
        if replaced:
            mine = Where(key="memory", any_of=tuple(point.payload["memory"] for point in replaced))
            change = superseded_by(own, call.source.at)
            await self._store.set_payload(set_of_memories(call.place.collection), [*in_scope(call.place), mine], change)

    async def _same(self, place: MemoryPlace, memory: NewMemory) -> Record | None:
        """Return a memory that counts and says the same, in the same words."""
        same = Where(key="same", any_of=(same_text(memory.text) or "-",))
        return await self._one(place, same, counting(place, (memory.kind,)))

    async def _contradicted(self, place: MemoryPlace, memory: NewMemory, encoded: EncodedPassage) -> list[Record]:
        """Return the memories that count whose place a new one takes."""
        found = {point.id: point for point in await self._read(place, memory.replaces)}
        whole = set_of_memories(place.collection)
        if memory.key:
            of_key = [*counting(place), Where(key="key", any_of=(memory.key.casefold(),))]
            found |= {point.id: point for point in await self._store.scroll(whole, of_key, limit=_PAGE)}
        elif memory.updates and not found and (closest := await self._closest(place, memory, encoded)):
            found[closest.id] = closest
        return [point for point in found.values() if not point.payload.get("superseded_by")]

    async def _closest(self, place: MemoryPlace, memory: NewMemory, encoded: EncodedPassage) -> Record | None:
        [hits] = await self._store.search(
            set_of_memories(place.collection), [Leg(dense=encoded.dense, limit=1)], counting(place, (memory.kind,))
        )
        close = bool(hits) and hits[0].score >= CHANGED_CLOSENESS
        return Record(id=hits[0].id, payload=hits[0].payload) if close else None

    async def _one(self, place: MemoryPlace, what: Where, among: Sequence[Where] | None = None) -> Record | None:
        where = [*(in_scope(place) if among is None else among), what]
        found = await self._store.scroll(set_of_memories(place.collection), where, limit=1)
        return found[0] if found else None

    async def _read(self, place: MemoryPlace, ids: Sequence[str]) -> list[Record]:
        """Return memories of the scope, by their ids or what models are told of those."""
        found: dict[str, Record] = {}
        for key, some in (("memory", [i for i in ids if len(i) > SHOWN_ID_CHARS]), ("shown", ids)):
            if some:
                where = [*in_scope(place), Where(key=key, any_of=tuple(some))]
                points = await self._store.scroll(set_of_memories(place.collection), where, limit=_PAGE)
                found |= {point.id: point for point in points}
        return [*found.values()]

    async def _chosen(self, call: ForgetCall) -> tuple[list[Record], list[str]]:
        points = await self._read(call.place, call.ids)
        known = {name for point in points for name in (point.payload["memory"], point.payload["shown"])}
        return points, [one for one in call.ids if one not in known]

    async def _with_past(self, place: MemoryPlace, points: Sequence[Record]) -> list[Record]:
        """Return memories with all whose place they took.

        Who wants one forgotten wants no trace of it.
        """
        found = {point.id: point for point in points}
        left = list(points)
        while left:
            past = [one for point in left for one in point.payload.get("supersedes", ())]
            left = [point for point in await self._read(place, past) if point.id not in found]
            found |= {point.id: point for point in left}
        return [*found.values()]

    async def _past(
        self, place: MemoryPlace, found: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, tuple[PastMemory, ...]]:
        """Return the past of memories, by their ids: what they took the place of.

        And what that did, the latest first.

        Args:
            place: Where they are.
            found: Their payloads, by their ids.
        """
        past: dict[str, list[Record]] = {id_: [] for id_ in found}
        left = {id_: payload.get("supersedes", ()) for id_, payload in found.items()}
        for _ in range(_MOST_PAST):
            wanted = list(dict.fromkeys(one for ids in left.values() for one in ids))
            known = {point.payload["memory"]: point for point in await self._read(place, wanted)} if wanted else {}
            for id_, ids in left.items():
                past[id_] += [known[one] for one in ids if one in known]
            left = {
                id_: [further for one in ids if one in known for further in known[one].payload.get("supersedes", ())]
                for id_, ids in left.items()
            }
        return {id_: tuple(map(_past_of, points[:_MOST_PAST])) for id_, points in past.items()}

    async def _all(self, place: MemoryPlace) -> list[Record]:
        whole, found, after = set_of_memories(place.collection), list[Record](), ""
        while page := await self._store.scroll(
            whole, in_scope(place), limit=_PAGE, after=after, keys=["source", "memory"]
        ):
            found += page
            after = page[-1].id
        return found

    def _encoder(self, place: MemoryPlace) -> PassageEncoder:
        return self._knowledge.encoder(place.embedding)

    async def _make(self, place: MemoryPlace, dimensions: int) -> None:
        """Make the set of a collection's memories, where it is not there yet."""
        if await self._is_made(place):
            return
        whole = set_of_memories(place.collection)
        await self._store.create(whole, layout_of_memories(dimensions))
        made = {"point": MADE, "embedding": place.embedding}
        await self._store.upsert(whole, [Point(id=point_id(MADE), payload=made)])

    async def _is_made(self, place: MemoryPlace, *, embeds: bool = True) -> bool:
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
            made = await self._store.read(whole, [point_id(MADE)])
        except StoreError:
            if whole in await self._store.sets():
                raise
            return ""
        return str(made[0].payload["embedding"]) if made else ""


def _is(point: Record, id_: str) -> bool:
    return bool(point.payload["memory"] == id_)


def _outcome(point: Record, own: str, replaced: Sequence[Record]) -> WriteOutcome:
    known = not _is(point, own)
    return WriteOutcome(id=point.payload["memory"], known=known, replaced=tuple(map(_replaced, replaced)))


def _replaced(point: Record) -> ReplacedMemory:
    return ReplacedMemory(id=point.payload["memory"], text=point.payload["text"])


def _past_of(point: Record) -> PastMemory:
    until = point.payload.get("superseded_at") or point.payload["confirmed"]
    return PastMemory(text=point.payload["text"], until=until)


def _source(point: Record) -> ForgottenSource:
    said: dict[str, Any] = point.payload.get("source", {})
    return ForgottenSource(run_id=said.get("run_id", ""), execution=said.get("execution", ""))
