"""How well each stage of a search finds what answers a question.

A corpus written for this project, `benchmarks/corpus`: the manuals, policies and minutes of a maker of instruments that
does not exist, with questions of which the answer's words are known. A passage counts as found where it has at least
half of those words.

    python -m benchmarks.retrieval [--state-dir DIR] [--json FILE]

Needs what `sostenuto pull` fetches.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sostenuto.activities.adapters.documents.bucket import S3Buckets
from sostenuto.activities.adapters.documents.chunker import Chunker
from sostenuto.activities.adapters.documents.loading import load, taken
from sostenuto.activities.adapters.documents.web import WebSource
from sostenuto.activities.adapters.embeddings.local_passages import LocalPassages
from sostenuto.activities.adapters.embeddings.minilm import MiniLmEmbedder
from sostenuto.activities.adapters.qdrant.bm25 import Bm25Encoder
from sostenuto.activities.adapters.qdrant.embedded import EdgeStore
from sostenuto.activities.call.stages import StageClock
from sostenuto.activities.call.user_code import UserCode
from sostenuto.activities.knowledge.ingestion import DocumentReading, Ingestion
from sostenuto.activities.knowledge.search import Knowledge, find_passages
from sostenuto.activities.knowledge.sources.files import uri_of
from sostenuto.activities.knowledge.store.collections import Collections
from sostenuto.activities.prices.price import Charge
from sostenuto.contracts.collection.collection import Collection
from sostenuto.contracts.wire.ingest.ingest import BeginCall, DocumentCall, ShowCall
from sostenuto.contracts.wire.retrieval import Passage, RetrievalCall, Scores
from sostenuto.workers.stack.weights import Weights

CORPUS = Path(__file__).parent / "corpus"
DEEPEST = 20
"""Passages of a ranking that are looked at."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and the words that answer it."""

    text: str
    kind: str
    uri: str
    start: int
    end: int
    """Where those words stand in the document's text."""

    def is_answered_at(self, uri: str, start: int, end: int) -> bool:
        """Return whether a piece of a document has at least half of the words."""
        common = min(self.end, end) - max(self.start, start)
        return uri == self.uri and 2 * common >= self.end - self.start


@dataclass(frozen=True, slots=True)
class Figures:
    """How good the rankings of a stage are."""

    stage: str
    hit_at_1: float
    recall_at_5: float
    mrr: float
    """Mean of 1 / rank of the first passage that answers, of those within 20."""


Order = Callable[[Scores], float | None]

