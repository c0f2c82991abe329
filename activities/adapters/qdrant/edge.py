"""Qdrant embedded in this process, by `qdrant-edge`.

It must be the only process with its directory.

`embedded.py` lets several workers use it.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import qdrant_edge as edge

from ...knowledge.store.vector_store import DENSE, SPARSE, Hit, Layout, Leg, Point, Record, StoreError, Where
from ...knowledge.store.vectors import floats
from .optimizing import Optimizer, Users
from .shard_folders import ShardFolders

_SMALL: Final = 5_000
"""Points of a set that needs no index, and is made tidy within a second."""

_INDEXES: Final = {
    "text": edge.PayloadSchemaType.Keyword,
    "integer": edge.PayloadSchemaType.Integer,
    "number": edge.PayloadSchemaType.Float,
    "date": edge.PayloadSchemaType.Datetime,
}


class EdgeShards:
    """Sets of points in a directory, each a shard of its own.

    Safe to call from several threads. The methods are those of `VectorStore`, but block.

    Args:
        directory: Where the sets are. It exists, and no other process uses it.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._folders = ShardFolders(directory)
        self._shards: dict[str, edge.EdgeShard] = {}
        self._lock = threading.RLock()
        self._users = Users()
        self._optimizer = Optimizer()
        self._writers: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def sets(self) -> list[str]:
        """Return the names of all sets."""
        return self._folders.names()

    def create(self, name: str, layout: Layout) -> None:
        """Make a set, where there is none.

        One that is there gets the indexes that it lacks.
        """
        with self._lock:
            if not self._folders.of(name).exists():
                self._make(name, layout)
        for key, kind in layout.indexes.items():
            self._update(name, edge.UpdateOperation.create_field_index(key, _INDEXES[kind]))

    def _make(self, name: str, layout: Layout) -> None:
        # Under another name until it is whole: a process may end in between.
        new = self._folders.half_made(name)
        shard = edge.EdgeShard.create(str(new), _config(layout))
        shard.flush()
        shard.close()
        self._folders.put(name, new)

    def drop(self, name: str) -> None:
        """Delete a set, where there is one."""
        with self._writers[name], self._users.none(name), self._lock:
            self._close(name)
            self._folders.delete(name)

    def upsert(self, name: str, points: Sequence[Point]) -> None:
        """Store points, in place of those with the same ids."""
        self._update(name, edge.UpdateOperation.upsert_points([_point(point) for point in points]))

    def set_payload(self, name: str, where: Sequence[Where], values: Mapping[str, Any]) -> None:
        """Set values in the payload of every point that the conditions hold for."""
        self._update(name, edge.UpdateOperation.set_payload_by_filter(_filter(where), dict(values)))

    def delete(self, name: str, where: Sequence[Where]) -> None:
        """Delete every point that the conditions hold for."""
        self._update(name, edge.UpdateOperation.delete_points_by_filter(_filter(where)))

    def read(self, name: str, ids: Sequence[str]) -> list[Record]:
        """Return the points of these ids that are there."""
        with self._reading(name) as shard:
            return [_record(found) for found in shard.retrieve(list(ids), True, False)]

    def scroll(
        self, name: str, where: Sequence[Where], *, limit: int, after: str = "", keys: Sequence[str] = ()
    ) -> list[Record]:
        """Return points that the conditions hold for, in the order of their ids."""
        request = edge.ScrollRequest(
            # The offset is the first that is wanted, and the last that is known may be gone by now.
            offset=after or None,
            limit=limit + 1,
            filter=_filter(where),
            with_payload=list(keys) or True,
            with_vector=False,
        )
        with self._reading(name) as shard:
            found, _ = shard.scroll(request)
        return [_record(one) for one in found if str(one.id) != after][:limit]

    def count(self, name: str, where: Sequence[Where]) -> int:
        """Return how many points the conditions hold for."""
        with self._reading(name) as shard:
            return shard.count(edge.CountRequest(exact=True, filter=_filter(where)))

    def search(self, name: str, legs: Sequence[Leg], where: Sequence[Where]) -> list[list[Hit]]:
        """Return the nearest points of each leg, the best first.

        The conditions hold for all of them.
        """
        wanted = _filter(where)
        queries = [
            edge.QueryRequest(limit=leg.limit, query=_nearest(leg), filter=wanted, with_payload=True) for leg in legs
        ]
        with self._reading(name) as shard:
            found = shard.query_batch(edge.QueryBatchRequest(queries))
        return [
            [Hit(id=str(point.id), score=point.score, payload=point.payload or {}) for point in points]
            for points in found
        ]

    def optimize(self, name: str) -> None:
        """Build the indexes that make searches of a large set fast; may take minutes.

        The engine holds Python's own lock while it does. So a large set is copied, another process makes the copy fast,
        and it takes the set's place: meanwhile searches go on, and writes to that set wait.

        Raises:
            StoreError: The other process cannot.
            ConnectionError: It was stopped.
        """
        with self._reading(name) as shard:
            points = shard.info().points_count
        if points < _SMALL:
            with self._writers[name], self._reading(name) as shard:
                shard.optimize()
            return
        with self._writers[name]:
            with self._reading(name) as shard:
                shard.flush()
                copy = self._optimizer.copy(self._folders.of(name))
            with self._users.none(name), self._lock:
                self._close(name)
                self._folders.replace(name, copy)

    def stop(self) -> None:
        """Give up what takes minutes: `close` comes next."""
        self._optimizer.stop()

    def close(self) -> None:
        """Write what is left to the disk, and let another process have the directory."""
        with self._lock:
            for shard in self._shards.values():
                shard.flush()
                shard.close()
            self._shards.clear()

    def _close(self, name: str) -> None:
        if shard := self._shards.pop(name, None):
            shard.close()

    def _update(self, name: str, operation: edge.UpdateOperation) -> None:
        with self._writers[name], self._reading(name) as shard:
            shard.update(operation)

    @contextmanager
    def _reading(self, name: str) -> Iterator[edge.EdgeShard]:
        """Return a shard that nobody closes while the block lasts."""
        with self._users.one(name):
            yield self._shard(name)

    def _shard(self, name: str) -> edge.EdgeShard:
        with self._lock:
            if name not in self._shards:
                folder = self._folders.of(name)
                if not folder.exists():
                    raise StoreError(f"there is no set {name!r} in {self._directory}")
                self._shards[name] = edge.EdgeShard.load(str(folder))
            return self._shards[name]


