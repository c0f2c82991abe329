"""Every kind of vector store, made anew for a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from qdrant_client import AsyncQdrantClient

from sostenuto.activities.adapters.qdrant.embedded import EdgeStore
from sostenuto.activities.adapters.qdrant.server import QdrantStore
from sostenuto.activities.knowledge.store.vector_store import VectorStore

STORES = ("embedded", "embedded, of another process", "server")
"""`server`: its client's local mode, since no server is to be had without docker."""


@asynccontextmanager
async def opened(kind: str, directory: Path) -> AsyncIterator[VectorStore]:
    """A store without sets, for the length of the block."""
    if kind == "server":
        store: VectorStore = QdrantStore(AsyncQdrantClient(":memory:"))
        yield store
        await store.close()
        return
    owner, guest = EdgeStore(directory), EdgeStore(directory)
    await owner.sets()
    assert owner.owns
    try:
        yield owner if kind == "embedded" else guest
        assert not guest.owns
    finally:
        await guest.close()
        await owner.close()
