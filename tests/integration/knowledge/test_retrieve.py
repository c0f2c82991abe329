"""Searches as steps of their own: in chains, and in code-first workflows."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from temporalio import workflow

from sostenuto import (
    Agent,
    App,
    Chain,
    Cited,
    Client,
    Collection,
    ModelRequested,
    ModelResponded,
    Parallel,
    Prompt,
    Result,
    RetrievalResponded,
    Retrieve,
    SpecError,
    Status,
    Team,
)
from sostenuto.activities.knowledge.sources.files import uri_of
from sostenuto.activities.knowledge.store.stored import document_key, passage_id
from sostenuto.activities.transcript_cache import TranscriptCache
from sostenuto.contracts.message import PartRef
from sostenuto.history.events.projection import Projection
from sostenuto.workflows import ask, search
from tests.fakes.knowledge import WORDS
from tests.integration.agent.recorded import Recorded
from tests.integration.agent.stage import Stage, calls

if TYPE_CHECKING:
    from tests.integration.knowledge.conftest import Served

LONG = "The probe is stored lying flat. " * 60 + "Its number is 4711."


@pytest.fixture
def filled(documents: Path) -> Path:
    (documents / "probe.md").write_text(LONG)
    (documents / "pump.md").write_text("The pump is stored upright.")
    return documents


async def came_to(client: Client, runnable: Any, asked: Any) -> Result:
    return (await Stage(client.temporal, client.task_queue).ask(runnable, asked)).result


def pump_in(folder: Path) -> str:
    """The id of the only passage of `pump.md`."""
    path = folder / "pump.md"
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    return passage_id(document_key(uri_of(str(path))), content, 0, 27)


def cited(passages: list[str]) -> dict[str, Any]:
    claim = {"text": "The pump is stored upright.", "passages": passages}
    return {"output": {"answer": "Upright.", "claims": [claim]}}


async def test_it_comes_to_the_passages(serving: Served, handbook: Collection, filled: Path) -> None:
    retrieve = Retrieve("found", handbook, limit=1)
    async with serving(App(retrieve)) as client:
        await (await client.ingest(handbook, filled)).result()
        run = await client.start(retrieve, "how is the pump stored")
        events = [event async for event in run.events()]
        result = await run.result()
    (event,) = (event for event in events if isinstance(event, RetrievalResponded))
    assert (event.path, event.query, event.call_id) == ("found", "how is the pump stored", "")
    assert (result.status, result.turns) == (Status.COMPLETED, 0)
    assert result.passages == (event.passages[0].id,)
    assert result.output.startswith(f'<passage id="{result.passages[0]}" source="')
    assert "The pump is stored upright." in result.output


async def test_a_prompt_refers_to_what_was_found_and_may_cite_it(
    serving: Served, handbook: Collection, filled: Path
) -> None:
    found = Retrieve("found", handbook)
    answer = Prompt(name="answer", template="{found}\nQuestion: {input}", model="scripted/m", output=Cited)
    chain = Chain(name="desk", steps=[found, answer])
    pump = pump_in(filled)
    script: list[Any] = [cited(["made-up"]), cited([pump])]
    async with serving(App(chain), script) as client:
        await (await client.ingest(handbook, filled)).result()
        run = await client.start(chain, "How is the pump stored?")
        result = await run.result()
        events = [event async for event in run.events()]
        recorded = Recorded(await client.history(run.id))
        again = await run.transcript(path="desk/answer")
    assert (result.status, result.turns) == (Status.COMPLETED, 2), result.reason
    assert [one.passage for one in result.citations] == [pump]
    written = str((await client.history(run.id)).events)
    assert written.count("Its number is 4711.") == 1, "a passage is said once"
    (first, *_) = recorded.model_calls
    refs = [part for part in first.tail[0].parts if isinstance(part, PartRef)]
    assert [ref.search_id for ref in refs] == ["desk/found:search"]
    # What was sent can be told from the history alone.
    assert LONG.strip() in again[0].text
    assert again[0].text.endswith("\nQuestion: How is the pump stored?")
    requested = next(event for event in events if isinstance(event, ModelRequested))
    assert requested.path == "desk/answer"
    assert result.steps["found"].output is None
    assert set(result.steps["found"].passages) >= {pump}


async def test_a_prompt_gets_them_from_a_worker_that_does_not_have_them(
    serving: Served, handbook: Collection, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sostenuto.workers.served.activities.TranscriptCache", lambda: TranscriptCache(max_bytes=1))
    answer = Prompt(name="answer", template="{found}\n{input}", model="scripted/m")
    chain = Chain(name="desk", steps=[Retrieve("found", handbook), answer])
    async with serving(App(chain), ["Flat."]) as client:
        await (await client.ingest(handbook, filled)).result()
        run = await client.start(chain, "How is the probe stored?")
        assert (await run.result()).output == "Flat."
        sent = await run.transcript(path="desk/answer")
        (reply,) = [event async for event in run.events() if isinstance(event, ModelResponded)]
        history = await client.history(run.id)
    projection = Projection(client.temporal.data_converter)
    for event in history.events:
        projection.feed(event, run.id)
    assert projection.prompt(1, "desk/answer").hash == reply.prompt_hash, "what was sent is what the history tells"
    assert LONG.strip() in sent[0].text


async def test_a_prompt_refers_to_what_several_searches_found(
    serving: Served, handbook: Collection, filled: Path
) -> None:
    both = Parallel(
        name="both",
        branches=[
            Retrieve("probe", handbook, query="the probe lying flat, its number 4711", limit=1),
            Chain(name="pump", steps=[Retrieve("found", handbook, query="pump upright", limit=1)]),
        ],
    )
    answer = Prompt(name="answer", template="{both}\nQuestion: {input}", model="scripted/m", output=Cited)
    chain = Chain(name="desk", steps=[both, answer])
    pump = pump_in(filled)
    async with serving(App(chain), [cited([pump])]) as client:
        await (await client.ingest(handbook, filled)).result()
        run = await client.start(chain, "How are they stored?")
        result = await run.result()
        written = str((await client.history(run.id)).events)
        sent = await run.transcript(path="desk/answer")
    assert (result.status, [one.passage for one in result.citations]) == (Status.COMPLETED, [pump]), result.reason
    assert written.count("Its number is 4711.") == 1, "a passage is said once"
    assert sent[0].text.startswith('probe:\n<passage id="')
    assert "\n\npump:\n<passage id=" in sent[0].text
    assert result.steps["both"].output is None
    assert pump in result.steps["both"].passages


async def test_a_member_that_goes_on_may_cite_what_it_found_before(
    serving: Served, handbook: Collection, filled: Path
) -> None:
    member = Agent(name="clerk", model="scripted/clerk", tools=[handbook.search(name="find")], output=Cited)
    other = Agent(name="other", model="scripted/other")
    team = Team(name="talk", members=[member, other], style="debate", model="scripted/judge", max_rounds=2)
    pump = pump_in(filled)
    script = {
        "clerk": [calls(("find", {"query": "pump upright"})), cited([pump]), cited([pump])],
        "other": ["No.", "Still no."],
        "judge": ["Upright."],
    }
    async with serving(App(team), script) as client:
        await (await client.ingest(handbook, filled)).result()
        result = await came_to(client, team, "How is the pump stored?")
    assert result.status is Status.COMPLETED, result.reason
    assert not any(step.rejected for step in result.steps.values())


async def test_an_agent_after_it_may_cite_what_was_found(serving: Served, handbook: Collection, filled: Path) -> None:
    writer = Agent(name="writer", model="scripted/m", output=Cited)
    chain = Chain(name="desk", steps=[Retrieve("found", handbook), writer])
    pump = pump_in(filled)
    script: list[Any] = [cited([pump])]
    async with serving(App(chain), script) as client:
        await (await client.ingest(handbook, filled)).result()
        result = await came_to(client, chain, "How is the pump stored?")
    assert (result.status, result.turns) == (Status.COMPLETED, 1), result.reason
    assert [(one.passage, one.quote) for one in result.citations] == [(pump, "The pump is stored upright.")]


async def test_filters_may_come_from_the_input(serving: Served, handbook: Collection, filled: Path) -> None:
    retrieve = Retrieve("found", handbook, query="{question}", filters={"team": "{team}", "year": {"from": 2025}})
    async with serving(App(retrieve)) as client:
        await (await client.ingest(handbook, filled / "probe.md", fields={"team": "ops", "year": 2026})).result()
        await (await client.ingest(handbook, filled / "pump.md", fields={"team": "core", "year": 2026})).result()
        result = await came_to(client, retrieve, {"question": "stored", "team": "core"})
        both = await came_to(client, retrieve, {"question": "stored", "team": ["core", "ops"]})
        wrong = await came_to(client, retrieve, {"question": "stored", "team": 7})
        with pytest.raises(SpecError, match="no such field in the input, which has the fields question"):
            await client.start(retrieve, {"question": "stored"})
    assert ("pump.md" in result.output, "probe.md" in result.output) == (True, False)
    assert len(both.passages) == 2
    assert (wrong.status, wrong.reason) == (Status.FAILED, "filters: team: 7 is not a text")


@pytest.mark.parametrize(
    ("rewrite", "said", "queries"),
    [
        ("multi-query", {"output": {"queries": ["pump upright", " ", "pump upright"]}}, ("pump upright",)),
        ("decomposition", {"output": {"queries": ["pump upright", "pump stored"]}}, ("pump upright", "pump stored")),
        ("hyde", "The pump is stored upright.", ("The pump is stored upright.",)),
    ],
)
async def test_a_model_rewrites_the_query(
    serving: Served, handbook: Collection, filled: Path, rewrite: Any, said: Any, queries: tuple[str, ...]
) -> None:
    retrieve = Retrieve("found", handbook, limit=1, rewrite=rewrite, model="scripted/m")
    async with serving(App(retrieve), [said]) as client:
        await (await client.ingest(handbook, filled)).result()
        run = await client.start(retrieve, "zebra")
        result = await run.result()
        events = [event async for event in run.events()]
    (event,) = (event for event in events if isinstance(event, RetrievalResponded))
    said_by_it = (event.hypothetical,) if rewrite == "hyde" else event.queries
    assert (event.query, said_by_it) == ("zebra", queries)
    assert (result.turns, result.cost_usd) == (1, 0.001)
    # Nothing but what the model wrote has a word of any passage.
    assert "pump.md" in result.output
    assert result.reason == ""


async def test_a_query_that_cannot_be_rewritten_is_searched_for_as_it_is(
    serving: Served, handbook: Collection, filled: Path
) -> None:
    retrieve = Retrieve("found", handbook, rewrite="multi-query", model="scripted/m")
    async with serving(App(retrieve), [{"error": "QuotaExceeded"}]) as client:
        await (await client.ingest(handbook, filled)).result()
        result = await came_to(client, retrieve, "pump")
    assert result.status is Status.COMPLETED
    assert result.passages
    assert result.reason.startswith("the query was not rewritten: failed: QuotaExceeded")


async def test_what_cannot_be_searched_ends_the_step(serving: Served, handbook: Collection) -> None:
    chain = Chain(name="desk", steps=[Retrieve("found", handbook), Prompt(name="p", template="{found}", model="s/m")])
    tenants = Collection(f"{handbook.name}-t", embedding=WORDS, partition="tenant")
    nobodys = Retrieve("nobodys", tenants)
    async with serving(App(chain, nobodys)) as client:
        result = await came_to(client, chain, "stored")
        long = await came_to(client, chain, "x" * 100_000)
        tenant = await came_to(client, nobodys, "stored")
    assert (result.status, long.status, tenant.status) == (Status.FAILED,) * 3
    assert f"step 'found': there is no collection '{handbook.name}' in the store" in result.reason
    assert "query: it has 100,000 characters and the limit is 8,000" in long.reason
    assert "is partitioned by tenant, and the run has none: start it with tenant=" in tenant.reason


async def test_it_may_be_cancelled(serving: Served, handbook: Collection, filled: Path) -> None:
    chain = Chain(
        name="desk",
        steps=[
            Retrieve("found", handbook, rewrite="hyde", model="scripted/m"),
            Prompt(name="p", template="{found}", model="scripted/m"),
        ],
    )
    async with serving(App(chain), [{"text": "Never.", "delay_seconds": 60}]) as client:
        await (await client.ingest(handbook, filled)).result()
        run = await client.start(chain, "stored")
        async for event in run.events():
            if isinstance(event, ModelRequested):
                break
        await run.cancel()
        result = await run.result()
    assert result.status is Status.CANCELLED


BOOK = Collection("code-first-book", embedding=WORDS, fields={"team": str})


@workflow.defn
class Asks:
    """Searches, and asks with what it found."""

    @workflow.run
    async def run(self, question: str) -> dict[str, Any]:
        found = await search(BOOK, question, limit=1, filters={"team": "core"})
        answer = await ask("scripted/m", [found.content, question], output=Cited)
        try:
            await search(BOOK, question, filters={"colour": "red"})
        except SpecError as error:
            wrong = str(error)
        return {
            "ids": [passage.id for passage in found.passages],
            "cited": [citation.passage for citation in answer.citations],
            "wrong": wrong,
        }


async def test_a_code_first_workflow_searches(serving: Served, filled: Path) -> None:
    pump = pump_in(filled)
    script: list[Any] = [cited([pump])]
    async with serving(App(collections=[BOOK], workflows=[Asks]), script) as client:
        await (await client.ingest(BOOK, filled, fields={"team": "core"})).result()
        run = await client.start(Asks, "how is the pump stored upright")
        events = [event async for event in run.events()]
        result = await run.result()
    assert result.status is Status.COMPLETED, result.reason
    assert result.output["ids"] == result.output["cited"] == [pump]
    assert "there is no field 'colour'; there are: team" in result.output["wrong"]
    (event,) = (event for event in events if isinstance(event, RetrievalResponded))
    assert event.path == f"Asks/{BOOK.name}"
