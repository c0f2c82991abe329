"""One search of a collection.

Both ways of searching, fused by ranks, then reranked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ...contracts.collection.collection import MAX_QUERY_CHARS
from ...contracts.errors import SpecError
from ...contracts.limits import excess
from ...contracts.wire.retrieval import Passage, RetrievalCall, Retrieved, Scores
from ..call.stages import StageClock
from ..not_served import NotServedError
from .encoding import EncodedQuery, OnProgress, PassageEncoder, SparseEncoder
from .reranking import NO_HURRY, AskedQuery, Candidate, MaxSim, Reranker, Urgency, reranked
from .store.collections import Collections
from .store.stored import CollectionError, Stored
from .store.vector_store import Hit, Leg, SparseVector
from .store.vectors import length_of

RANK_CONSTANT: Final = 2
"""How fast the weight of a rank falls in reciprocal rank fusion: 1 / (constant + rank) (Cormack, Clarke and Büttcher,
2009). Their 60 is for fusing many rankings; of two, `benchmarks/retrieval.py` found 2 to be better."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What a worker has for its collections."""

    collections: Collections
    encoders: Mapping[str, PassageEncoder]
    """By the names of the models."""
    sparse: SparseEncoder
    rerankers: Mapping[str, Reranker] = field(default_factory=lambda: {"maxsim": MaxSim()})
    """By their names."""

    def encoder(self, name: str) -> PassageEncoder:
        """Return the embedding model of that name.

        Raises:
            NotServedError: This worker has none of that name.
        """
        if name not in self.encoders:
            known = ", ".join(self.encoders) or "none"
            raise NotServedError(f"this worker has no embedding model {name!r} (it has: {known})")
        return self.encoders[name]

    def reranker(self, name: str) -> Reranker | None:
        """Return the reranker of that name; None for `none`.

        Raises:
            NotServedError: This worker has none of that name.
        """
        if name != "none" and name not in self.rerankers:
            known = ", ".join(self.rerankers) or "none"
            raise NotServedError(f"this worker has no reranker {name!r} (it has: {known})")
        return self.rerankers.get(name)


async def _unheard(_: str) -> None:
    """Let nobody know how far a search is."""


async def find_passages(
    knowledge: Knowledge,
    call: RetrievalCall,
    clock: StageClock,
    report: OnProgress = _unheard,
    urgency: Urgency = NO_HURRY,
) -> Retrieved:
    """Return the passages that fit a query best; what costs most comes last.

    Args:
        knowledge: Where the collection is, and what embeds and reranks.
        call: What is asked.
        clock: Takes the time of what it asks, from the beginning of the search, and is told what is to be paid for.
        report: Told when the query is embedded, which is paid for.
        urgency: When it is to end, and whether it is tried again.

    Raises:
        SpecError: The query is empty or too long.
        CollectionError: There is no such collection, or it is made otherwise.
        NotServedError: This worker has no such embedding model or reranker.
        StoreError, StoreUnavailable, ModelError, SetupError: What it takes cannot be had.
    """
    collection = call.collection
    _check_query(call)
    encoder, reranker = knowledge.encoder(collection.embedding), knowledge.reranker(collection.rerank)
    # Before anything is paid for.
    stored = await knowledge.collections.catalogue.there(collection.name)
    _check_made(stored, call)
    texts = (call.query, *call.queries)
    with clock.stage("embeddings", collection.embedding) as charge:
        encoded = await encoder.queries((*texts, *filter(str.strip, (call.hypothetical,))), charge)
    await report("embedded")
    _check_length(stored, encoded[0].dense)
    legs = _legs(call, encoded, [knowledge.sparse.query(text) for text in texts])
    whose = call.tenant if collection.partition else None
    found = await knowledge.collections.search(collection.name, legs, call.conditions, tenant=whose, seen=stored)
    _check_made(found.stored, call)
    candidates, note = _fused(legs, found.legs), ""
    if reranker and candidates:
        asked = AskedQuery(call.query, tuple(encoded[: len(texts)]), call.judge_tokens)
        with clock.stage("rerank", collection.rerank) as charge:
            candidates, note = await reranked(reranker, asked, candidates, charge, urgency)
    return Retrieved(
        passages=tuple(_passage(one) for one in candidates[: call.limit]),
        searched=found.stored.passages,
        seconds=round(clock.seconds, 4),
        step=found.stored.step,
        note=note,
    )


def _legs(call: RetrievalCall, encoded: Sequence[EncodedQuery], weighed: Sequence[SparseVector]) -> list[Leg]:
    """Return the ways of searching.

    By the meaning of each text, and by the words of each query.
    """
    most = max(call.collection.candidates, call.limit)
    return [
        *(Leg(dense=one.dense, limit=most) for one in encoded),
        *(Leg(sparse=words, limit=most) for words in weighed if words.indices),
    ]


def _check_query(call: RetrievalCall) -> None:
    if call.collection.partition and not call.tenant:
        raise SpecError(f"collection {call.collection.name!r} is partitioned by tenant: say whose documents")
    if call.tenant and not call.collection.partition:
        raise SpecError(f"collection {call.collection.name!r} is not partitioned: it takes no tenant")
    if not call.query.strip():
        raise SpecError("query: it is empty: say what to look for")
    for query in (call.query, *call.queries, call.hypothetical):
        if len(query) > MAX_QUERY_CHARS:
            raise SpecError(f"query: {excess('it', len(query), MAX_QUERY_CHARS).replace('bytes', 'characters')}")


def _check_made(stored: Stored, call: RetrievalCall) -> None:
    """Check that a collection is stored as whoever asks takes it to be.

    Above all its partition: without it, every tenant's documents would be found.
    """
    collection = call.collection
    named = {condition.field for condition in call.conditions}
    for what, there, here in (
        ("its embedding", stored.embedding, collection.embedding),
        ("its partition", stored.partition or "none", collection.partition or "none"),
        *(
            (f"the field {name!r}", stored.fields[name].kind if name in stored.fields else "not there", known.kind)
            for name, known in collection.fields.items()
            if name in named
        ),
    ):
        if there != here:
            raise CollectionError(
                f"collection {stored.name!r}: {what} is {there} in the store and {here} here: put it back, or make the "
                f"collection anew by `sostenuto ingest {stored.name} PATH --rebuild`"
            )


def _check_length(stored: Stored, dense: str) -> None:
    if stored.dimensions != length_of(dense):
        raise CollectionError(
            f"collection {stored.name!r} has vectors of {stored.dimensions} numbers, and {stored.embedding} gives "
            f"{length_of(dense)} now: make it anew by `sostenuto ingest {stored.name} PATH --rebuild`"
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
