"""An embedding model of a provider, by the real SDK: batches, checked vectors, failures as models have them."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from sostenuto.activities.adapters.bounded_http import MAX_RESPONSE_BYTES
from sostenuto.activities.adapters.embeddings import provider_passages
from sostenuto.activities.knowledge.store.vectors import floats
from sostenuto.activities.not_served import NotServedError
from sostenuto.activities.prices.price import Charge
from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.errors import (
    AuthenticationFailed,
    ContextOverflow,
    InvalidRequest,
    ModelError,
    Overloaded,
    ProviderUnavailable,
    QuotaExceeded,
    RateLimited,
    Timeout,
    UnreadableAnswer,
)
from sostenuto.workers.embeddings import LazyPassages
from sostenuto.workers.settings import Settings
from tests.fakes.vector_server import Change, Response, VectorServer

KEY = "sk-planted-secret"
TEXTS = ["alpha beta", "gamma", "alpha alpha delta"]


@asynccontextmanager
async def embedding(
    *responses: Response | None, provider: str = "acme", key: str = KEY, **options: Any
) -> AsyncIterator[tuple[LazyPassages, VectorServer, list[Charge]]]:
    """The model of a provider as a worker makes it, the server that it talks to, and what is to be paid for."""
    async with VectorServer(responses, key=KEY, **options) as server:
        environ = {"SOSTENUTO_PROVIDER_ACME_URL": server.url, "SOSTENUTO_PROVIDER_ACME_KEY": key}
        if provider == "openai":
            environ = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": key}
        model = LazyPassages(f"{provider}/text-embed", Settings.load(environ=environ))
        try:
            yield model, server, []
        finally:
            await model.close()


def changed(**fields: Any) -> Change:
    """An answer with other fields."""
    return lambda right: {**right, **fields}


def first(**fields: Any) -> Change:
    """An answer whose first vector has other fields."""
    return lambda right: {**right, "data": [{**right["data"][0], **fields}, *right["data"][1:]]}


@pytest.mark.parametrize("provider", ["acme", "openai"])
async def test_texts_become_vectors_of_length_one_and_are_charged(provider: str) -> None:
    async with embedding(provider=provider) as (model, server, charged):
        found = await model.passages(TEXTS, charged.append)
        (query,) = await model.queries(["alpha"], charged.append)
        assert await model.dimensions(charged.append) == 16
    vectors = [floats(one.dense) for one in found]
    assert [math.hypot(*vector) for vector in vectors] == pytest.approx([1.0, 1.0, 1.0])
    closeness = [sum(a * b for a, b in zip(floats(query.dense), vector, strict=True)) for vector in vectors]
    assert closeness[2] > closeness[0] > closeness[1]
    assert query.closeness(["a", "b"]) == [0.0, 0.0]
    assert [asked.body["encoding_format"] for asked in server.asked] == ["float", "float"]
    assert server.texts == [TEXTS, ["alpha"]], "the length of the vectors is known by then"
    used = Usage(input_tokens=6), Usage(input_tokens=1)
    assert charged == [Charge(provider, "text-embed", usage) for usage in used]


async def test_nothing_is_sent_before_it_is_used_and_the_length_is_asked_for_once() -> None:
    async with embedding() as (model, server, charged):
        assert server.asked == []
        lengths = await asyncio.gather(*(model.dimensions(charged.append) for _ in range(3)))
    assert (lengths, len(server.asked), len(charged)) == ([16, 16, 16], 1, 1)


async def test_one_text_that_is_too_long_makes_no_smaller_batches_of_others() -> None:
    long = Response(400, {"error": "input is too large to process. increase the physical batch size"})
    async with embedding(long, None, long) as (model, server, charged):
        with pytest.raises(ContextOverflow, match="a query of 9 characters is more than it reads: ask for less"):
            await model.queries(["short", "very long"], charged.append)
        await model.passages([f"text {number}" for number in range(64)], charged.append)
    assert [len(texts) for texts in server.texts] == [2, 1, 1, 64]


async def test_a_server_that_refuses_any_number_is_not_asked_for_less_for_ever() -> None:
    refused = Response(422, {"error": "batch size too large"})
    async with embedding(*[refused] * 3) as (model, server, charged):
        with pytest.raises(InvalidRequest, match="batch size too large"):
            await model.passages([f"text {number}" for number in range(4)], charged.append)
        await model.passages([f"text {number}" for number in range(64)], charged.append)
    assert [len(texts) for texts in server.texts] == [4, 2, 1, 64]


async def test_vectors_are_kept_up_to_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    async with embedding() as (model, server, charged):
        (one,) = await model.passages(["text 0"], charged.append)
        monkeypatch.setattr(provider_passages, "KEPT_BYTES", 2 * len(one.dense))
        await model.passages(["text 1", "text 2"], charged.append)
        await model.passages(["text 2", "text 1", "text 0"], charged.append)
    assert server.texts == [["text 0"], ["text 1", "text 2"], ["text 0"]]


async def test_queries_go_in_one_request() -> None:
    async with embedding() as (model, server, charged):
        found = await model.queries(TEXTS, charged.append)
        assert server.texts == [TEXTS]
        again = [(await model.queries([text], charged.append))[0] for text in TEXTS]
    assert ([one.dense for one in found], len(charged)) == ([one.dense for one in again], 1)


async def test_many_texts_go_in_batches_by_number_and_by_bytes() -> None:
    async with embedding() as (model, server, charged):
        found = await model.passages([f"text {number}" for number in range(150)], charged.append)
        await model.passages([letter * 100_000 for letter in "abc"], charged.append)
    assert len(found) == 150
    assert [len(texts) for texts in server.texts] == [64, 64, 22, 2, 1]
    assert len(charged) == 5


async def test_a_server_that_takes_fewer_at_once_is_given_fewer() -> None:
    async with embedding(most_texts=10) as (model, server, charged):
        texts = [f"text {number}" for number in range(70)]
        found = await model.passages(texts, charged.append)
        refused = len(server.asked) - len(charged)
        again = await model.passages([f"more {number}" for number in range(16)], charged.append)
    assert (len(found), len(again)) == (70, 16)
    assert sum(len(texts) for texts in server.texts if len(texts) <= 10) == 86
    assert [len(texts) for texts in server.texts][-2:] == [8, 8], "it is not asked for more a second time"
    assert refused == 3
    assert len({one.dense for one in found}) > 1


async def test_a_text_that_is_known_is_not_paid_for_again() -> None:
    async with embedding(None, Response(500)) as (model, server, charged):
        texts = [f"text {number}" for number in range(80)]
        with pytest.raises(ProviderUnavailable):
            await model.passages(texts, charged.append)
        await model.passages(texts, charged.append)
    assert [len(texts) for texts in server.texts] == [64, 16, 16]
    assert len(charged) == 2


@pytest.mark.parametrize(
    ("response", "error", "words"),
    [
        (Response(400, {"error": {"message": "no model x", "code": "model_not_found"}}), InvalidRequest, "no model x"),
        (Response(404, {"detail": "Not Found"}), InvalidRequest, "named 'text-embed', and the base URL"),
        (Response(402, {"error": "pay"}), QuotaExceeded, "pay"),
        (Response(403, {"message": "not you"}), AuthenticationFailed, "SOSTENUTO_PROVIDER_ACME_KEY"),
        (Response(500, {"error": "oh"}), ProviderUnavailable, "oh"),
        (Response(502, b"<html>"), ProviderUnavailable, "502"),
        (Response(503, {"error": "full"}), Overloaded, "full"),
        (Response(resets=True), ProviderUnavailable, "connection"),
        (
            Response(307, b"", headers=(("Location", "http://127.0.0.1:9/v1/embeddings"),)),
            InvalidRequest,
            "not followed",
        ),
    ],
)
async def test_failures_are_those_of_models(response: Response, error: type[ModelError], words: str) -> None:
    async with embedding(response) as (model, server, charged):
        with pytest.raises(error, match=words) as raised:
            await model.queries(["alpha"], charged.append)
    assert type(raised.value) is error
    assert str(raised.value).startswith("acme/text-embed: ")
    assert (charged, len(server.asked)) == ([], 1)


async def test_a_busy_provider_says_when_to_come_back() -> None:
    busy = Response(429, {"error": "slowly"}, headers=(("Retry-After", "7"),))
    async with embedding(busy) as (model, _, charged):
        with pytest.raises(RateLimited, match="slowly") as raised:
            await model.queries(["alpha"], charged.append)
    assert raised.value.retry_after == timedelta(seconds=7)


async def test_a_wrong_key_is_final_and_never_told() -> None:
    async with embedding(key="sk-another-secret") as (model, _, charged):
        with pytest.raises(AuthenticationFailed, match="check the key in SOSTENUTO_PROVIDER_ACME_KEY") as raised:
            await model.queries(["alpha"], charged.append)
    assert "[redacted]" in str(raised.value)
    assert "sk-another-secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("openai/m", "set OPENAI_API_KEY in the worker's environment"),
        ("acme/m", "unknown provider 'acme': set SOSTENUTO_PROVIDER_ACME_URL, or base_url under"),
        ("local/other", "provider 'local' has none such: take local/minilm"),
    ],
)
async def test_what_is_missing_is_named(name: str, words: str) -> None:
    with pytest.raises(NotServedError, match=words):
        await LazyPassages(name, Settings.load(environ={})).queries(["alpha"], lambda _: None)


async def test_a_text_that_is_too_long_is_final_and_the_others_are_not_paid_for_twice() -> None:
    long = Response(400, {"error": {"message": "too long", "code": "context_length_exceeded"}})
    async with embedding(long, None, long) as (model, server, charged):
        with pytest.raises(ContextOverflow, match="a passage of 9 characters is more than it reads: lower"):
            await model.passages(["short", "very long"], charged.append)
    assert server.texts == [["short", "very long"], ["short"], ["very long"]]
    assert len(charged) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda right: {**right, "data": right["data"][1:]}, "2 vectors for 3 texts, with the indexes 1, 2"),
        (lambda right: {**right, "data": right["data"] * 2}, "6 vectors for 3 texts"),
        (changed(data=[]), "0 vectors for 3 texts"),
        (changed(data="none"), "has no vectors"),
        (first(index=1), "3 vectors for 3 texts, with the indexes 1, 2"),
        (first(index=None), "3 vectors for 3 texts"),
        (first(embedding=[1.0, 2.0]), "vectors of 2 and of 16 numbers"),
        (first(embedding=[0.0] * 16), "vector 0 has zeros alone"),
        (first(embedding=[math.nan] * 16), "vector 0 has a number that is not finite"),
        (first(embedding=[math.inf] + [0.0] * 15), "vector 0 has a number that is not finite"),
        (first(embedding=[10**400] + [0] * 15), "cannot be read"),
        (first(embedding=["1"] * 16), "vector 0 has something that is no number"),
        (first(embedding="AAAA"), "vector 0 is no list of numbers, but str"),
        (lambda _: ["vectors"], "has no vectors"),
    ],
)
async def test_vectors_that_are_none_are_refused_and_paid_for(change: Change, words: str) -> None:
    async with embedding(Response(change=change)) as (model, _, charged):
        with pytest.raises(UnreadableAnswer, match=words):
            await model.passages(TEXTS, charged.append)
    assert len(charged) == 1


async def test_the_order_is_that_of_the_texts_whatever_the_answers_is() -> None:
    backwards = Response(change=lambda right: {**right, "data": right["data"][::-1]})
    async with embedding(backwards) as (model, _, charged), embedding() as (other, _, _):
        assert await model.passages(TEXTS, charged.append) == await other.passages(TEXTS, charged.append)


async def test_a_model_whose_vectors_change_their_length_is_found_out() -> None:
    shorter = Response(change=lambda right: {**right, "data": [{**right["data"][0], "embedding": [1.0, 2.0]}]})
    async with embedding(None, shorter) as (model, _, charged):
        await model.queries(["alpha"], charged.append)
        with pytest.raises(UnreadableAnswer, match="vectors of 2 and of 16 numbers"):
            await model.queries(["beta"], charged.append)


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": 0}, {"prompt_tokens": -1}, {"prompt_tokens": "x"}])
async def test_usage_that_is_not_told_is_not_taken_for_none(usage: Any) -> None:
    async with embedding(Response(change=changed(usage=usage))) as (model, _, charged):
        await model.queries(["alpha"], charged.append)
    assert charged == [Charge("acme", "text-embed", None)]


async def test_an_answer_without_end_is_not_taken() -> None:
    async with embedding(Response(floods=True)) as (model, server, charged):
        with pytest.raises(UnreadableAnswer, match="more than 16,777,216 bytes"):
            await model.queries(["alpha"], charged.append)
        assert server.sent < 3 * MAX_RESPONSE_BYTES


async def test_an_answer_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_passages, "_QUERY_SECONDS", 0.2)
    async with embedding(Response(hangs=True)) as (model, _, charged):
        with pytest.raises(Timeout):
            await model.queries(["alpha"], charged.append)


async def test_a_compatible_server_learns_nothing_of_openai(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-openai")
    async with embedding() as (model, server, charged):
        await model.queries(["alpha"], charged.append)
    assert "of-openai" not in json.dumps(server.asked[0].headers)
