"""The words of a text as vectors, and how close two texts are word by word.

A number of a vector takes four bits.

Late interaction: each word of a query looks for its nearest word in a passage, and the mean of those is the closeness
(Khattab and Zaharia, ColBERT, 2020). The vectors of a word's pieces are averaged, and the commonest words are left out.
Four bits a number order passages as well as floats did in `benchmarks/retrieval.py`, in an eighth of the room.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

WordVectors = NDArray[np.float32]
"""One row per word, of length 1."""

_LEVELS: Final = 7
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

# Of a larger product OpenBLAS makes several threads, which wait for each other longer than they work.
_ONE_THREAD: Final = 262_144
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


def closeness(query: WordVectors, codes: Sequence[str]) -> list[float]:
    """Return how close each passage is to a query.

    From -1 to 1; 0 where either has no words. Its words have a multiple of six numbers.

    The texts are not decoded: a table has what every two characters of base64 stand for, which are three numbers, and
    beside them the sum of their squares. So one product of matrices gives the products with the words of the query, and
    the lengths.
    """
    count, dimensions = query.shape
    if not count:
        return [0.0 for _ in codes]
    wide = np.zeros((count + 1, dimensions // 3, 4), dtype=np.float32)
    wide[:count, :, :3] = query.reshape(count, -1, 3)
    wide[count, :, 3] = 1
    weights = np.ascontiguousarray(wide.reshape(count + 1, -1).T)
    return [_closeness(weights, one, dimensions // 3) if one else 0.0 for one in codes]


def _closeness(weights: WordVectors, codes: str, groups: int) -> float:
    pairs = np.frombuffer(codes.encode("ascii"), dtype="<u2").reshape(-1, groups)
    nearest = np.full(weights.shape[1] - 1, -1, dtype=np.float32)
    rows = max(1, _ONE_THREAD // weights.size)
    for start in range(0, len(pairs), rows):
        products = _of_pairs().take(pairs[start : start + rows]).view(np.float32) @ weights
        lengths = np.sqrt(np.maximum(products[:, -1:], 1))
        np.maximum(nearest, (products[:, :-1] / lengths).max(axis=0), out=nearest)
    return float(nearest.mean())


@cache
def _of_pairs() -> NDArray[np.complex128]:
    """Return three numbers and the sum of their squares for each two characters.

    They are one number of 16 bytes.
    """
    characters = np.frombuffer(_BASE64, dtype=np.uint8).astype(np.uint32)
    places = characters[:, None] | characters[None, :] << 8
    bits = np.arange(64)[:, None] << 6 | np.arange(64)[None, :]
    levels = np.stack([bits >> 8, bits >> 4 & 15, bits & 15], axis=-1).astype(np.float32) - _LEVELS
    table = np.zeros((65_536, 4), dtype=np.float32)
    table[places, :3], table[places, 3] = levels, (levels**2).sum(axis=-1)
    return table.reshape(-1).view(np.complex128)


def _says_something(word: str) -> bool:
    plain = word.replace("##", "")
    return plain.casefold() not in _COMMON and any(character.isalnum() for character in plain)
