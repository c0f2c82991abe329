from pathlib import Path

import numpy as np
import pytest

from sostenuto.activities.adapters.embeddings.minilm import DIMENSIONS, MiniLmEmbedder
from sostenuto.contracts.errors import SetupError

pytestmark = pytest.mark.local_model


async def test_vectors_have_length_one(embedder: MiniLmEmbedder) -> None:
    vectors = await embedder.embed(["a", "", "a much longer text, " * 200])
    assert vectors.shape == (3, DIMENSIONS)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


async def test_no_text_gives_no_vector(embedder: MiniLmEmbedder) -> None:
    assert (await embedder.embed([])).shape == (0, DIMENSIONS)


async def test_order_and_company_do_not_matter(embedder: MiniLmEmbedder) -> None:
    """Texts are sorted and padded in batches; each must come out as if it were alone."""
    texts = [f"{'word ' * (i * 7 % 23)}number {i}" for i in range(20)]
    together = await embedder.embed(texts)
    for text, vector in zip(texts, together, strict=True):
        assert np.allclose((await embedder.embed([text]))[0], vector, atol=1e-5)


async def test_meaning_is_close_to_meaning(embedder: MiniLmEmbedder) -> None:
    question, near, far = await embedder.embed(
        ["Is it raining in Rome?", "The current weather in a city.", "Pay the money back."]
    )
    assert question @ near > 0.3 > question @ far


async def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"model.onnx is missing: run `sostenuto pull`"):
        await MiniLmEmbedder(tmp_path / "model.onnx", tmp_path / "tokenizer.json").embed(["a"])
