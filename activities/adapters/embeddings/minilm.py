"""Local sentence embeddings: MiniLM on onnxruntime.

Loads nothing until the first text, and never calls out.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ....contracts.errors import SetupError
from .word_codes import WordVectors, word_vectors

TextVectors = NDArray[np.float32]
"""One row per text, of length 1: the dot product of two rows is their cosine."""

DIMENSIONS: Final = 384
MAX_TOKENS: Final = 256
"""Longer texts are cut: the model was trained for no more."""

# Larger batches were slower on texts of mixed length, which are padded to the longest.
_BATCH: Final = 8


@dataclass(frozen=True, slots=True)
class EmbeddedWords:
    """A text and its words."""

    text: NDArray[np.float32]
    """Of length 1."""
    words: WordVectors


class MiniLmEmbedder:
    """Turns texts into vectors whose cosine says how close their meanings are.

    Args:
        model: ONNX file that `sostenuto pull` fetches.
        tokenizer: Its `tokenizer.json`.
    """

    def __init__(self, model: Path, tokenizer: Path) -> None:
        self._model_path = model
        self._tokenizer_path = tokenizer
        self._lock = threading.Lock()
        self._session: Any = None
        self._tokenizer: Any = None

    async def embed(self, texts: Sequence[str]) -> TextVectors:
        """Return one vector of 384 numbers per text, in their order.

        Computed in a thread.

        Raises:
            SetupError: The weights or the packages that run them are missing.
        """
        if not texts:
            return np.zeros((0, DIMENSIONS), dtype=np.float32)
        return await asyncio.to_thread(self._embed, list(texts))

    async def embed_words(self, texts: Sequence[str]) -> Sequence[EmbeddedWords]:
        """Return the vector of each text, and those of its words.

        Computed in a thread. Raises as `embed`.
        """
        return await asyncio.to_thread(self._embed_words, list(texts)) if texts else ()

    def _embed(self, texts: list[str]) -> TextVectors:
        vectors = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        for batch in self._batches(texts):
            tokens, mask, _ = self._run([texts[i] for i in batch])
            vectors[batch] = _means(tokens, mask)
        return vectors

    def _embed_words(self, texts: list[str]) -> list[EmbeddedWords]:
        found: dict[int, EmbeddedWords] = {}
        for batch in self._batches(texts):
            tokens, mask, encoded = self._run([texts[i] for i in batch])
            means = _means(tokens, mask)
            for row, index in enumerate(batch):
                length = int(mask[row].sum())
                text = encoded[row]
                words = word_vectors(tokens[row][:length], text.tokens[:length], text.word_ids[:length])
                found[index] = EmbeddedWords(means[row], words)
        return [found[index] for index in range(len(texts))]

    def _batches(self, texts: list[str]) -> list[list[int]]:
        with self._lock:
            if self._session is None:
                self._load()
        # By length, so that few texts are padded.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        return [order[start : start + _BATCH] for start in range(0, len(order), _BATCH)]

    def _run(self, texts: list[str]) -> tuple[NDArray[np.float32], NDArray[np.int64], list[Any]]:
        """Return the vectors of all tokens, which of them are there, and what they are."""
        encoded = self._tokenizer.encode_batch(texts)
        ids = np.array([text.ids for text in encoded], dtype=np.int64)
        mask = np.array([text.attention_mask for text in encoded], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (tokens,) = self._session.run(["last_hidden_state"], inputs)
        return tokens, mask, encoded

    def _load(self) -> None:
        for path in (self._model_path, self._tokenizer_path):
            if not path.is_file():
                raise SetupError(f"the local embedder's file {path} is missing: run `sostenuto pull`")
        try:
            import onnxruntime  # noqa: PLC0415 - heavy, and only for those who embed
            import tokenizers  # noqa: PLC0415
        except ImportError as error:
            raise SetupError(
                f"the local embedder cannot be loaded ({error}): pip install 'sostenuto[local]'"
            ) from error
        tokenizer = tokenizers.Tokenizer.from_file(str(self._tokenizer_path))
        tokenizer.enable_truncation(MAX_TOKENS)
        tokenizer.enable_padding()
        self._tokenizer = tokenizer
        options = onnxruntime.SessionOptions()
        # Its threads would wait for each other by spinning, and keep the cores from those who work.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(self._model_path), options, providers=["CPUExecutionProvider"])


def _means(tokens: NDArray[np.float32], mask: NDArray[np.int64]) -> TextVectors:
    sums: TextVectors = (tokens * mask[:, :, None]).sum(axis=1)
    # The mean's denominator falls away: only the direction is kept.
    unit: TextVectors = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return unit
