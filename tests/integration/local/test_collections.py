"""A worker has for its collections what they name."""

from __future__ import annotations

from pathlib import Path

import pytest

from sostenuto import App, Collection
from sostenuto.activities.adapters.embeddings.local_passages import LocalPassages
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.activities.adapters.rerank.model_judge import ModelJudge
from sostenuto.activities.knowledge.reranking import MaxSim
from sostenuto.activities.knowledge.sources.source import SourceError
from sostenuto.activities.not_served import NotServedError
from sostenuto.workers.embeddings import LazyPassages
from sostenuto.workers.knowledge import knowledge_of
from sostenuto.workers.providers import build_embedder
from sostenuto.workers.settings import Settings
from sostenuto.workers.stack.weights import Weights

pytestmark = pytest.mark.local_model


async def test_an_app_has_what_its_collections_name(tmp_path: Path, weights: Weights) -> None:
    collections = (
        Collection("a", embedding="openai/text-embedding-3-small", rerank="model:scripted/m"),
        Collection("b", embedding="acme/bge-m3", rerank="http:cohere/rerank-v3.5"),
        Collection("c"),
    )
    settings = Settings(state_dir=tmp_path)
    (tmp_path / "weights").symlink_to(weights.model.absolute().parent)
    app = App(collections=collections)
    adapters = {"scripted": ScriptedAdapter(["x"])}
    async with knowledge_of(app, settings, build_embedder(settings), adapters, None) as (knowledge, _):
        assert knowledge
        assert isinstance(knowledge.encoder("local/minilm"), LocalPassages)
        assert isinstance(knowledge.encoder("acme/bge-m3"), LazyPassages)
        assert isinstance(knowledge.reranker("model:scripted/m"), ModelJudge)
        with pytest.raises(NotServedError, match="set COHERE_API_KEY"):
            knowledge.reranker("http:cohere/rerank-v3.5")
        assert isinstance(knowledge.reranker("maxsim"), MaxSim)
        with pytest.raises(NotServedError, match="no reranker 'best'"):
            knowledge.reranker("best")
        with pytest.raises(NotServedError, match="set OPENAI_API_KEY"):
            await knowledge.encoder("openai/text-embedding-3-small").queries(["x"], lambda _: None)


async def test_hosts_and_buckets_that_may_be_read_are_those_of_the_settings(tmp_path: Path, weights: Weights) -> None:
    settings = Settings(state_dir=tmp_path, ingest_hosts=("docs.example.com", "s3://handbook"))
    (tmp_path / "weights").symlink_to(weights.model.absolute().parent)
    app = App(collections=[Collection("handbook")])
    async with knowledge_of(app, settings, build_embedder(settings), {}, None) as (_, reading):
        assert reading
        with pytest.raises(SourceError, match=r"is not allowed \(allowed: s3://handbook\)"):
            await reading.buckets.fetch("other", "a.md")
        with pytest.raises(SourceError, match=r"is not allowed \(allowed: docs.example.com\)"):
            await reading.web.fetch("https://other.example.com/a.md")
