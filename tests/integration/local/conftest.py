"""The real local model and embedder. Nothing here is skipped: without the weights the tests fail and say so."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sostenuto.activities.adapters.embeddings.minilm import MiniLmEmbedder
from sostenuto.workers.stack.llama_server import LlamaServer
from sostenuto.workers.stack.weights import Weights

STATE_DIR = Path(__file__).parents[3] / ".sostenuto"


@pytest.fixture(scope="session")
def weights() -> Weights:
    return Weights.find(STATE_DIR)


@pytest.fixture(scope="session")
async def llama(weights: Weights) -> AsyncIterator[LlamaServer]:
    async with LlamaServer(weights.model) as server:
        yield server


@pytest.fixture(scope="session")
def embedder(weights: Weights) -> MiniLmEmbedder:
    return MiniLmEmbedder(weights.embedding_model, weights.tokenizer)
