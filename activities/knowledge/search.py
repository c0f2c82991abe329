"""One search of a collection.

Both ways of searching, fused by ranks, then ordered word by word.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ...contracts.collection.collection import MAX_QUERY_CHARS, Collection
from ...contracts.errors import SpecError
from ...contracts.limits import excess
from ...contracts.wire.retrieval import Passage, RetrievalCall, Retrieved, Scores
from ..not_served import NotServedError
from .collections import Collections
from .encoding import EncodedQuery, PassageEncoder, SparseEncoder
from .stored import CollectionError, Stored
from .vector_store import Hit, Leg

RANK_CONSTANT: Final = 2
"""How fast the weight of a rank falls in reciprocal rank fusion: 1 / (constant + rank) (Cormack, Clarke and Büttcher,
2009). Their 60 is for fusing many rankings; of two, `benchmarks/retrieval.py` found 2 to be better."""

DENSE_SHARE: Final = 0.25
"""How much of the whole passage's closeness is added to that of its words."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What a worker has for its collections."""

    collections: Collections
    encoders: Mapping[str, PassageEncoder]
    """By the names of the models."""
    sparse: SparseEncoder

    def encoder(self, name: str) -> PassageEncoder:
        """Return the embedding model of that name.

        Raises:
            NotServedError: This worker has none of that name.
        """
        if name not in self.encoders:
            known = ", ".join(self.encoders) or "none"
            raise NotServedError(f"this worker has no embedding model {name!r} (it has: {known})")
        return self.encoders[name]


async def find_passages(knowledge: Knowledge, call: RetrievalCall) -> Retrieved:
    """Return the passages that fit a query best.

    Raises:
        SpecError: The query is empty or too long.
        CollectionError: There is no such collection, or it is made otherwise.
        NotServedError: This worker has no such embedding model.
        StoreError, StoreUnavailable, ModelError, SetupError: What it takes cannot be had.
    """
    began = time.perf_counter()
    collection = call.collection
    _check_query(call)
    encoder = knowledge.encoder(collection.embedding)
    queries = [await encoder.query(text) for text in (call.query, *call.queries)]
    imagined = [await encoder.query(call.imagined)] if call.imagined.strip() else []
    legs = [Leg(dense=one.dense, limit=collection.candidates) for one in (*queries, *imagined)]
    for text in (call.query, *call.queries):
        words = knowledge.sparse.query(text)
        if words.indices:
            legs.append(Leg(sparse=words, limit=collection.candidates))
    tenant = call.tenant if collection.partition else None
    found = await knowledge.collections.search(collection.name, legs, call.conditions, tenant=tenant)
    _check_made(found.stored, collection)
    candidates = _fused(legs, found.legs)
    if collection.rerank == "maxsim" and any(one.hit.payload.get("codes") for one in candidates):
        candidates = await asyncio.to_thread(_reranked, queries, candidates)
    return Retrieved(
        passages=tuple(_passage(one) for one in candidates[: call.limit]),
        searched=found.stored.passages,
        seconds=round(time.perf_counter() - began, 4),
        step=found.stored.step,
    )


@dataclass(slots=True)
class Candidate:
    """A passage that one way of searching found, or both."""

    hit: Hit
    scores: Scores


def _check_query(call: RetrievalCall) -> None:
    if call.collection.partition and not call.tenant:
        raise SpecError(f"collection {call.collection.name!r} is partitioned by tenant: say whose documents")
    if not call.query.strip():
        raise SpecError("query: it is empty: say what to look for")
    for query in (call.query, *call.queries, call.imagined):
        if len(query) > MAX_QUERY_CHARS:
            raise SpecError(f"query: {excess('it', len(query), MAX_QUERY_CHARS).replace('bytes', 'characters')}")


def _check_made(stored: Stored, collection: Collection) -> None:
    if stored.embedding != collection.embedding:
        raise CollectionError(
            f"collection {stored.name!r} is embedded by {stored.embedding}, and the run asks for "
            f"{collection.embedding}: make it anew by `sostenuto ingest {stored.name} PATH --rebuild`"
        )


def _fused(legs: Sequence[Leg], hits: Sequence[Sequence[Hit]]) -> list[Candidate]:
    """Return what any way found, by the sum of 1 / (constant + rank)."""
    found: dict[str, Candidate] = {}
    most = len(legs) / (RANK_CONSTANT + 1)
    for leg, nearest in zip(legs, hits, strict=True):
        name = "dense" if leg.dense else "sparse"
        for rank, hit in enumerate(nearest, 1):
            known = found.setdefault(hit.id, Candidate(hit, Scores(fused=0.0)))
            fused = (known.scores.fused or 0.0) + 1 / (RANK_CONSTANT + rank) / most
            best = max(hit.score, getattr(known.scores, name) or hit.score)
            known.scores = known.scores.model_copy(update={name: best, "fused": fused})
    # Equal sums in the order of their ids, so that the same search has the same answer.
    return sorted(found.values(), key=lambda one: (-(one.scores.fused or 0.0), one.hit.id))


def _reranked(queries: Sequence[EncodedQuery], candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return candidates by how close they are to the query that they fit best."""
    codes = [one.hit.payload.get("codes", "") for one in candidates]
    closeness = map(max, zip(*(query.closeness(codes) for query in queries), strict=True))
    for one, words in zip(candidates, closeness, strict=True):
        whole = one.scores.dense or 0.0
        one.scores = one.scores.model_copy(update={"rerank": words + DENSE_SHARE * whole})
    return sorted(candidates, key=lambda one: (-(one.scores.rerank or 0.0), one.hit.id))


def _passage(one: Candidate) -> Passage:
    said = one.hit.payload
    scores = {name: round(value, 4) for name, value in dict(one.scores).items() if value is not None}
    return Passage(
        id=said["passage"],
        text=said["text"],
        source=said["uri"],
        title=said.get("title", ""),
        page=said.get("page"),
        headings=tuple(said.get("headings", ())),
        start=said["start"],
        end=said["end"],
        fields=said.get("fields", {}),
        scores=Scores(**scores),
    )
