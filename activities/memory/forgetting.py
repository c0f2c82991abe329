"""Deletes memories, so that no late repeat brings them back.

Of each deletion a record stands in the store for a while, without a text and without a vector: which steps of which
runs wrote what is gone, as hashes that no text is part of, and what the deletion came to. So a write that is asked for
again is known as done, and so is the deletion. Must not know runs or workflows.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

from ...contracts.wire.memory.calls import ForgetCall, Forgotten, ForgottenSource, WriteCall
from ...contracts.wire.memory.record import MemoryPlace, in_utc, step_id
from ..knowledge.store.stored import point_id
from ..knowledge.store.vector_store import Point, Record, StoreError, Where
from .points import MemoryPoints
from .stored import GONE, gone_from, in_scope, last_asked, set_of_memories

_LOG: Final = logging.getLogger("sostenuto.memory")
KEPT: Final = timedelta(hours=24)
"""So long what was deleted stays known as deleted: longer than a write is asked for again."""

_PART: Final = 200
"""So many memories are in one part of a record."""
_MOST_SOURCES: Final = 200
_SWEPT_EVERY_SECONDS: Final = 3_600.0


class Forgetting:
    """Deletes memories, and knows what was deleted.

    Args:
        points: Where they are.
    """

    def __init__(self, points: MemoryPoints) -> None:
        self._points = points
        self._swept: dict[str, float] = {}
        """When records that are out of date were last deleted of each set."""

    async def forget(self, call: ForgetCall) -> Forgotten:
        """Delete memories, with those whose place they took, and look whether any is left.

        The same deletion, asked for again, goes on where it ended, and tells the same.
        """
        place = call.place
        if not await self._points.is_made(place, embeds=False):
            return Forgotten(unknown=call.ids)
        await self.sweep(place)
        id_ = _id_of(call)
        parts = await self._recorded(place, id_) or await self._record(call, id_)
        first = parts[0].payload
        if not first["is_done"]:
            left = await self._delete(call, [one for part in parts for one in part.payload["ids"]])
            done = {"ids": [], "is_done": True, "left": left}
            await self._points.store.set_payload(set_of_memories(place.collection), _of_deletion(place, id_), done)
            first = {**first, **done}
        return Forgotten(
            deleted=first["deleted"],
            left=first["left"],
            unknown=tuple(call.ids[index] for index in first["unknown"]),
            sources=tuple(ForgottenSource(run_id=run, execution=execution) for run, execution in first["sources"]),
            more_sources=first["more_sources"],
        )

    async def undone(self, call: WriteCall) -> set[int]:
        """Return which memories of a write it had written before they were deleted.

        One that is asked for after that is none of them.
        """
        steps = [step_id(call.place, call.source, index) for index in range(len(call.memories))]
        where = [*gone_from(call.place), Where(key="writes", any_of=tuple(steps))]
        asked, known = in_utc(call.source.at).isoformat(), dict[str, str]()
        for record in await self._points.every(call.place, where, ("writes", "asked")):
            for step, at in zip(record.payload["writes"], record.payload["asked"], strict=True):
                known[step] = max(at, known.get(step, ""))
        return {index for index, step in enumerate(steps) if asked <= known.get(step, "")}

    async def sweep(self, place: MemoryPlace) -> None:
        """Delete the records of deletions that are out of date, now and then."""
        whole = set_of_memories(place.collection)
        now = time.monotonic()
        if now - self._swept.get(whole, -_SWEPT_EVERY_SECONDS) < _SWEPT_EVERY_SECONDS:
            return
        until = Where(key="until", at_most=datetime.now(UTC).timestamp())
        try:
            await self._points.store.delete(whole, [Where(key="point", any_of=(GONE,)), until])
        except StoreError as error:
            # What is to be done next says whether the store can be had.
            _LOG.warning("records of deletions that are out of date stay for now: %s", error)
            return
        self._swept[whole] = now

    async def _recorded(self, place: MemoryPlace, id_: str) -> list[Record]:
        """Return the parts of the record of a deletion that has begun.

        The first one first, which is written last: without it nothing is deleted yet.
        """
        parts = sorted(await self._points.every(place, _of_deletion(place, id_)), key=lambda one: one.payload["part"])
        return parts[: parts[0].payload["parts"]] if parts and parts[0].payload["part"] == 0 else []

    async def _record(self, call: ForgetCall, id_: str) -> list[Record]:
        """Note what is about to be deleted; return the parts of the record."""
        points, unknown = await self._chosen(call)
        told = [*{_source_of(point): None for point in points if _source_of(point)[0]}]
        result = {
            "deleted": len(points),
            "left": 0,
            "unknown": unknown,
            "sources": [list(one) for one in told[:_MOST_SOURCES]],
            "more_sources": max(len(told) - _MOST_SOURCES, 0),
            "is_done": False,
        }
        shares = [points[start : start + _PART] for start in range(0, len(points), _PART)] or [[]]
        until = (datetime.now(UTC) + KEPT).timestamp()
        parts = []
        for number, share in enumerate(shares):
            payload = {
                **_part_of(call.place, id_, share),
                "part": number,
                "parts": len(shares),
                "until": until,
                **({} if number else result),
            }
            parts.append(Record(id=point_id(GONE, call.place.scope, id_, number), payload=payload))
        for part in reversed(parts):
            whole = set_of_memories(call.place.collection)
            await self._points.store.upsert(whole, [Point(id=part.id, payload=part.payload)])
        return parts

    async def _chosen(self, call: ForgetCall) -> tuple[list[Record], list[int]]:
        """Return the memories that are meant, and which ids there are none of."""
        place = call.place
        if not call.ids:
            return await self._points.every(place, in_scope(place), keys=_WANTED), []
        points = await self._points.read(place, call.ids)
        known = {point.payload.get(name) for point in points for name in ("memory", "shown")}
        unknown = [index for index, one in enumerate(call.ids) if one not in known]
        return await self._points.with_past(place, points), unknown

    async def _delete(self, call: ForgetCall, ids: Sequence[str]) -> int:
        """Delete memories; return how many are left of what was to go."""
        place, whole, left = call.place, set_of_memories(call.place.collection), 0
        for start in range(0, len(ids), _PART):
            mine = [*in_scope(place), Where(key="memory", any_of=tuple(ids[start : start + _PART]))]
            await self._points.store.delete(whole, mine)
            left += await self._points.store.count(whole, mine)
        return left if call.ids else await self._points.store.count(whole, in_scope(place))


_WANTED: Final = ("source", "memory", "steps", "asked", "confirmed")


def _id_of(call: ForgetCall) -> str:
    """Return the id of a deletion: the same whenever the same is asked for again."""
    if not call.forget_id:
        return uuid4().hex
    return sha256(json.dumps([call.forget_id, *call.ids]).encode()).hexdigest()


def _of_deletion(place: MemoryPlace, id_: str) -> list[Where]:
    return [*gone_from(place), Where(key="memory", any_of=(id_,))]


def _part_of(place: MemoryPlace, id_: str, points: Sequence[Record]) -> dict[str, Any]:
    steps = [(step, last_asked(point.payload)) for point in points for step in point.payload.get("steps", ())]
    return {
        "point": GONE,
        "scope": place.scope,
        "memory": id_,
        "writes": [step for step, _ in steps],
        "asked": [at for _, at in steps],
        # Until they are deleted.
        "ids": [point.payload["memory"] for point in points],
    }


def _source_of(point: Record) -> tuple[str, str]:
    said: dict[str, Any] = point.payload.get("source") or {}
    return str(said.get("run_id", "")), str(said.get("execution", ""))
