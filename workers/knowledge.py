"""Puts together what an app's collections need.

A vector store, embedding models, and what reads documents.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING

from ..activities.not_served import NotServedError
from ..connection.private_files import private_directory
from ..contracts.collection.collection import LOCAL_EMBEDDING
from ..contracts.errors import SetupError
from ..contracts.specs.app import App
from .embeddings import build_encoders, build_rerankers

if TYPE_CHECKING:
    from ..activities.knowledge.ingestion import Cutter, DocumentReading
    from ..activities.knowledge.search import Knowledge
    from ..activities.knowledge.sources.uploaded import Uploads
    from ..activities.knowledge.store.vector_store import VectorStore
    from ..activities.model_adapter import ModelAdapter
    from .providers import LazyEmbedder
    from .settings import Settings

_QDRANT_SECONDS = 30
"""For one request. Its client gives up after 5, and writing to many points of a large set may take longer."""


@asynccontextmanager
async def knowledge_of(
    app: App, settings: Settings, embedder: LazyEmbedder, adapters: Mapping[str, ModelAdapter], uploads: Uploads | None
) -> AsyncIterator[tuple[Knowledge | None, DocumentReading | None]]:
    """Return what the app's collections need, for the length of the block.

    Nothing where it has none.

    Args:
        app: Whose collections.
        settings: Addresses and keys.
        embedder: The local embedding model.
        adapters: Models that may judge passages, by provider.
        uploads: Where clients upload documents to, where they do.

    Raises:
        SetupError: A package or a directory is missing; says what to do.
    """
    if not app.collections:
        yield None, None
        return
    try:
        from ..activities.adapters.documents.bucket import S3Buckets
        from ..activities.adapters.documents.loading import load, taken
        from ..activities.adapters.documents.web import WebSource
        from ..activities.adapters.embeddings.local_passages import LocalPassages
        from ..activities.adapters.qdrant.bm25 import Bm25Encoder
        from ..activities.knowledge.ingestion import DocumentReading
        from ..activities.knowledge.search import Knowledge
        from ..activities.knowledge.store.collections import Collections
    except ImportError as error:
        raise SetupError(f"collections need more packages ({error}): pip install 'sostenuto[local]'") from error
    store = _store(settings)
    web, buckets = WebSource(settings.ingest_hosts), S3Buckets(settings.ingest_hosts)
    encoders = build_encoders({LOCAL_EMBEDDING: LocalPassages(embedder.built)}, settings)
    rerankers = build_rerankers(settings, adapters)
    try:
        knowledge = Knowledge(Collections(store), encoders, Bm25Encoder(), rerankers)
        yield knowledge, DocumentReading(load, _cutter(settings), web, buckets, taken, uploads)
    finally:
        await encoders.close()
        await rerankers.close()
        await store.close()
        await web.close()


def _cutter(settings: Settings) -> Callable[[str, int], Cutter]:
    from ..activities.adapters.documents.chunker import Chunker
    from .stack.weights import Weights

    @cache
    def cutter(embedding: str, most_tokens: int) -> Chunker:
        try:
            # Others have tokens of their own, of which MiniLM's are a better measure than none.
            tokenizer = Weights.find(settings.state_dir, local_model=settings.local_model).tokenizer
        except SetupError as error:
            if embedding == LOCAL_EMBEDDING:
                raise NotServedError(f"this worker cannot cut documents for {embedding}: {error}") from None
            return Chunker(None, most_tokens)
        return Chunker(tokenizer, most_tokens)

    return cutter


def _store(settings: Settings) -> VectorStore:
    if settings.qdrant_url:
        from qdrant_client import AsyncQdrantClient

        from ..activities.adapters.qdrant.server import QdrantStore

        key = settings.qdrant_api_key.get_secret_value() if settings.qdrant_api_key else None
        # The client would compare versions in a thread that may outlive it, and what it says is no error of ours.
        return QdrantStore(
            AsyncQdrantClient(settings.qdrant_url, api_key=key, timeout=_QDRANT_SECONDS, check_compatibility=False)
        )
    from ..activities.adapters.qdrant.embedded import EdgeStore

    directory = settings.state_dir / "knowledge"
    try:
        private_directory(directory)
    except OSError as error:
        raise SetupError(f"the directory of collections {directory} cannot be made: {error.strerror}") from None
    return EdgeStore(directory)
