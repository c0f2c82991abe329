"""Ingests and searches are told of with what they ask of embedding models and rerankers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Collection, Usage
from sostenuto.activities.adapters.providers.scripted import Script, ScriptedAdapter
from sostenuto.workers.settings import Settings
from tests.fakes.knowledge import WordEncoder, knowledge
from tests.fakes.otlp_receiver import OtlpReceiver, attributes, otlp_receiver
from tests.fakes.vector_server import VectorServer
from tests.integration.agent.stage import calls
from tests.integration.telemetry.scraped import free_port, scrape
from tests.integration.telemetry.watched import assert_spans_of, received, until_sent, watched

KEY = "sk-planted-secret"
SCRIPT: Script = [calls(("find", {"query": "how is the probe stored"})), "Flat."]
PRICES = {"acme": 0.25, "scripted": 2.0}


def price(provider: str, model: str, usage: Usage) -> float | None:
    """Of one call, by provider alone."""
    return PRICES.get(provider)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[OtlpReceiver]:
    with otlp_receiver() as receiving:
        received(receiving, monkeypatch)
        yield receiving


async def test_what_collections_ask_of_models_is_told_once(
    temporal: TemporalClient, task_queue: str, tmp_path: Path, receiver: OtlpReceiver
) -> None:
    collection = Collection(task_queue, embedding="acme/bge-m3", rerank="http:jina/m", limit=3)
    agent = Agent(name="ask", model="scripted/m", tools=[collection.search(name="find")])
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "probe.md").write_text("The probe is stored lying flat.")
    (documents / "pump.md").write_text("The pump is stored upright.")
    (documents / "empty.md").touch()
    port = free_port()
    async with VectorServer(key=KEY) as server, VectorServer(key=KEY) as service:
        adapters = {"scripted": ScriptedAdapter(SCRIPT)}
        known = knowledge(tmp_path / "store", WordEncoder(), settings=_settings(server, service), adapters=adapters)
        async with (
            known as services,
            watched(
                temporal,
                App(agent),
                adapters["scripted"],
                task_queue,
                services=services,
                price=price,
                settings={"metrics": f"127.0.0.1:{port}"},
            ) as client,
        ):
            ingest = await client.ingest(collection, documents)
            report = await ingest.result()
            assert (report.done, report.failed) == (2, 1)
            ingest_trace = await (await client.get(ingest.id)).trace()
            run = await client.start(agent, "How is the probe stored?")
            await run.result()
            trace = await run.trace()
            await until_sent(receiver, f"invoke_workflow {ingest.id}")
            await until_sent(receiver, "invoke_agent ask")
            published = await scrape(port)

    spans = {True: list[Span](), False: list[Span]()}
    for span in receiver.spans:
        spans[attributes(span)["sostenuto.run.id"] == run.id].append(span)
    assert_spans_of(spans[True], trace)
    said = {span.name: attributes(span) for span in spans[True]}
    embedded = said["embeddings acme/bge-m3"]
    assert (embedded["gen_ai.operation.name"], embedded["gen_ai.provider.name"]) == ("embeddings", "acme")
    assert (embedded["gen_ai.request.model"], embedded["gen_ai.usage.input_tokens"]) == ("bge-m3", 5)
    assert embedded["sostenuto.cost_usd"] == 0.25
    # Its price is not known: that is not nothing.
    assert "sostenuto.cost_usd" not in said["rerank http:jina/m"]
    assert said["rerank http:jina/m"]["gen_ai.provider.name"] == "jina"
    assert "gen_ai.usage.input_tokens" not in said[f"retrieval {collection.name}"]
    parents = {span.span_id: span.name for span in spans[True]}
    inside = [parents[one.parent_span_id] for one in spans[True] if one.name.startswith(("embeddings", "rerank"))]
    assert inside == [f"retrieval {collection.name}"] * 2

    by_kind = _by_kind(spans[False])
    assert {kind: len(found) for kind, found in by_kind.items()} == {
        "invoke_workflow": 1,
        "document": 3,
        "embeddings": 2,
    }
    assert sum(one["sostenuto.cost_usd"] for one in by_kind["embeddings"]) == 0.5
    # And once for the length of its vectors.
    assert by_kind["invoke_workflow"][0]["sostenuto.total.cost_usd"] == 0.75
    assert [one["sostenuto.status"] for one in by_kind["document"]].count("failed") == 1
    kinds = [step.kind for step in ingest_trace.run.walk()]
    assert sorted(kinds) == ["document"] * 3 + ["embeddings"] * 2 + ["run"]

    assert published.of(
        "sostenuto_tokens_total", gen_ai_operation_name="embeddings", gen_ai_token_type="input"
    ) == 5 + sum(one["gen_ai.usage.input_tokens"] for one in by_kind["embeddings"])


def _by_kind(spans: list[Span]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for span in spans:
        found.setdefault(span.name.partition(" ")[0], []).append(attributes(span))
    return found


def _settings(server: VectorServer, service: VectorServer) -> Settings:
    made = Settings.load(
        environ={"SOSTENUTO_PROVIDER_ACME_URL": server.url, "SOSTENUTO_PROVIDER_ACME_KEY": KEY, "JINA_API_KEY": KEY}
    )
    there = made.rerankers["jina"].model_copy(update={"url": f"{service.url}/rerank"})
    return made.model_copy(update={"rerankers": {"jina": there}})
