"""A reranking service over HTTP: what is sent, what is taken for an answer, and how it fails."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sostenuto.activities.adapters.bounded_http import MAX_RESPONSE_BYTES
from sostenuto.activities.adapters.embeddings.provider_passages import DenseQuery
from sostenuto.activities.adapters.rerank import service
from sostenuto.activities.knowledge.reranking import AskedQuery, Candidate
from sostenuto.activities.knowledge.store.vector_store import Hit
from sostenuto.activities.not_served import NotServedError
from sostenuto.activities.prices.price import Charge
from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.errors import (
    AuthenticationFailed,
    InvalidRequest,
    ModelError,
    Overloaded,
    ProviderUnavailable,
    RateLimited,
    SetupError,
    Timeout,
    UnreadableAnswer,
)
from sostenuto.contracts.wire.retrieval import Scores
from sostenuto.workers.embeddings import LazyService
from sostenuto.workers.settings import Settings
from tests.fakes.vector_server import Change, Response, VectorServer

KEY = "key-planted-secret"
QUERY = AskedQuery("beta gamma", (DenseQuery(""),))
CANDIDATES = [
    Candidate(Hit(id=text, score=0.5, payload={"text": text}), Scores(fused=0.5))
    for text in ("alpha", "alpha beta", "beta gamma")
]


@asynccontextmanager
async def reranking(
    *responses: Response | None, name: str = "jina", key: str = KEY, **options: Any
) -> AsyncIterator[tuple[LazyService, VectorServer, list[Charge]]]:
    """A service as a worker makes it, the server behind it, and what is to be paid for."""
    async with VectorServer(responses, key=KEY, **options) as server:
        known = Settings.load(environ={f"{name.upper()}_API_KEY": key})
        # Another address than the service's own, with its key.
        there = known.rerankers[name].model_copy(update={"url": f"{server.url}/rerank"})
        settings = known.model_copy(update={"rerankers": {name: there}})
        made = LazyService(name, "rank-1", settings)
        try:
            yield made, server, []
        finally:
            await made.close()


@pytest.mark.parametrize(("name", "results"), [("cohere", "results"), ("jina", "results"), ("voyage", "data")])
async def test_each_service_judges_the_passages(name: str, results: str) -> None:
    async with reranking(name=name, results=results) as (made, server, charged):
        assert await made.judged(QUERY, CANDIDATES, charged.append) == [0.0, 0.5, 1.0]
    (asked,) = server.asked
    assert asked.body == {
        "model": "rank-1",
        "query": "beta gamma",
        "documents": ["alpha", "alpha beta", "beta gamma"],
    }
    assert (asked.path, asked.headers["authorization"]) == ("/v1/rerank", f"Bearer {KEY}")
    assert charged == [Charge(name, "rank-1", Usage(input_tokens=5), has_price=False)]


async def test_what_is_billed_by_searches_has_no_tokens_and_is_not_free() -> None:
    def cohere(right: dict[str, Any]) -> dict[str, Any]:
        return {"results": right["results"], "meta": {"billed_units": {"search_units": 1}}}

    async with reranking(Response(change=cohere), name="cohere") as (made, _, charged):
        await made.judged(QUERY, CANDIDATES, charged.append)
    assert charged == [Charge("cohere", "rank-1", None, has_price=False)]


async def test_what_is_sent_is_bounded() -> None:
    long = "beta " * 10_000
    many = [Candidate(Hit(id=str(n), score=0.5, payload={"text": long}), Scores()) for n in range(130)]
    async with reranking() as (made, server, charged):
        scores = await made.judged(QUERY, many, charged.append)
    sent = server.asked[0].body["documents"]
    assert (len(sent), {len(text) for text in sent}) == (100, {service.SENT_CHARS + len("… (cut)")})
    assert (len(scores), scores[100:]) == (130, [None] * 30)


@pytest.mark.parametrize(
    ("response", "error", "words"),
    [
        (Response(400, {"message": "no such model"}), InvalidRequest, "no such model"),
        (Response(422, {"detail": [{"loc": "model"}]}), InvalidRequest, "loc"),
        (Response(404, {"detail": "Not Found"}), InvalidRequest, "a model named 'rank-1', and the base URL"),
        (Response(500, b"<html>oh"), ProviderUnavailable, "<html>oh"),
        (Response(503, {"detail": "full"}), Overloaded, "full"),
        (Response(resets=True), ProviderUnavailable, "connection"),
        (Response(302, b"", headers=(("Location", "http://127.0.0.1:9/steal"),)), InvalidRequest, "not followed"),
    ],
)
async def test_failures_are_told_with_status_and_words(response: Response, error: type[ModelError], words: str) -> None:
    async with reranking(response) as (made, server, charged):
        with pytest.raises(error, match=words) as raised:
            await made.judged(QUERY, CANDIDATES, charged.append)
    assert type(raised.value) is error
    assert "jina/rank-1" in str(raised.value)
    assert (charged, len(server.asked)) == ([], 1)


async def test_a_busy_service_says_when_to_come_back() -> None:
    busy = Response(429, {"detail": "slowly"}, headers=(("Retry-After", "7"),))
    async with reranking(busy) as (made, _, charged):
        with pytest.raises(RateLimited, match="slowly") as raised:
            await made.judged(QUERY, CANDIDATES, charged.append)
    assert raised.value.retry_after == timedelta(seconds=7)


async def test_a_wrong_key_is_never_told() -> None:
    async with reranking(key="key-another-secret") as (made, _, charged):
        with pytest.raises(AuthenticationFailed, match="check the key in JINA_API_KEY") as raised:
            await made.judged(QUERY, CANDIDATES, charged.append)
    assert "key-another-secret" not in str(raised.value)
    assert "[redacted]" in str(raised.value)


async def test_what_is_missing_is_named() -> None:
    settings = Settings.load(environ={})
    for name, words in (
        ("cohere", "set COHERE_API_KEY in the worker's environment"),
        ("acme", r"there is no service 'acme' \(there are: cohere, jina, voyage\): set url under \[rerankers.acme\]"),
    ):
        with pytest.raises(NotServedError, match=words):
            await LazyService(name, "m", settings).judged(QUERY, CANDIDATES, lambda _: None)


def _results(*entries: Any) -> Change:
    return lambda _: {"results": list(entries)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda _: [], "no list of results: check the url"),
        (lambda _: {"results": "none"}, "no list of results"),
        (_results("none"), "no list of results"),
        (_results({"index": 3, "relevance_score": 0.5}), "the index '3', and there are 0 to 2"),
        (_results({"index": -1, "relevance_score": 0.5}), "the index '-1'"),
        (_results({"index": True, "relevance_score": 0.5}), "the index 'True'"),
        (_results(*[{"index": 0, "relevance_score": 0.5}] * 2), "the index 0 twice"),
        (_results({"index": 0}), "the score 'None', which is no number"),
        (_results({"index": 0, "relevance_score": math.nan}), "the score 'nan'"),
        (_results({"index": 0, "relevance_score": 10**400}), "which is no number"),
    ],
)
async def test_an_answer_that_is_none_is_refused_and_paid_for(change: Change, words: str) -> None:
    async with reranking(Response(change=change)) as (made, _, charged):
        with pytest.raises(UnreadableAnswer, match=words):
            await made.judged(QUERY, CANDIDATES, charged.append)
    assert len(charged) == 1


async def test_no_json_is_refused_and_paid_for() -> None:
    async with reranking(Response(body=b"<html>")) as (made, _, charged):
        with pytest.raises(UnreadableAnswer, match="cannot be used"):
            await made.judged(QUERY, CANDIDATES, charged.append)
    assert charged == [Charge("jina", "rank-1", None, has_price=False)]


async def test_an_answer_without_end_is_not_taken() -> None:
    async with reranking(Response(floods=True)) as (made, server, charged):
        with pytest.raises(UnreadableAnswer, match="more than 16,777,216 bytes"):
            await made.judged(QUERY, CANDIDATES, charged.append)
        assert server.sent < 3 * MAX_RESPONSE_BYTES
    assert charged == [Charge("jina", "rank-1", None)]


async def test_an_answer_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_SECONDS", 0.2)
    async with reranking(Response(hangs=True)) as (made, _, charged):
        with pytest.raises(Timeout):
            await made.judged(QUERY, CANDIDATES, charged.append)


def test_services_of_the_settings(tmp_path: Path) -> None:
    toml = tmp_path / "sostenuto.toml"
    toml.write_text('[rerankers.jina]\nurl = "http://127.0.0.1:9/r"\n[rerankers.mine]\nurl = "http://127.0.0.1:8/r"\n')
    known = Settings.load(environ={"JINA_API_KEY": KEY}, toml_path=toml).rerankers
    assert (known["jina"].url, known["jina"].api_key_env) == ("http://127.0.0.1:9/r", "JINA_API_KEY")
    assert known["cohere"].url == "https://api.cohere.com/v2/rerank"
    assert (known["mine"].api_key_env, known["mine"].api_key) == ("", None)
    assert KEY not in repr(known)
    for text, words in (
        ('[rerankers.x]\nurl = "h"\napi_key = "k"', "rerankers.x.api_key: name its environment variable"),
        ('[rerankers.x]\napi_key_env = "K"', "rerankers.x: the service has no address: set its url"),
        ('[rerankers.x]\nurls = "h"', "rerankers.x.urls: no such setting: did you mean 'url'"),
        ('[rerankers.x]\nurl = "nowhere"', "rerankers.x.url: 'nowhere' is not an address"),
        ('[rerankers."X y"]\nurl = "http://h"', "rerankers.X y: is not a name"),
        ("rerankers = 3", "write each as a table"),
    ):
        toml.write_text(text)
        with pytest.raises(SetupError, match=words):
            Settings.load(environ={}, toml_path=toml)
    with pytest.raises(SetupError, match="COHERE_API_KEY: its character 4 of 5"):
        Settings.load(environ={"COHERE_API_KEY": "abc d"})
