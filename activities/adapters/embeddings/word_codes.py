"""The words of a text as vectors, and how close two texts are word by word.

A number of a vector takes four bits.

Late interaction: each word of a query looks for its nearest word in a passage, and the mean of those is the closeness
(Khattab and Zaharia, ColBERT, 2020). The vectors of a word's pieces are averaged, and the commonest words are left out.
Four bits a number order passages as well as floats did in `benchmarks/retrieval.py`, in an eighth of the room.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

WordVectors = NDArray[np.float32]
"""One row per word, of length 1."""

_LEVELS: Final = 7
# fmt: off
_COMMON: Final = frozenset((
    "a", "an", "the", "of", "to", "in", "on", "at", "by", "for", "from", "with", "and", "or", "as", "is", "are",
    "was", "were", "be", "been", "it", "its", "this", "that", "these", "those", "what", "which", "who", "whom", "how",
    "when", "where", "why", "do", "does", "did", "has", "have", "had", "not", "no", "can", "could", "may", "might",
    "will", "would", "should", "shall", "i", "you", "he", "she", "we", "they", "me", "my", "your", "our", "their",
    "there", "here", "than", "then", "so", "if", "but", "about", "into", "over", "under", "after", "before",
    "between",
))
# fmt: on


def word_vectors(vectors: WordVectors, pieces: Sequence[str], words: Sequence[int | None]) -> WordVectors:
    """Return one vector for each word of a text that says something.

    Args:
        vectors: One per piece of a word.
        pieces: The pieces, as the tokenizer writes them: those that go on begin with `##`.
        words: Which word each piece belongs to; None for what the model adds.
    """
    groups: dict[int, list[int]] = {}
    for index, word in enumerate(words):
        if word is not None:
            groups.setdefault(word, []).append(index)
    kept = [rows for rows in groups.values() if _says_something("".join(pieces[row] for row in rows))]
    # A text of common words alone is compared by those.
    chosen = kept or list(groups.values())
    if not chosen:
        return np.zeros((0, vectors.shape[1]), dtype=np.float32)
    means = np.stack([vectors[rows].mean(axis=0) for rows in chosen])
    unit: WordVectors = means / np.linalg.norm(means, axis=1, keepdims=True)
    return unit


def encoded(vectors: WordVectors) -> str:
    """Return word vectors as text, two numbers a byte; their lengths are not kept."""
    if not len(vectors):
        return ""
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    levels = (np.rint(vectors / largest * _LEVELS) + _LEVELS).astype(np.uint8)
    return base64.b64encode((levels[:, ::2] << 4 | levels[:, 1::2]).tobytes()).decode("ascii")


def decoded(codes: str, dimensions: int) -> WordVectors:
    """Return the word vectors of a text of codes, each of length 1.

    Raises:
        ValueError: They are of another length.
    """
    packed = np.frombuffer(base64.b64decode(codes), dtype=np.uint8).reshape(-1, dimensions // 2)
    levels = np.empty((len(packed), dimensions), dtype=np.float32)
    levels[:, ::2], levels[:, 1::2] = packed >> 4, packed & 15
    levels -= _LEVELS
    unit: WordVectors = levels / np.maximum(np.linalg.norm(levels, axis=1, keepdims=True), 1e-9)
    return unit


def closeness(query: WordVectors, codes: str) -> float:
    """Return how close a passage is to a query, -1 to 1; 0 where either has no words."""
    if not codes or not len(query):
        return 0.0
    passage = decoded(codes, query.shape[1])
    return float((query @ passage.T).max(axis=1).mean())


def _says_something(word: str) -> bool:
    plain = word.replace("##", "")
    return plain.casefold() not in _COMMON and any(character.isalnum() for character in plain)
