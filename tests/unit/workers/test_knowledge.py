"""What a worker has for its collections."""

from __future__ import annotations

from pathlib import Path

import pytest

from sostenuto import Agent, App, Collection
from sostenuto.activities.not_served import NotServedError
from sostenuto.contracts.collection.document import Document
from sostenuto.workers.knowledge import knowledge_of
from sostenuto.workers.providers import build_embedder
from sostenuto.workers.settings import Settings


async def test_without_weights_documents_are_cut_for_the_embedding_models_of_others(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "state")
    app = App(Agent(name="a", model="scripted/m"), collections=[Collection("c", embedding="openai/e")])
    async with knowledge_of(app, settings, build_embedder(settings), {}, None) as (knowledge, reading):
        assert knowledge
        assert reading
        chunks = reading.cutter("openai/e", 50).chunks(Document(text="It rains. " * 100))
        assert len(chunks) > 3
        with pytest.raises(NotServedError, match=r"cannot cut documents for local/minilm: .*sostenuto pull"):
            reading.cutter("local/minilm", 50)
