"""Collections for tests: a real store, a real sparse encoder, and an embedding that needs no weights."""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sostenuto.activities.adapters.documents.bucket import S3Buckets
from sostenuto.activities.adapters.documents.loading import load, taken
from sostenuto.activities.adapters.documents.web import WebSource
from sostenuto.activities.adapters.qdrant.bm25 import Bm25Encoder
from sostenuto.activities.adapters.qdrant.embedded import EdgeStore
from sostenuto.activities.knowledge.chunk import Chunk
from sostenuto.activities.knowledge.encoding import EncodedPassage
from sostenuto.activities.knowledge.ingestion import DocumentReading
from sostenuto.activities.knowledge.search import Knowledge
from sostenuto.activities.knowledge.store.collections import Collections
from sostenuto.activities.knowledge.store.vectors import vector_text
from sostenuto.activities.model_adapter import ModelAdapter
from sostenuto.activities.prices.price import OnCharge
from sostenuto.contracts.collection.document import Document
from sostenuto.workers.embeddings import build_encoders, build_rerankers
from sostenuto.workers.served.activities import Services
from sostenuto.workers.settings import Settings

DIMENSIONS = 64
WORDS = "fake/words"
"""Name of the embedding model: texts with the same words lie close to each other."""


class WordEncoder:
    """Embeds a text by its words, each of which has a direction of its own."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        """Every passage that was embedded."""

    async def dimensions(self, charge: OnCharge) -> int:
        """Length of the vectors."""
        return DIMENSIONS

    async def passages(self, texts: Sequence[str], charge: OnCharge) -> Sequence[EncodedPassage]:
        """Each text as it is stored."""
        self.texts += texts
        return [EncodedPassage(_vector(text)) for text in texts]

    async def queries(self, texts: Sequence[str], charge: OnCharge) -> Sequence[WordQuery]:
        """Queries as passages are compared with them."""
        return [WordQuery(_vector(text)) for text in texts]


@dataclass(frozen=True)
class WordQuery:
    """A query."""

    dense: str

    def closeness(self, codes: Sequence[str]) -> Sequence[float]:
        """Nothing is compared word by word."""
        return [0.0 for _ in codes]


class ParagraphCutter:
    """Cuts documents at empty lines."""

    def chunks(self, document: Document) -> list[Chunk]:
        """The paragraphs of a document, with where they stand."""
        return [
            Chunk(found[0], found.start(), found.end()) for found in re.finditer(r"\S(?:.|\n(?!\n))*", document.text)
        ]


@asynccontextmanager
async def knowledge(
    directory: Path,
    encoder: WordEncoder | None = None,
    store: EdgeStore | None = None,
    *,
    settings: Settings | None = None,
    adapters: Mapping[str, ModelAdapter] | None = None,
) -> AsyncIterator[Services]:
    """What a worker has for collections in a directory, for the length of the block.

    Args:
        directory: Where they are stored.
        encoder: Embeds where a collection names `WORDS`.
        store: Stores them, where it is not one of its own.
        settings: Where providers and rerankers are.
        adapters: Models that may judge.
    """
    await asyncio.to_thread(directory.mkdir, exist_ok=True)
    store, web = store or EdgeStore(directory), WebSource(["127.0.0.1", "localhost"])
    settings = settings or Settings()
    buckets = S3Buckets(settings.ingest_hosts)
    encoders = build_encoders({WORDS: encoder or WordEncoder()}, settings)
    rerankers = build_rerankers(settings, adapters or {})
    known = Knowledge(Collections(store), encoders, Bm25Encoder(), rerankers)
    try:
        reading = DocumentReading(load, lambda *_: ParagraphCutter(), web, buckets, taken)
        yield Services(knowledge=known, reading=reading)
    finally:
        await encoders.close()
        await rerankers.close()
        await store.close()
        await web.close()


def _vector(text: str) -> str:
    numbers = [0.0] * DIMENSIONS
    for word in re.findall(r"\w+", text.lower()):
        numbers[int(hashlib.sha256(word.encode()).hexdigest(), 16) % DIMENSIONS] += 1.0
    length = math.sqrt(sum(number * number for number in numbers)) or 1.0
    return vector_text(number / length for number in numbers)
