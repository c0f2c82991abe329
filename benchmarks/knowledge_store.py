"""One vector store with many passages whose vectors are made up: how fast it takes them, and is searched.

In a process of its own, for its memory. `benchmarks.knowledge` runs it:

    python -m benchmarks.knowledge_store KIND PASSAGES QUERIES
"""

from __future__ import annotations

import asyncio
import base64
import json
import math
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from qdrant_client import AsyncQdrantClient

from sostenuto.activities.adapters.qdrant.bm25 import Bm25Encoder
from sostenuto.activities.adapters.qdrant.embedded import EdgeStore
from sostenuto.activities.adapters.qdrant.server import QdrantStore
from sostenuto.activities.knowledge.store.collections import Collections
from sostenuto.activities.knowledge.store.stored import Stored, StoredPassage, Version, document_key
from sostenuto.activities.knowledge.store.vector_store import Leg, VectorStore
from sostenuto.activities.knowledge.store.vectors import vector_text
from sostenuto.contracts.wire.ingest.ingest import Writing

KINDS: Final = ("embedded", "embedded, by another worker", "client's local mode")
DIMENSIONS: Final = 384
NAME: Final = "made-up"

_CANDIDATES: Final = 40
_PASSAGES_OF_A_DOCUMENT: Final = 20
_DOCUMENTS_OF_A_PAGE: Final = 100
_WORDS: Final = 110
_WORDS_WITH_VECTORS: Final = 70
"""Of a passage of 180 tokens, without the common ones: each has 192 bytes."""
_VOCABULARY: Final = 20_000


@dataclass(frozen=True, slots=True)
class StoreFigures:
    """What was measured of one store."""

    kind: str
    passages: int
    written_per_second: float
    """Passages, with their vectors at hand: staged, shown and swept."""
    optimize_seconds: float
    query_p50_ms: float
    """Dense and sparse, 40 of each, among what a moment shows, with payloads."""
    query_p95_ms: float
    resident_mb: float


class MadeUp:
    """Passages as long as real ones, whose words are spread as words are."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(7)
        self._shares = 1 / np.arange(1, _VOCABULARY + 1)
        self._shares /= self._shares.sum()
        self._sparse = Bm25Encoder()

    def text(self, words: int) -> str:
        """Return words, the frequent ones more often."""
        return " ".join(f"w{number}" for number in self._random.choice(_VOCABULARY, words, p=self._shares))

    def vector(self) -> str:
        """Return a direction."""
        numbers = self._random.standard_normal(DIMENSIONS)
        return vector_text((numbers / np.linalg.norm(numbers)).tolist())

    def passage(self, number: int) -> StoredPassage:
        """Return a passage of a document."""
        text = self.text(_WORDS)
        codes = self._random.integers(0, 256, _WORDS_WITH_VECTORS * DIMENSIONS // 2, dtype=np.uint8)
        return StoredPassage(
            text=text,
            start=number * 1_000,
            end=number * 1_000 + len(text),
            headings=("One", "Two"),
            dense=self.vector(),
            sparse=self._sparse.document(text),
            codes=base64.b64encode(codes.tobytes()).decode(),
        )

    def legs(self) -> list[Leg]:
        """Return a query."""
        words = self._sparse.query(self.text(8))
        return [Leg(dense=self.vector(), limit=_CANDIDATES), Leg(sparse=words, limit=_CANDIDATES)]


async def opened(kind: str, directory: Path, stack: AsyncExitStack) -> VectorStore:
    """Return an empty store."""
    if kind == "client's local mode":
        client = QdrantStore(AsyncQdrantClient(":memory:"))
        stack.push_async_callback(client.close)
        return client
    owner, guest = EdgeStore(directory), EdgeStore(directory)
    await owner.sets()
    for one in (owner, guest):
        stack.push_async_callback(one.close)
    return owner if kind == "embedded" else guest


async def measured(kind: str, passages: int, queries: int) -> StoreFigures:
    """Fill a store, and search it."""
    made = MadeUp()
    with TemporaryDirectory() as directory:
        async with AsyncExitStack() as stack:
            collections = Collections(await opened(kind, Path(directory), stack))
            wanted = Stored(name=NAME, generation=0, embedding="made-up", dimensions=DIMENSIONS)
            writing = await collections.begin(wanted)
            seconds = 0.0
            for page in range(math.ceil(passages / _PASSAGES_OF_A_DOCUMENT / _DOCUMENTS_OF_A_PAGE)):
                seconds += await _write_page(collections, made, writing, page)
                writing = writing.next_step
            began = time.perf_counter()
            await collections.finish(writing)
            optimized = time.perf_counter() - began
            times = [await _ask(collections, made.legs()) for _ in range(queries + 5)][5:]
            stored = await collections.catalogue.stored(NAME)
            assert stored
            return StoreFigures(
                kind=kind,
                passages=stored.passages,
                written_per_second=stored.passages / seconds,
                optimize_seconds=optimized,
                query_p50_ms=1_000 * statistics.median(times),
                query_p95_ms=1_000 * sorted(times)[int(len(times) * 0.95)],
                resident_mb=_resident_mb(),
            )


async def _write_page(collections: Collections, made: MadeUp, writing: Writing, page: int) -> float:
    """Write a page of documents; return the seconds that it took without making them up."""
    seconds, keys = 0.0, list[str]()
    for document in range(_DOCUMENTS_OF_A_PAGE):
        uri = f"made-up:{page}/{document}"
        version = Version(uri=uri, hash=f"{page}.{document}")
        passages: Sequence[StoredPassage] = [made.passage(number) for number in range(_PASSAGES_OF_A_DOCUMENT)]
        began = time.perf_counter()
        await collections.stage(writing, version, passages)
        seconds += time.perf_counter() - began
        keys.append(document_key(uri))
    began = time.perf_counter()
    await collections.show(writing, keys)
    await collections.sweep(writing)
    return seconds + time.perf_counter() - began


async def _ask(collections: Collections, legs: Sequence[Leg]) -> float:
    began = time.perf_counter()
    found = await collections.search(NAME, legs)
    took = time.perf_counter() - began
    assert [len(leg) for leg in found.legs] == [_CANDIDATES, _CANDIDATES]
    return took


def _resident_mb() -> float:
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1_024


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(asyncio.run(measured(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))) + "\n")
