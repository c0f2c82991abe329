"""From settings to embedding models and rerankers: nothing is loaded before it is used, what is missing is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sostenuto import Collection
from sostenuto.activities.call.stages import StageClock
from sostenuto.activities.knowledge.search import find_passages
from sostenuto.activities.not_served import NotServedError
from sostenuto.contracts.wire.retrieval import RetrievalCall
from sostenuto.workers.embeddings import missing_for_collections
from sostenuto.workers.providers import build_adapters
from sostenuto.workers.settings import Settings
from tests.fakes.knowledge import WORDS, WordEncoder, knowledge

COLLECTIONS = (
    Collection("a", embedding="openai/text-embedding-3-small", rerank="model:scripted/m"),
    Collection("b", embedding="acme/bge-m3", rerank="http:cohere/rerank-v3.5"),
    Collection("c", rerank="http:mine/m"),
    Collection("d"),
)


def test_building_loads_no_sdk() -> None:
    code = """
import sys
from sostenuto import Collection
from sostenuto.workers.embeddings import build_encoders, build_rerankers, missing_for_collections
from sostenuto.workers.settings import Settings
collections = [Collection("a", embedding="openai/m", rerank="http:cohere/m")]
settings = Settings.load(environ={"COHERE_API_KEY": "k"})
print("openai/m" in build_encoders({}, settings), "http:cohere/m" in build_rerankers(settings, {}))
print(len(missing_for_collections(collections, settings)))
print(*{"openai", "httpx2", "httpx", "numpy", "genai_prices"} & set(sys.modules))
"""
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.splitlines() == ["True True", "1", ""]


def test_what_a_collection_lacks_is_named_at_the_start() -> None:
    settings = Settings.load(environ={})
    assert missing_for_collections(COLLECTIONS, settings) == [
        "collection 'a': embedding: openai/text-embedding-3-small: no key: set OPENAI_API_KEY",
        "collection 'a': rerank: model:scripted/m: no script: set SOSTENUTO_SCRIPT to a JSON file of steps",
        "collection 'b': embedding: acme/bge-m3: unknown provider 'acme': set SOSTENUTO_PROVIDER_ACME_URL, or base_url "
        "under [providers.acme] in sostenuto.toml",
        "collection 'b': rerank: http:cohere/rerank-v3.5: no key: set COHERE_API_KEY",
        "collection 'c': rerank: http:mine/m: there is no service 'mine' (there are: cohere, jina, voyage): set url "
        "under [rerankers.mine] in sostenuto.toml",
    ]
    environ = {"SOSTENUTO_PROVIDER_ACME_URL": "http://127.0.0.1:1/v1", "COHERE_API_KEY": "k"}
    assert missing_for_collections(COLLECTIONS[1:2], Settings.load(environ=environ)) == []


async def test_a_reranker_that_lacks_something_is_told_before_a_query_is_embedded(tmp_path: Path) -> None:
    settings = Settings.load(environ={"ANTHROPIC_API_KEY": "k"})
    adapters = build_adapters(settings)
    # Its settings have a key, and it was made without the provider.
    del adapters["anthropic"]
    encoder = WordEncoder()
    async with knowledge(tmp_path, encoder, settings=settings, adapters=adapters) as services:
        known = services.knowledge
        assert known
        for rerank, words in (
            ("http:cohere/m", "no key: set COHERE_API_KEY"),
            ("http:mine/m", "there is no service 'mine'"),
            ("model:openai/m", "no key: set OPENAI_API_KEY"),
            ("model:acme/m", "unknown provider 'acme'"),
            ("model:anthropic/m", r"no provider 'anthropic' to rerank by \(it has: local, openai\)"),
        ):
            call = RetrievalCall(collection=Collection("a", embedding=WORDS, rerank=rerank), query="x", limit=1)
            with pytest.raises(NotServedError, match=words):
                await find_passages(known, call, StageClock(lambda _: None))
