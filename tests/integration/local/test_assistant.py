"""The assistant of the examples remembers across chats, on the embedded embedding and the local model."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import Client, MemoryRecalled, Status
from sostenuto.activities.adapters.embeddings.minilm import MiniLmEmbedder
from sostenuto.activities.adapters.local_model.adapter import LocalAdapter
from sostenuto.clients.cli.app_loader import load_app
from sostenuto.workers.knowledge import knowledge_of
from sostenuto.workers.providers import build_embedder
from sostenuto.workers.served.activities import Services
from sostenuto.workers.settings import Settings
from sostenuto.workers.stack.llama_server import LlamaServer
from sostenuto.workers.stack.weights import Weights
from sostenuto.workers.worker import build_worker

pytestmark = pytest.mark.local_model

EXAMPLES = Path(__file__).parents[3] / "examples"


async def test_what_one_chat_is_told_another_one_knows(
    temporal: TemporalClient,
    llama: LlamaServer,
    embedder: MiniLmEmbedder,
    weights: Weights,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("SOSTENUTO_MODEL", "SOSTENUTO_EXTRACT"):
        monkeypatch.delenv(name, raising=False)
    app = load_app(f"{EXAMPLES / 'assistant'}.py:app")
    settings = Settings(state_dir=tmp_path)
    await asyncio.to_thread((tmp_path / "weights").symlink_to, weights.model.absolute().parent)
    adapter = LocalAdapter(base_url=llama.address, embedder=embedder)
    queue, user = f"assistant-{uuid4().hex[:8]}", uuid4().hex[:8]
    async with knowledge_of(app, settings, build_embedder(settings), {}, None) as (knowledge, _):
        worker = build_worker(
            temporal,
            app,
            {"local": adapter},
            lambda *_: 0.0,
            task_queue=queue,
            services=Services(embedder=embedder, knowledge=knowledge),
        )
        async with worker:
            client = Client(temporal, task_queue=queue)
            assistant = app.runnable("assistant")
            first = await client.chat(assistant, context={"user": user})
            for text in ("I live in Berlin and I'm allergic to peanuts.", "I have moved to Munich."):
                assert (await first.send(text)).status is Status.COMPLETED
            await first.end()
            second = await client.chat(assistant, context={"user": user})
            answer = await second.send("In which city do I live?")
            await second.end()
            recalled = [event async for event in second.events() if isinstance(event, MemoryRecalled)]
            assert [one.text for one in recalled[0].memories] == [
                "The user lives in Munich.",
                "The user is allergic to peanuts.",
            ]
            past = await client.memory("people", f"user:{user}").list(superseded=True)
            assert {one.text for one in past if not one.counts} == {"The user lives in Berlin."}
    await adapter.close()
    assert answer.status is Status.COMPLETED
    assert "Munich" in answer.output
