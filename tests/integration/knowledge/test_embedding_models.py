"""Collections embedded by providers and reranked by models and services: what they find, and what it costs."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Client, Collection, RetrievalResponded, Usage
from sostenuto.clients.ingest import CollectionFailed
from sostenuto.contracts.wire.ingest.ingest import IngestReport
from sostenuto.contracts.wire.totals import Totals
from sostenuto.workers.settings import Settings
from tests.fakes.vector_server import Response, VectorServer
from tests.integration.agent.stage import calls

if TYPE_CHECKING:
    from tests.integration.knowledge.conftest import Served

KEY = "sk-planted-secret"
SCRIPT = [calls(("find", {"query": "how is the probe stored"})), "Flat."]
# Numbers whose sums are exact.
PRICES = {"acme": 0.25, "scripted": 2.0}
PAUSE = Response(429, {"error": "slowly"}, headers=(("Retry-After", "0.2"),))


def price(provider: str, model: str, usage: Usage) -> float | None:
    """Of one call, by provider alone."""
    return PRICES.get(provider)


def settings(server: VectorServer, key: str = KEY, *, rerank: VectorServer | None = None) -> Settings:
    environ = {
        "SOSTENUTO_PROVIDER_ACME_URL": server.url,
        "SOSTENUTO_PROVIDER_ACME_KEY": key,
        "SOSTENUTO_PROVIDER_FREE_URL": server.url,
        "SOSTENUTO_PROVIDER_FREE_KEY": KEY,
        "JINA_API_KEY": KEY,
    }
    made = Settings.load(environ=environ)
    if rerank is None:
        return made
    there = made.rerankers["jina"].model_copy(update={"url": f"{rerank.url}/rerank"})
    return made.model_copy(update={"rerankers": {"jina": there}})


def spent(tokens: int, dollars: float) -> Totals:
    return Totals(usage=Usage(input_tokens=tokens), cost_usd=dollars)


def embedded(name: str, **options: Any) -> Collection:
    return Collection(name, **{"embedding": "acme/bge-m3", "limit": 3, **options})


async def ingested(client: Client, collection: Collection, source: Path, **options: Any) -> IngestReport:
    return await (await client.ingest(collection, source, **options)).result()


@pytest.fixture
def filled(documents: Path) -> Path:
    (documents / "probe.md").write_text("The probe is stored lying flat.")
    (documents / "pump.md").write_text("The pump is stored upright.")
    return documents


async def test_what_embedding_costs_is_in_the_report_the_search_the_event_and_the_run(
    serving: Served, task_queue: str, filled: Path
) -> None:
    collection = embedded(task_queue)
    agent = Agent(name="ask", model="scripted/m", tools=[collection.search(name="find")])
    async with (
        VectorServer(key=KEY) as server,
        serving(App(agent), SCRIPT, settings=settings(server), price=price) as client,
    ):
        report = await ingested(client, collection, filled)
        # The length of its vectors, and each document.
        assert (report.done, report.totals) == (2, spent(16, 0.75))
        assert (await ingested(client, collection, filled)).totals == Totals(), "what is unchanged costs nothing"

        found = await client.search(collection, "where is the pump")
        assert found.passages[0].source.endswith("pump.md")
        assert found.passages[0].scores.rerank is None
        assert found.totals == spent(4, 0.25)
        assert found.summary("c").endswith("ms · 4 tokens, $0.2500")

        run = await client.start(agent, "How is the probe stored?")
        events = [event async for event in run.events()]
        result = await run.result()
    (searched,) = (event for event in events if isinstance(event, RetrievalResponded))
    assert searched.totals == spent(5, 0.25)
    assert result.cost_usd == 2 * 2.0 + 0.25
    assert (result.usage.input_tokens, result.unpriced_calls) == (2 * 10 + 5, 0)


async def test_the_commands_print_what_it_cost(
    temporal: TemporalClient, serving: Served, task_queue: str, filled: Path
) -> None:
    collection = embedded(task_queue, rerank="model:scripted/judge")
    address = temporal.service_client.config.target_host
    environ = {**os.environ, "TEMPORAL_ADDRESS": address, "SOSTENUTO_TASK_QUEUE": task_queue}

    async def command(*words: str) -> tuple[str, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sostenuto", *words),
            cwd=filled,
            env=environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode == 0, err
        return out.decode(), err.decode()

    app = App(collections=[collection])
    async with (
        VectorServer(key=KEY) as server,
        serving(app, {"judge": ["Me."]}, settings=settings(server), price=price) as client,
    ):
        assert client.task_queue == task_queue
        out, _ = await command("ingest", task_queue, ".")
        assert out.endswith(" s, 16 tokens, $0.7500\n")
        again, err = await command("watch", f"ingest-{task_queue}")
        assert again == out
        assert f"{task_queue}: 2 new or changed, 0 unchanged, 0 failed" in err
        _, err = await command("search", task_queue, "the pump")
    assert err.endswith(
        "ms · 32 tokens, $4.2500 · not reranked: scripted/judge gave an answer that cannot be used: it is no JSON\n"
    )


async def test_a_model_without_a_price_is_not_free(serving: Served, task_queue: str, filled: Path) -> None:
    collection = embedded(task_queue, embedding="free/bge-m3")
    agent = Agent(name="ask", model="scripted/m", tools=[collection.search(name="find")])
    async with (
        VectorServer(key=KEY) as server,
        serving(App(agent), SCRIPT, settings=settings(server), price=price) as client,
    ):
        report = await ingested(client, collection, filled)
        result = await (await client.start(agent, "How is the probe stored?")).result()
    assert (report.cost_usd, report.unpriced_calls) == (0.0, 3)
    assert report.totals.told == "16 tokens, 3 of unknown price"
    assert (result.cost_usd, result.unpriced_calls) == (4.0, 1)


async def test_what_failed_attempts_have_spent_is_told(serving: Served, task_queue: str, documents: Path) -> None:
    """The first half of a document is embedded, the second one is refused twice: each is paid for once."""
    paragraphs = [f"Paragraph number {number}." for number in range(100)]
    (documents / "long.md").write_text("\n\n".join(paragraphs))
    collection = embedded(task_queue)
    responses: Sequence[Response | None] = (PAUSE, None, None, PAUSE, Response(500, {"error": "oh"}))
    async with (
        # As long that no other number has the place of 77.
        VectorServer(responses, dimensions=1_024, key=KEY) as server,
        serving(App(collections=[collection]), settings=settings(server), price=price) as client,
    ):
        report = await ingested(client, collection, documents)
        asked = [len(texts) for texts in server.texts]
        found = await client.search(collection, "paragraph number 77")
    assert asked == [1, 1, 64, 36, 36, 36]
    assert (report.done, report.passages) == (1, 100)
    assert report.totals == spent(5 + 300, 0.75)
    assert found.passages[0].text == "Paragraph number 77."


async def test_what_is_wrong_with_the_key_or_the_model_is_told_at_once(
    serving: Served, task_queue: str, filled: Path
) -> None:
    collection = embedded(task_queue)
    app = App(collections=[collection])
    async with VectorServer(key=KEY) as server:
        async with serving(app, settings=settings(server, "sk-another-secret")) as client:
            with pytest.raises(CollectionFailed, match="check the key in SOSTENUTO_PROVIDER_ACME_KEY") as raised:
                await ingested(client, collection, filled)
        assert len(server.asked) == 1
        assert "another-secret" not in str(raised.value)
        keyless = App(collections=[embedded(task_queue, embedding="openai/m")])
        async with serving(keyless, settings=settings(server)) as client:
            with pytest.raises(CollectionFailed, match="set OPENAI_API_KEY in the worker's environment"):
                await ingested(client, collection, filled)
        assert len(server.asked) == 1
        server.responses = [Response(404, {"error": {"message": "no model bge-m3", "code": "model_not_found"}})]
        server.asked.clear()
        async with serving(app, settings=settings(server)) as client:
            with pytest.raises(CollectionFailed, match="acme/bge-m3: no model bge-m3"):
                await ingested(client, collection, filled)
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("response", "words", "requests"),
    [
        (Response(change=lambda right: {**right, "data": []}), "gave 0 vectors for 1 texts", 2),
        (Response(500, {"error": "oh"}), "oh", 16),
        (Response(413, {"error": "too long"}), "a query of 21 characters is more than it reads: ask for less", 1),
    ],
)
@pytest.mark.usefixtures("short_pauses")
async def test_what_does_not_pass_is_not_paid_for_again_and_again(
    serving: Served, task_queue: str, filled: Path, response: Response, words: str, requests: int
) -> None:
    collection = embedded(task_queue)
    async with (
        VectorServer([response] * 20, key=KEY) as server,
        serving(App(collections=[collection]), settings=settings(server)) as client,
    ):
        with pytest.raises(CollectionFailed, match=words):
            await ingested(client, collection, filled)
        assert len(server.asked) == requests


async def test_another_length_of_vectors_is_told_with_what_makes_it_anew(
    serving: Served, task_queue: str, filled: Path
) -> None:
    collection = embedded(task_queue)
    app = App(collections=[collection])
    async with VectorServer(dimensions=16) as small, VectorServer(dimensions=24) as large:
        async with serving(app, settings=settings(small)) as client:
            await ingested(client, collection, filled)
        async with serving(app, settings=settings(large)) as client:
            with pytest.raises(
                CollectionFailed, match=r"has vectors of 16 numbers, and acme/bge-m3 gives 24 .*--rebuild"
            ):
                await client.search(collection, "pump")
            with pytest.raises(CollectionFailed, match=r"vectors is 16 in the store and 24 here: .*--rebuild"):
                await ingested(client, collection, filled)
            assert (await ingested(client, collection, filled, rebuild=True)).done == 2
            assert (await client.search(collection, "pump")).passages[0].source.endswith("pump.md")
        other = embedded(task_queue, embedding="free/other")
        async with serving(App(collections=[other]), settings=settings(large)) as client:
            before = len(large.asked)
            with pytest.raises(CollectionFailed, match=r"is acme/bge-m3 in the store and free/other here: .*--rebuild"):
                await client.search(other, "pump")
            assert len(large.asked) == before, "nothing is paid for what cannot be searched"


async def test_a_model_judges_and_is_charged(serving: Served, task_queue: str, filled: Path) -> None:
    collection = embedded(task_queue, rerank="model:scripted/judge")
    judgement = {"output": {"passages": [{"id": 2, "score": 0.75}]}}
    script = {"m": SCRIPT, "judge": [judgement]}
    agent = Agent(name="ask", model="scripted/m", tools=[collection.search(name="find")])
    async with VectorServer() as server, serving(App(agent), script, settings=settings(server), price=price) as client:
        await ingested(client, collection, filled)
        found = await client.search(collection, "the pump upright")
        result = await (await client.start(agent, "How is the probe stored?")).result()
    assert [Path(passage.source).name for passage in found.passages] == ["probe.md", "pump.md"]
    assert [passage.scores.rerank for passage in found.passages] == [0.75, None]
    assert found.totals == Totals(usage=Usage(input_tokens=3 + 10, output_tokens=5), cost_usd=2.25)
    assert result.cost_usd == 3 * 2.0 + 0.25


async def test_a_judge_that_cannot_be_understood_is_told_of_and_the_search_goes_on(
    serving: Served, task_queue: str, filled: Path
) -> None:
    collection = embedded(task_queue, rerank="model:scripted/judge")
    agent = Agent(name="ask", model="scripted/m", tools=[collection.search(name="find")])
    script = {"m": SCRIPT, "judge": ["I rank myself first."]}
    async with VectorServer() as server, serving(App(agent), script, settings=settings(server), price=price) as client:
        await ingested(client, collection, filled)
        run = await client.start(agent, "How is the probe stored?")
        events = [event async for event in run.events()]
        found = await client.search(collection, "probe")
    (searched,) = (event for event in events if isinstance(event, RetrievalResponded))
    note = "not reranked: scripted/judge gave an answer that cannot be used: it is no JSON"
    assert searched.note == note
    assert len(searched.passages) == 2
    assert searched.cost_usd == 0.25 + 2 * 2.0, "both answers were paid for"
    assert note in found.summary("c")
    assert found.passages[0].source.endswith("probe.md")


async def test_a_service_reranks_and_a_retry_embeds_the_query_once(
    serving: Served, task_queue: str, filled: Path
) -> None:
    collection = embedded(task_queue, rerank="http:jina/rank-1")
    app = App(collections=[collection])
    async with (
        VectorServer() as server,
        VectorServer((PAUSE, Response(500, b"oh")), key=KEY) as service,
        serving(app, settings=settings(server, rerank=service), price=price) as client,
    ):
        await ingested(client, collection, filled)
        before = len(server.asked)
        found = await client.search(collection, "the pump upright")
        assert (len(server.asked) - before, len(service.asked)) == (1, 3)
        assert [round(passage.scores.rerank or 0, 2) for passage in found.passages] == [1.0, 0.33]
        told = Totals(usage=Usage(input_tokens=3 + 11), cost_usd=0.25, unpriced_calls=1)
        assert found.totals == told
        assert (found.note, len(service.asked[-1].body["documents"])) == ("", 2)

        service.responses = [Response(400, {"message": "no such model"})]
        found = await client.search(collection, "the pump")
        assert (found.note, len(found.passages)) == ("not reranked: jina/rank-1: no such model (400)", 2)
        assert len(service.asked) == 4


@pytest.mark.usefixtures("short_pauses")
async def test_a_service_that_stays_away_ends_no_search(serving: Served, task_queue: str, filled: Path) -> None:
    collection = embedded(task_queue, rerank="http:jina/rank-1")
    away = Response(500, {"message": "being started anew"})
    async with (
        VectorServer() as server,
        VectorServer([away] * 4) as service,
        serving(App(collections=[collection]), settings=settings(server, rerank=service), price=price) as client,
    ):
        await ingested(client, collection, filled)
        found = await client.search(collection, "the pump upright")
    assert (found.note, len(service.asked)) == ("not reranked: jina/rank-1: being started anew (500)", 4)
    assert (len(found.passages), found.totals) == (2, spent(3, 0.25))


async def test_what_fails_in_the_end_is_in_the_sums_all_the_same(
    serving: Served, task_queue: str, documents: Path
) -> None:
    """Half of a document is embedded before the other half is refused, and a query before its length is found wrong."""
    (documents / "long.md").write_text("\n\n".join(f"Paragraph number {number}." for number in range(100)))
    collection = embedded(task_queue)
    agent = Agent(name="ask", model="scripted/m", tools=[collection.search(name="find")])
    refused = Response(400, {"error": {"message": "not this one"}})
    async with (
        VectorServer((None, None, refused)) as server,
        serving(App(agent), SCRIPT, settings=settings(server), price=price) as client,
    ):
        report = await ingested(client, collection, documents)
        assert (report.done, report.failed, report.totals) == (0, 1, spent(5 + 192, 0.5))
        assert "not this one" in report.failures[0].reason
        assert (await ingested(client, collection, documents)).done == 1
    async with (
        VectorServer(dimensions=24) as server,
        serving(App(agent), SCRIPT, settings=settings(server), price=price) as client,
    ):
        result = await (await client.start(agent, "How is the probe stored?")).result()
    assert (result.output, result.cost_usd) == ("Flat.", 2 * 2.0 + 0.25)