def _config(layout: Layout) -> edge.EdgeConfig:
    vectors = {DENSE: edge.EdgeVectorParams(size=layout.dimensions, distance=edge.Distance.Cosine)}
    return edge.EdgeConfig(
        vectors=vectors if layout.dimensions else None,
        # A shard has to have vectors of some kind.
        sparse_vectors={SPARSE: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        # Else the engine puts its pages out of the system's cache, and a search waits for the disk 400 times.
        payload_memory=edge.Memory.Cached,
    )


def _point(point: Point) -> edge.Point:
    vectors: dict[str, Any] = {}
    if point.dense:
        vectors[DENSE] = floats(point.dense)
    if point.sparse:
        vectors[SPARSE] = edge.SparseVector(list(point.sparse.indices), list(point.sparse.values))
    return edge.Point(point.id, vectors, point.payload)


def _record(found: edge.Record) -> Record:
    return Record(id=str(found.id), payload=found.payload or {})


def _nearest(leg: Leg) -> edge.Query:
    if leg.sparse:
        sparse = edge.SparseVector(list(leg.sparse.indices), list(leg.sparse.values))
        return edge.Query.Nearest(sparse, using=SPARSE)
    return edge.Query.Nearest(floats(leg.dense), using=DENSE)


def _filter(where: Sequence[Where]) -> edge.Filter:
    return edge.Filter(must=[condition for one in where for condition in _conditions(one)])


def _conditions(where: Where) -> list[Any]:
    found: list[Any] = []
    if where.any_of:
        found.append(_match(where.key, list(where.any_of)))
    bounds = {"gte": where.at_least, "lte": where.at_most, "gt": where.above}
    given: dict[str, Any] = {name: bound for name, bound in bounds.items() if bound is not None}
    if given:
        dates = any(isinstance(bound, str) for bound in given.values())
        reach = edge.RangeDateTime(**given) if dates else edge.RangeFloat(**given)
        found.append(edge.FieldCondition(where.key, range=reach))
    return found


def _match(key: str, values: list[Any]) -> Any:
    if all(isinstance(value, float) for value in values):
        ranges: list[Any] = [edge.FieldCondition(key, range=edge.RangeFloat(gte=one, lte=one)) for one in values]
        return edge.Filter(should=ranges)
    return edge.FieldCondition(key, match=edge.MatchAny(values))
