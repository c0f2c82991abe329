from pathlib import Path

import pytest
from tokenizers import Tokenizer

from sostenuto.activities.adapters.documents.chunker import Chunker
from sostenuto.activities.adapters.documents.loading import load
from sostenuto.activities.adapters.embeddings.minilm import MAX_TOKENS
from sostenuto.workers.stack.weights import Weights

pytestmark = pytest.mark.local_model

DOCS = Path(__file__).parents[3] / "docs"


def test_the_embedder_takes_every_chunk_of_our_own_pages_whole(weights: Weights) -> None:
    counting = Tokenizer.from_file(str(weights.tokenizer))
    counting.no_truncation()
    counting.no_padding()
    chunker = Chunker(weights.tokenizer)
    lengths = []
    for page in sorted(DOCS.glob("*.md")):
        chunks = chunker.chunks(load(page.read_bytes(), page.name))
        assert {chunk.headings[:1] for chunk in chunks} != {()}
        # With the two tokens that the model adds.
        lengths += [len(counting.encode(chunk.embedded_text()).ids) for chunk in chunks]
    assert len(lengths) > 100
    assert max(lengths) <= MAX_TOKENS
    assert sum(lengths) / len(lengths) > 100
