"""A Qdrant server, by `qdrant-client`: keeps no state of its own.

Also that client's local mode, which tests use.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from json import JSONDecodeError
from typing import Any, Final, TypeVar

import httpx
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from ...knowledge.store.vector_store import (
    DENSE,
    SPARSE,
    Hit,
    Layout,
    Leg,
    Point,
    Record,
    SparseVector,
    StoreError,
    StoreUnavailable,
    Where,
)
from ...knowledge.store.vectors import floats

T = TypeVar("T")

_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})

_INDEXES: Final = {
    "text": models.PayloadSchemaType.KEYWORD,
    "integer": models.PayloadSchemaType.INTEGER,
    "number": models.PayloadSchemaType.FLOAT,
    "date": models.PayloadSchemaType.DATETIME,
}


class QdrantStore:
    """Sets of points on a server, each a Qdrant collection whose name has a prefix.

    Args:
        client: Connected to it.
        prefix: Beginning of the names: other programs may use the same server.
    """

    def __init__(self, client: AsyncQdrantClient, *, prefix: str = "sostenuto-") -> None:
        self._client = client
        self._prefix = prefix

    async def sets(self) -> list[str]:
        """Return the names of all sets."""
        found = await _answer(self._client.get_collections())
        names = (collection.name for collection in found.collections)
        return sorted(name.removeprefix(self._prefix) for name in names if name.startswith(self._prefix))

    async def create(self, name: str, layout: Layout) -> None:
        """Make a set, where there is none."""
        whole = self._prefix + name
        if not await _answer(self._client.collection_exists(whole)):
            try:
                await self._make(whole, layout)
            except StoreError:
                # Another worker may have made it just now.
                if not await _answer(self._client.collection_exists(whole)):
                    raise
        # Also where it is there: what made it may have ended before its indexes.
        for key, kind in layout.indexes.items():
            await _answer(self._client.create_payload_index(whole, key, _INDEXES[kind], wait=True))

    async def _make(self, whole: str, layout: Layout) -> None:
        dense = {DENSE: models.VectorParams(size=layout.dimensions, distance=models.Distance.COSINE)}
        await _answer(
            self._client.create_collection(
                whole,
                vectors_config=dense if layout.dimensions else {},
                sparse_vectors_config={SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
                on_disk_payload=True,
            )
        )

    async def drop(self, name: str) -> None:
        """Delete a set, where there is one."""
        await _answer(self._client.delete_collection(self._prefix + name))

    async def upsert(self, name: str, points: Sequence[Point]) -> None:
        """Store points, in place of those with the same ids."""
        await _answer(
            self._client.upsert(
                self._prefix + name,
                [_point(point) for point in points],
                wait=True,
                ordering=models.WriteOrdering.STRONG,
            )
        )

    async def set_payload(self, name: str, where: Sequence[Where], values: Mapping[str, Any]) -> None:
        """Set values in the payload of every point that the conditions hold for."""
        await _answer(
            self._client.set_payload(
                self._prefix + name,
                dict(values),
                points=_filter(where),
                wait=True,
                ordering=models.WriteOrdering.STRONG,
            )
        )

    async def delete(self, name: str, where: Sequence[Where]) -> None:
        """Delete every point that the conditions hold for."""
        await _answer(
            self._client.delete(
                self._prefix + name,
                models.FilterSelector(filter=_filter(where)),
                wait=True,
                ordering=models.WriteOrdering.STRONG,
            )
        )

    async def read(self, name: str, ids: Sequence[str]) -> list[Record]:
        """Return the points of these ids that are there."""
        found = await _answer(self._client.retrieve(self._prefix + name, list(ids), with_payload=True))
        return [_record(one) for one in found]

    async def scroll(
        self, name: str, where: Sequence[Where], *, limit: int, after: str = "", keys: Sequence[str] = ()
    ) -> list[Record]:
        """Return points that the conditions hold for, in the order of their ids."""
        found, _ = await _answer(
            self._client.scroll(
                self._prefix + name,
                scroll_filter=_filter(where),
                # The offset is the first that is wanted, and the last that is known may be gone by now.
                offset=after or None,
                limit=limit + 1,
                with_payload=list(keys) or True,
            )
        )
        return [_record(one) for one in found if str(one.id) != after][:limit]

    async def count(self, name: str, where: Sequence[Where]) -> int:
        """Return how many points the conditions hold for."""
        found = await _answer(self._client.count(self._prefix + name, count_filter=_filter(where), exact=True))
        return found.count

    async def search(self, name: str, legs: Sequence[Leg], where: Sequence[Where]) -> list[list[Hit]]:
        """Return the nearest points of each leg, the best first.

        The conditions hold for all of them.
        """
        wanted = _filter(where)
        requests = [
            models.QueryRequest(
                query=_query(leg),
                using=SPARSE if leg.sparse else DENSE,
                filter=wanted,
                limit=leg.limit,
                with_payload=True,
            )
            for leg in legs
        ]
        found = await _answer(self._client.query_batch_points(self._prefix + name, requests))
        return [
            [Hit(id=str(point.id), score=point.score, payload=point.payload or {}) for point in answer.points]
            for answer in found
        ]

    async def optimize(self, name: str) -> None:
        """Do nothing: the server does it by itself."""

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


async def _answer(call: Awaitable[T]) -> T:
    try:
        return await call
    except UnexpectedResponse as error:
        said = (error.content or b"").decode(errors="replace")[:500]
        text = f"the Qdrant server answered {error.status_code}: {said or error.reason_phrase}"
        if error.status_code in (401, 403):
            text += ": check SOSTENUTO_QDRANT_API_KEY"
        raise (StoreUnavailable if error.status_code in _PASSING else StoreError)(text) from None
    except ResourceExhaustedResponse as error:
        raise StoreUnavailable(f"the Qdrant server answered 429: {error.message[:500]}") from None
    except (ResponseHandlingException, httpx.HTTPError, OSError, JSONDecodeError) as error:
        cause = getattr(error, "source", None) or error
        if isinstance(cause, ValueError):
            text = f"{str(cause)[:200]}: check SOSTENUTO_QDRANT_URL"
            raise StoreError(f"the Qdrant server's answer is none of Qdrant's: {text}") from None
        text = f"({type(cause).__name__}: {cause}): check SOSTENUTO_QDRANT_URL"
        raise StoreUnavailable(f"the Qdrant server cannot be reached {text}") from None
    except QdrantException as error:
        # Such as a 429 that says how long in a form that the client does not read.
        said = str(error)[:500]
        raise StoreUnavailable(f"the Qdrant client gave up ({type(error).__name__}): {said}") from None
    except ValueError as error:
        raise StoreError(str(error)) from None


def _point(point: Point) -> models.PointStruct:
    vectors: dict[str, Any] = {}
    if point.dense:
        vectors[DENSE] = floats(point.dense)
    if point.sparse:
        vectors[SPARSE] = _sparse(point.sparse)
    return models.PointStruct(id=point.id, vector=vectors, payload=point.payload)


def _sparse(sparse: SparseVector) -> models.SparseVector:
    return models.SparseVector(indices=list(sparse.indices), values=list(sparse.values))


def _query(leg: Leg) -> models.SparseVector | list[float]:
    return _sparse(leg.sparse) if leg.sparse else floats(leg.dense)


def _record(found: models.Record) -> Record:
    return Record(id=str(found.id), payload=found.payload or {})


def _filter(where: Sequence[Where]) -> models.Filter:
    return models.Filter(must=[condition for one in where for condition in _conditions(one)])


def _conditions(where: Where) -> list[models.Condition]:
    found: list[models.Condition] = []
    if where.any_of:
        found.append(_match(where.key, list(where.any_of)))
    bounds = {"gte": where.at_least, "lte": where.at_most, "gt": where.above}
    given: dict[str, Any] = {name: bound for name, bound in bounds.items() if bound is not None}
    if given:
        dates = any(isinstance(bound, str) for bound in given.values())
        reach = models.DatetimeRange(**given) if dates else models.Range(**given)
        found.append(models.FieldCondition(key=where.key, range=reach))
    return found


def _match(key: str, values: list[Any]) -> models.Condition:
    if all(isinstance(value, float) for value in values):
        ranges = [models.FieldCondition(key=key, range=models.Range(gte=one, lte=one)) for one in values]
        return models.Filter(should=[*ranges])
    return models.FieldCondition(key=key, match=models.MatchAny(any=values))
