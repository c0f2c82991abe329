"""The examples do what their pages say, on the real local model, and validate with any other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import App, Client, Result, Status
from sostenuto.activities.adapters.embeddings.minilm import MiniLmEmbedder
from sostenuto.activities.adapters.local_model.adapter import LocalAdapter
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.activities.model_adapter import ModelAdapter
from sostenuto.clients.cli.app_loader import load_app
from sostenuto.contracts.wire.event import Event
from sostenuto.workers.served.activities import Services
from sostenuto.workers.stack.llama_server import LlamaServer
from sostenuto.workers.worker import build_worker

pytestmark = pytest.mark.local_model

EXAMPLES = Path(__file__).parents[3] / "examples"
LEASE = (EXAMPLES / "lease.txt").read_text()


class Bench:
    """Loads examples, and runs what is in them on workers of their own."""

    def __init__(self, temporal: TemporalClient, adapter: ModelAdapter, embedder: MiniLmEmbedder) -> None:
        self.temporal = temporal
        self._adapter = adapter
        self._embedder = embedder
        self._queues: dict[str, str] = {}
        self._stack = AsyncExitStack()

    async def serve(self, example: str) -> tuple[App, Client]:
        """The app of an example, and a client whose runs a worker of it takes."""
        app = load_app(f"{EXAMPLES / example}.py:app")
        client = Client(self.temporal, task_queue=f"{example}-{uuid4().hex[:8]}")
        worker = build_worker(
            self.temporal,
            app,
            {self._adapter.provider: self._adapter},
            lambda *_: 0.0,
            task_queue=client.task_queue,
            max_cached_runs=0,
            services=Services(embedder=self._embedder),
        )
        await self._stack.enter_async_context(worker)
        return app, client

    async def run(self, example: str, name: str, asked: str) -> tuple[Result, list[Event]]:
        """What a runnable of an example comes to, and its events."""
        app, client = await self.serve(example)
        run = await client.start(app.runnable(name), asked)
        return await run.result(), [event async for event in run.events()]

    async def close(self) -> None:
        """Stop the workers."""
        await self._stack.aclose()


@pytest.fixture
async def bench(
    temporal: TemporalClient, llama: LlamaServer, embedder: MiniLmEmbedder, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bench]:
    """Examples without keys, on the local model."""
    monkeypatch.delenv("SOSTENUTO_MODEL", raising=False)
    adapter = LocalAdapter(base_url=llama.address, embedder=embedder)
    found = Bench(temporal, adapter, embedder)
    yield found
    await found.close()
    await adapter.close()


def of_type(events: list[Event], kind: str) -> list[Any]:
    return [event for event in events if event.type == kind]


@pytest.mark.parametrize(
    ("question", "route", "tool", "said"),
    [
        ("Where is order A-1042?", "shipping", "order_status", "on its way"),
        ("How was A-1077 paid?", "billing", "invoice", "bank transfer"),
        ("My lamp flickers, what can I do?", "repairs", "search_manual", "without one"),
    ],
)
async def test_the_support_desk_routes_and_looks_up(
    bench: Bench, question: str, route: str, tool: str, said: str
) -> None:
    result, events = await bench.run("support_desk", "desk", question)
    assert result.status is Status.COMPLETED
    (chosen,) = of_type(events, "route.chosen")
    assert (chosen.route, chosen.strategy) == (route, "embedding")
    assert [event.member for event in of_type(events, "member.started")] == [route]
    assert [(event.name, event.is_error) for event in of_type(events, "tool.responded")] == [(tool, False)]
    assert said in result.output


async def test_a_refund_of_the_support_desk_is_decided_and_undone(
    temporal: TemporalClient, embedder: MiniLmEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOSTENUTO_MODEL", "scripted/any")
    refund = [{"name": "refund", "arguments": {"order_id": "A-1077"}}]
    bench = Bench(temporal, ScriptedAdapter([{"tool_calls": refund}, {"text": "never", "hangs": True}]), embedder)
    app, client = await bench.serve("support_desk")
    run = await client.start(app.runnable("desk"), "Give me my money back for order A-1077.")
    async for event in run.events():
        if event.type == "approval.requested":
            await run.approve(event.call_id, by="ann")
        if event.type == "tool.responded":
            await run.cancel(compensate=True)
            break
    result = await run.result()
    await bench.close()
    assert result.status is Status.CANCELLED
    assert result.compensated
    assert [(one.path, one.tool, one.by) for one in result.compensated.effects] == [
        ("desk/billing", "refund", "stop_refund")
    ]
    assert result.compensated.is_complete
    assert "349.00 EUR go back" in result.compensated.effects[0].reason


async def test_the_research_team_works_at_once_and_reports_every_finding(bench: Bench) -> None:
    asked = "Report on the finances, logistics and quality of Brightwater."
    result, events = await bench.run("research_team", "research", asked)
    assert result.status is Status.COMPLETED
    assert set(result.steps) == {"finances", "logistics", "quality", "writer"}
    started, finished = of_type(events, "member.started"), of_type(events, "member.finished")
    assert {event.member for event in started} == {"finances", "logistics", "quality"}
    assert max(event.at for event in started) < min(event.at for event in finished)
    assert {event.name for event in of_type(events, "tool.responded")} == {"accounts", "punctuality", "quality_tests"}
    for fact in ("5.6 million EUR", "98 %", "In March 2 of 1,000 pumps leaked."):
        assert fact in result.output


async def test_the_document_chain_extracts_and_quotes(bench: Bench) -> None:
    result, _ = await bench.run("document_chain", "lease", LEASE)
    assert result.status is Status.COMPLETED
    terms = result.steps["terms"].output
    assert terms == {
        "tenant": "Jane Doe",
        "begins": "2026-03-01",
        "ends": "2027-02-28",
        "rent": 1250,
        "deposit": 1440,
    }
    assert result.steps["terms"].rejected == ()
    sentences = [sentence for sentence in result.output.split(". ") if sentence]
    assert len(sentences) == 2
    assert all(sentence.rstrip(".") in " ".join(LEASE.split()) for sentence in sentences)


async def test_the_document_chain_ends_where_validation_fails_for_good(bench: Bench) -> None:
    result, _ = await bench.run("document_chain", "lease", LEASE.replace("1440", "9000"))
    assert result.status is Status.FAILED
    assert "step 'terms': the answer does not fit" in result.reason
    assert "the deposit of 9000 is not between 0 and two months of rent, 2500" in result.reason
    assert list(result.steps) == ["terms"]
    assert len(result.steps["terms"].rejected) == 3


async def test_plain_python_reads_the_whole_inbox(bench: Bench) -> None:
    app, client = await bench.serve("code_first")
    (workflow,) = app.workflows
    result = await (await client.start(workflow, "support")).result()
    assert result.status is Status.COMPLETED
    assert result.output.praise == 2
    assert result.output.answers == {
        "The lamp flickers since yesterday.": "Plug the lamp into a socket without a dimmer.",
        "My desk wobbles, what can I do?": "Tighten the four bolts under the desk top.",
    }


async def test_the_chat_goes_on_from_what_was_said(bench: Bench) -> None:
    app, client = await bench.serve("chat")
    chat = await client.chat(app.runnable("support"))
    asked = ["Where is order A-1042?", "And A-1077?", "When is the shop in Porto open?"]
    results = [await chat.send(question) for question in asked]
    assert [result.status for result in results] == [Status.COMPLETED] * 3
    for result, fact in zip(results, ("1 December", "12 November", "from 9 to 18"), strict=True):
        assert fact in result.output
    called = [call for message in await chat.transcript() for call in message.tool_calls]
    assert [(call.name, call.arguments) for call in called] == [
        ("order_status", {"order_id": "A-1042"}),
        ("order_status", {"order_id": "A-1077"}),
        ("opening_hours", {"city": "Porto"}),
    ]


PLAN = {"tasks": [{"member": "finances", "task": "Look.", "needs": []}], "answer": ""}
TERMS = {"tenant": "Jane", "begins": "2026-01-01", "ends": "2026-12-31", "rent": 1000, "deposit": 900}


@pytest.mark.parametrize(
    ("example", "name", "step"),
    [
        ("chat", "support", "Done."),
        ("support_desk", "desk", "Done."),
        ("research_team", "research", PLAN),
        ("document_chain", "lease", TERMS),
    ],
)
async def test_they_run_unchanged_on_another_model(
    temporal: TemporalClient,
    embedder: MiniLmEmbedder,
    monkeypatch: pytest.MonkeyPatch,
    example: str,
    name: str,
    step: Any,
) -> None:
    monkeypatch.setenv("SOSTENUTO_MODEL", "scripted/any")
    script: list[Any] = [step if isinstance(step, str) else {"output": step}]
    bench = Bench(temporal, ScriptedAdapter(script), embedder)
    result, events = await bench.run(example, name, "Where is my parcel?")
    await bench.close()
    assert result.status is Status.COMPLETED
    assert {event.model for event in of_type(events, "model.responded")} == {"scripted/any"}


@pytest.mark.parametrize(
    "example", ["ask_docs", "chat", "docs_agent", "support_desk", "research_team", "document_chain", "code_first"]
)
def test_every_example_takes_a_provider_whose_key_is_there(example: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOSTENUTO_MODEL", raising=False)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a key")
    app = load_app(f"{EXAMPLES / example}.py:app")
    assert {model.provider for node in app.walk() for model in node.models.values()} == {"anthropic"}
