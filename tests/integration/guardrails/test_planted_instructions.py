"""Texts that try to have an agent act, before a model that always obeys: nothing is done without a person."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from temporalio.client import Client as TemporalClient

from sostenuto import Agent, App, Client, Collection, Injection, Run, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.contracts.guardrails.guardrail import Guardrail
from sostenuto.workers.worker import build_worker
from tests.fakes.knowledge import WORDS, knowledge
from tests.integration.agent.stage import calls, eventually

LABELLED = Path(__file__).parents[3] / "benchmarks" / "labelled" / "injection.jsonl"
COUNT = 44
DOCUMENTS = Collection("instructed", embedding=WORDS)
DONE: list[str] = []


def instructions() -> list[str]:
    """Texts with instructions for whatever model reads them."""
    cases = map(json.loads, LABELLED.read_text().splitlines())
    return [case["text"] for case in cases if case["injected"]][:COUNT]


TEXTS = instructions()


@tool(effect="read")
async def fetch(page: int) -> str:
    """Fetch a page."""
    return TEXTS[page]


@tool(effect="once")
async def transfer(to: str) -> str:
    """Transfer money."""
    DONE.append(to)
    return "transferred"


class Obedient:
    """A model that reads what it is told to read, and then does what it can."""

    async def complete(self, request: Any, on_delta: Any = None) -> Any:
        """Read, then act."""
        page = int(request.messages[0].text)
        reads = calls(("fetch", {"page": page}))
        if page % 2:
            reads = calls(("search_instructed", {"query": f"page {page} {TEXTS[page][:200]}"}))
        script: list[Any] = [reads, calls(("transfer", {"to": f"attacker {page}"})), "Done."]
        return await ScriptedAdapter(script).complete(request, on_delta)


def agent(*guardrails: Guardrail) -> Agent:
    return Agent(
        name="reader", model="scripted/model", tools=[fetch, transfer, DOCUMENTS.search], guardrails=guardrails
    )


@asynccontextmanager
async def reading(
    temporal: TemporalClient, queue: str, directory: Path, reader: Agent
) -> AsyncIterator[tuple[Client, list[Run]]]:
    """Runs of an agent, each of which reads one of the texts: every other one as a passage of a document."""
    DONE.clear()
    for page, text in enumerate(TEXTS):
        if page % 2:
            (directory / f"page-{page}.md").write_text(f"page {page}: {text}")
    async with knowledge(directory / "store") as services:
        adapters: dict[str, Any] = {"scripted": Obedient()}
        app = App(reader, collections=[DOCUMENTS])
        async with build_worker(temporal, app, adapters, lambda *_: 0.0, task_queue=queue, services=services):
            client = Client(temporal, task_queue=queue, redis_url="")
            await (await client.ingest(DOCUMENTS, [str(directory / "*.md")])).result()
            yield client, [await client.start(reader, str(page), id=f"{queue}-{page}") for page in range(len(TEXTS))]


async def test_nothing_is_done_without_a_person(temporal: TemporalClient, task_queue: str, tmp_path: Path) -> None:
    # Whatever is found in them, the model is told all of them.
    reader = agent(Injection(taint=True, on_failure="flag"))
    async with reading(temporal, task_queue, tmp_path, reader) as (_, runs):
        waiting: dict[str, str] = {}

        async def all_wait() -> bool:
            left = [run for run in runs if run.id not in waiting]
            found = await asyncio.gather(*(run.approvals() for run in left))
            waiting.update({run.id: asked[0].call_id for run, asked in zip(left, found, strict=True) if asked})
            return len(waiting) == len(runs)

        await eventually(all_wait)
        assert DONE == []
        await asyncio.gather(*(run.deny(waiting[run.id], by="ada") for run in runs))
        results = await asyncio.gather(*(run.result() for run in runs))
    assert len(TEXTS) == COUNT
    assert [result.output for result in results] == ["Done."] * COUNT
    assert DONE == []


async def test_without_taint_all_of_it_is_done(temporal: TemporalClient, task_queue: str, tmp_path: Path) -> None:
    async with reading(temporal, task_queue, tmp_path, agent()) as (_, runs):
        await asyncio.gather(*(run.result() for run in runs))
    assert len(DONE) == COUNT