STAGES: dict[str, Order] = {
    "dense": lambda scores: scores.dense,
    "sparse": lambda scores: scores.sparse,
    "fused": lambda scores: scores.fused,
    "fused, reranked": lambda scores: scores.rerank,
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What the benchmark came to."""

    stages: list[Figures]
    characters: dict[str, float]
    """Of the first five passages of a question, on average, by stage."""
    facts: dict[str, float]


async def measured(state_dir: Path) -> Measured:
    """Bring the corpus into a collection, and ask it every question."""
    weights = Weights.find(state_dir, local_model=None)
    model = MiniLmEmbedder(weights.embedding_model, weights.tokenizer)
    collection = Collection("corpus", limit=100)
    with TemporaryDirectory() as directory:
        store = EdgeStore(Path(directory))
        knowledge = Knowledge(Collections(store), {"local/minilm": LocalPassages(lambda: model)}, Bm25Encoder())
        began = time.perf_counter()
        passages = await _ingested(knowledge, collection, weights)
        took = time.perf_counter() - began
        asked = questions()
        rankings, seconds = [], []
        for question in asked:
            call = RetrievalCall(collection=collection, query=question.text, limit=100)
            found = await find_passages(knowledge, call, StageClock(_free))
            rankings.append(found.passages)
            seconds.append(found.seconds)
        await store.close()
    facts = {
        "passages": float(passages),
        "questions": float(len(asked)),
        "passages per second": passages / took,
        "search p50 ms": 1000 * sorted(seconds)[len(seconds) // 2],
        "search p95 ms": 1000 * sorted(seconds)[int(len(seconds) * 0.95)],
    }
    ordered = {stage: [_ordered(order, passages) for passages in rankings] for stage, order in STAGES.items()}
    return Measured(
        [
            figures_of(stage, [_rank(*one) for one in zip(asked, found, strict=True)])
            for stage, found in ordered.items()
        ],
        {stage: _characters(found) for stage, found in ordered.items()},
        facts,
    )


async def _ingested(knowledge: Knowledge, collection: Collection, weights: Weights) -> int:
    cutter = Chunker(weights.tokenizer, collection.chunk_tokens)
    reading = DocumentReading(load, lambda *_: cutter, WebSource(()), S3Buckets(()), taken)
    ingestion = Ingestion(knowledge, {collection.name: collection}, reading, UserCode())
    begun = await ingestion.begin(BeginCall(collection=collection.name, mark="benchmark"), _free)
    uris = [uri_of(str(path)) for path in sorted(CORPUS.glob("docs/**/*.md"))]
    passages = 0
    for uri in uris:
        call = DocumentCall(writing=begun.writing, collection=collection, uri=uri, mark="benchmark")
        passages += (await ingestion.bring_in(call, _silent, StageClock(_free))).passages
    await ingestion.show(ShowCall(writing=begun.writing, uris=tuple(uris)))
    return passages


async def _silent(_: str) -> None:
    """Take no note of how far it is."""


def _free(charge: Charge) -> None:
    raise AssertionError(f"the local model costs nothing: {charge}")


def questions() -> list[Question]:
    """Return the questions that the corpus answers."""
    lines = (CORPUS / "questions.jsonl").read_text().splitlines()
    found = []
    for said in map(json.loads, filter(None, lines)):
        if said["document"] is None:
            continue  # one that the corpus does not answer
        path = CORPUS / "docs" / said["document"]
        text = load(path.read_bytes(), path.name).text
        start = text.index(said["quote"])
        found.append(Question(said["question"], said["kind"], uri_of(str(path)), start, start + len(said["quote"])))
    return found


def figures_of(stage: str, ranks: Sequence[int | None]) -> Figures:
    """Return how good rankings are, by the ranks of what answers each question."""
    number = len(ranks)
    return Figures(
        stage,
        sum(rank == 1 for rank in ranks) / number,
        sum(rank is not None and rank <= 5 for rank in ranks) / number,
        sum(1 / rank for rank in ranks if rank is not None) / number,
    )


def _ordered(order: Order, passages: Sequence[Passage]) -> list[Passage]:
    scored = [(score, passage) for passage in passages if (score := order(passage.scores)) is not None]
    return [passage for _, passage in sorted(scored, key=lambda one: -one[0])][:DEEPEST]


def _rank(question: Question, ranked: Sequence[Passage]) -> int | None:
    answers = (question.is_answered_at(one.source, one.start, one.end) for one in ranked)
    return next((rank for rank, answered in enumerate(answers, 1) if answered), None)


def _characters(rankings: Sequence[Sequence[Passage]]) -> float:
    return sum(one.end - one.start for ranked in rankings for one in ranked[:5]) / len(rankings)


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.retrieval", description=__doc__)
    parser.add_argument("--state-dir", type=Path, default=Path(".sostenuto"), help="where the weights are")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    arguments = parser.parse_args()
    found = asyncio.run(measured(arguments.state_dir))
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(found), indent=1))
    for name, value in found.facts.items():
        sys.stdout.write(f"{name:24} {value:,.1f}\n")
    sys.stdout.write(f"\n{'stage':18} hit@1  recall@5  MRR@{DEEPEST}\n")
    for one in found.stages:
        sys.stdout.write(f"{one.stage:18} {one.hit_at_1:.3f}  {one.recall_at_5:.3f}     {one.mrr:.3f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
