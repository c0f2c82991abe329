"""The memories of scopes on a vector store: written, found, listed and deleted.

All changes of a scope are made one after the other: the workflow of the scope sees to that. Each may be repeated, also
where an attempt ended half way, and comes to the same. Must not know runs or workflows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ...contracts.wire.memory.calls import (
    ForgetCall,
    Forgotten,
    MemoryListCall,
    MemoryPage,
    PastMemory,
    RecallCall,
    Recalled,
    ReplacedMemory,
    WriteCall,
    WriteOutcome,
)
from ...contracts.wire.memory.record import MemoryPlace, NewMemory, in_utc, memory_id, step_id
from ..knowledge.encoding import EncodedPassage, PassageEncoder
from ..knowledge.search import Knowledge
from ..knowledge.store.vector_store import Leg, Point, Record, VectorStore, Where
from ..knowledge.store.vectors import length_of
from ..prices.price import OnCharge
from .forgetting import Forgetting
from .points import POINTS_AT_ONCE, MemoryPoints
from .ranking import ranked, within_bytes, within_tokens
from .stored import (
    counting,
    in_scope,
    last_asked,
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


class Memories:
    """What a worker has of memories.

    Args:
        knowledge: Where they are, and what embeds them.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._store: VectorStore = knowledge.collections.store
        self._points = MemoryPoints(knowledge)
        self._forgetting = Forgetting(self._points)

    async def write(self, call: WriteCall, charge: OnCharge) -> list[WriteOutcome]:
        """Write memories, one after the other; return what became of each.

        Raises:
            CollectionError: The memories there are embedded by another model.
        """
        place = call.place
        encoder = self._knowledge.encoder(place.embedding)
        encoded = await encoder.passages([memory.text for memory in call.memories], charge)
        await self._points.make(place, length_of(encoded[0].dense))
        await self._forgetting.sweep(place)
        undone = await self._forgetting.undone(call)
        return [await self._written(call, index, one, is_undone=index in undone) for index, one in enumerate(encoded)]

    async def recall(self, call: RecallCall, charge: OnCharge) -> Recalled:
        """Return the memories that fit a query best, each with its past.

        And how many the scope has.

        Raises:
            CollectionError: The memories there are embedded by another model.
        """
        place = call.place
        if not (call.limit or call.known) or not await self._points.is_made(place):
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
        memories = within_bytes(within_tokens(new, call))
        told = [one.id for one in memories]
        known = within_bytes([one for one in found[: call.known] if one.id not in told])
        return Recalled(memories=tuple(memories), known=tuple(known), of=of)

    async def page(self, call: MemoryListCall) -> MemoryPage:
        """Return memories of a scope, in the order of their ids.

        As many as are wanted, and as go into one answer.
        """
        place = call.place
        if not await self._points.is_made(place, embeds=False):
            return MemoryPage()
        where = (in_scope if call.superseded else counting)(place, call.kinds)
        points = await self._store.scroll(set_of_memories(place.collection), where, limit=call.limit, after=call.after)
        records = [*filter(None, map(record_of, points))]
        told = within_bytes(records)
        if len(told) < len(records):
            return MemoryPage(memories=tuple(told), cursor=told[-1].id)
        return MemoryPage(memories=tuple(told), cursor=points[-1].id if len(points) == call.limit else "")

    async def forget(self, call: ForgetCall) -> Forgotten:
        """Delete memories, with those whose place they took, and look whether any is left."""
        return await self._forgetting.forget(call)

    async def _written(self, call: WriteCall, index: int, encoded: EncodedPassage, *, is_undone: bool) -> WriteOutcome:
        place, whole, memory = call.place, set_of_memories(call.place.collection), call.memories[index]
        own, step = memory_id(place, call.source, memory, index), step_id(place, call.source, index)
        repeated = await self._points.one(place, Where(key="writes", any_of=(own,)))
        if repeated is not None:
            # What an attempt that ended half way has left to do.
            mine = repeated.payload["memory"]
            replaced = await self._points.read(place, repeated.payload.get("supersedes", ()))
            replaced = replaced if _is(repeated, own) else [one for one in replaced if _is_replaced_by(one, mine, call)]
            if not repeated.payload.get("superseded_by"):
                left = [point for point in replaced if not point.payload.get("superseded_by")]
                await self._supersede(call, mine, left)
            await self._asked_again(call, repeated, step)
            return _outcome(repeated, own, replaced)
        if is_undone:
            return WriteOutcome(id=own, forgotten=True)
        same = await self._same(place, memory)
        if same is not None:
            known = same.payload["memory"]
            unlike = memory.model_copy(update={"updates": False})
            replaced = [one for one in await self._contradicted(place, unlike, encoded) if one.id != same.id]
            change = said_again(same.payload, own, step, call.source.at, memory)
            change["supersedes"] = [*same.payload.get("supersedes", ()), *(one.payload["memory"] for one in replaced)]
            await self._store.set_payload(whole, [*in_scope(place), Where(key="memory", any_of=(known,))], change)
            await self._supersede(call, known, replaced)
            return _outcome(same, own, replaced)
        replaced = await self._contradicted(place, memory, encoded)
        payload = payload_of(place, call.source, memory, (own, step), [one.payload["memory"] for one in replaced])
        sparse = self._knowledge.sparse.document(memory.text)
        await self._store.upsert(whole, [Point(id=own, payload=payload, dense=encoded.dense, sparse=sparse)])
        await self._supersede(call, own, replaced)
        return WriteOutcome(id=own, replaced=tuple(map(_replaced, replaced)))

    async def _asked_again(self, call: WriteCall, point: Record, step: str) -> None:
        """Note that a write that is done was asked for anew, or by another step.

        A late repeat of that is to be known, too.
        """
        asked, steps, change = in_utc(call.source.at).isoformat(), point.payload.get("steps", ()), dict[str, Any]()
        if asked > last_asked(point.payload):
            change["asked"] = asked
        if step not in steps:
            change["steps"] = [*steps, step]
        if change:
            mine = Where(key="memory", any_of=(point.payload["memory"],))
            whole = set_of_memories(call.place.collection)
            await self._store.set_payload(whole, [*in_scope(call.place), mine], change)

    async def _supersede(self, call: WriteCall, own: str, replaced: Sequence[Record]) -> None:
        if replaced:
            mine = Where(key="memory", any_of=tuple(point.payload["memory"] for point in replaced))
            change = superseded_by(own, call.source.at)
            await self._store.set_payload(set_of_memories(call.place.collection), [*in_scope(call.place), mine], change)

    async def _same(self, place: MemoryPlace, memory: NewMemory) -> Record | None:
        """Return a memory that counts and says the same, in the same words.

        Of what is said about one subject, it is about that, or about none that is known.
        """
        same = [*counting(place, (memory.kind,)), Where(key="same", any_of=(same_text(memory.text),))]
        found, key = await self._points.some(place, same), memory.key.casefold()
        fitting = [one for one in found if not key or one.payload.get("key", "") in (key, "")]
        return min(fitting, key=lambda one: one.payload.get("key", "") != key, default=None)

    async def _contradicted(self, place: MemoryPlace, memory: NewMemory, encoded: EncodedPassage) -> list[Record]:
        """Return the memories that count whose place a new one takes."""
        found = {point.id: point for point in await self._points.read(place, memory.replaces)}
        whole = set_of_memories(place.collection)
        if memory.key:
            of_key = [*counting(place), Where(key="key", any_of=(memory.key.casefold(),))]
            found |= {point.id: point for point in await self._store.scroll(whole, of_key, limit=POINTS_AT_ONCE)}
        elif memory.updates and not found and (closest := await self._closest(place, memory, encoded)):
            found[closest.id] = closest
        return [point for point in found.values() if not point.payload.get("superseded_by")]

    async def _closest(self, place: MemoryPlace, memory: NewMemory, encoded: EncodedPassage) -> Record | None:
        [hits] = await self._store.search(
            set_of_memories(place.collection), [Leg(dense=encoded.dense, limit=1)], counting(place, (memory.kind,))
        )
        close = bool(hits) and hits[0].score >= CHANGED_CLOSENESS
        return Record(id=hits[0].id, payload=hits[0].payload) if close else None

    async def _past(
        self, place: MemoryPlace, found: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, tuple[PastMemory, ...]]:
        """Return the past of memories, by their ids: what they took the place of.

        And what that did, the latest first.

        Args:
            place: Where they are.
            found: Their payloads, by their ids.
        """
        past: dict[str, dict[str, Record]] = {id_: {} for id_ in found}
        left = {id_: payload.get("supersedes", ()) for id_, payload in found.items()}
        for _ in range(_MOST_PAST):
            wanted = list(dict.fromkeys(one for ids in left.values() for one in ids))
            known = (
                {point.payload["memory"]: point for point in await self._points.read(place, wanted)} if wanted else {}
            )
            for id_, ids in left.items():
                new = {one: known[one] for one in ids if one in known and one not in past[id_] and one != id_}
                past[id_] |= new
                left[id_] = [further for point in new.values() for further in point.payload.get("supersedes", ())]
        return {id_: tuple(map(_past_of, [*points.values()][:_MOST_PAST])) for id_, points in past.items()}

    def _encoder(self, place: MemoryPlace) -> PassageEncoder:
        return self._knowledge.encoder(place.embedding)


def _is(point: Record, id_: str) -> bool:
    return bool(point.payload["memory"] == id_)


def _is_replaced_by(point: Record, id_: str, call: WriteCall) -> bool:
    """Return whether this write had a known memory take the place of another."""
    done = superseded_by(id_, call.source.at)
    by = point.payload.get("superseded_by")
    return not by or (by, point.payload.get("superseded_at")) == (id_, done["superseded_at"])


def _outcome(point: Record, own: str, replaced: Sequence[Record]) -> WriteOutcome:
    known = not _is(point, own)
    return WriteOutcome(id=point.payload["memory"], known=known, replaced=tuple(map(_replaced, replaced)))


def _replaced(point: Record) -> ReplacedMemory:
    return ReplacedMemory(id=point.payload["memory"], text=point.payload["text"])


def _past_of(point: Record) -> PastMemory:
    until = point.payload.get("superseded_at") or point.payload["confirmed"]
    return PastMemory(text=point.payload["text"], until=until)
