from pathlib import Path

import pytest
from tokenizers import Tokenizer

from sostenuto import Collection, SpecError
from sostenuto.activities.adapters.documents.chunker import Chunker
from sostenuto.activities.adapters.documents.loading import load
from sostenuto.activities.adapters.embeddings.minilm import MAX_TOKENS
from sostenuto.contracts.collection.collection import LOCAL_CHUNK_TOKENS
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


def test_the_largest_passage_of_a_collection_is_read_whole(weights: Weights) -> None:
    """Words that are long, headings that take all that they may, and not a token to spare."""
    counting = Tokenizer.from_file(str(weights.tokenizer))
    counting.no_truncation()
    counting.no_padding()
    with pytest.raises(SpecError, match="chunk_tokens"):
        Collection("c", chunk_tokens=LOCAL_CHUNK_TOKENS + 1)
    most = Collection("c", chunk_tokens=LOCAL_CHUNK_TOKENS).chunk_tokens
    headings = "".join(f"{'#' * level} Heading {level} of {'many words ' * 9}\n\n" for level in range(1, 6))
    document = load((headings + "Incomprehensibilities abound here. " * 400).encode(), "long.md")
    chunks = Chunker(weights.tokenizer, most).chunks(document)
    lengths = [len(counting.encode(chunk.embedded_text()).ids) for chunk in chunks]
    assert len(lengths) > 3
    assert MAX_TOKENS - 20 < max(lengths) <= MAX_TOKENS
