"""Finds what the sentences of an answer rest on, by the closeness of meanings.

The local model cannot say it. Closeness is not proof: it says what a sentence is like, not that it follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ...embeddings.minilm import MiniLmEmbedder
from ..passages import Sentence, rare_words_in_common, split

# Set by `benchmarks/attribution.py`: of 65 short answers 38 were attributed to a passage that has them and 2 to others
# alone; and 5, where that passage was taken away.
SUPPORTED: Final = 0.6
_TIED: Final = 0.02
_MOST_PASSAGES: Final = 3


@dataclass(frozen=True, slots=True)
class Attributed:
    """A sentence of an answer, and the passages that it rests on."""

    text: str
    passages: tuple[str, ...]
    """Their ids, the closest first."""


async def attributed(answer: str, found: Sequence[Sentence], embedder: MiniLmEmbedder) -> list[Attributed]:
    """Return the sentences of an answer, each with what supports it.

    A sentence that is close to none is left out.

    Args:
        answer: What was said.
        found: The sentences of the passages.
        embedder: Compares meanings.
    """
    said = [sentence.text for sentence in split(answer)]
    citable = [sentence for sentence in found if sentence.passage]
    if not citable:
        return []
    texts = [sentence.text for sentence in citable]
    vectors = await embedder.embed([*said, *texts])
    similar = vectors[: len(said)] @ vectors[len(said) :].T
    claims = []
    for text, row in zip(said, similar, strict=True):
        common = rare_words_in_common(text, texts)
        close = [float(one) + more for one, more in zip(row, common, strict=True)]
        if passages := _closest(citable, close):
            claims.append(Attributed(text, passages))
    return claims


def _closest(sentences: Sequence[Sentence], close: Sequence[float]) -> tuple[str, ...]:
    best: dict[str, float] = {}
    for sentence, score in zip(sentences, close, strict=True):
        best[sentence.passage] = max(score, best.get(sentence.passage, score))
    # What says the same as well as the best does is cited too.
    enough = max(SUPPORTED, max(best.values()) - _TIED)
    ranked = sorted((passage for passage, score in best.items() if score >= enough), key=lambda one: -best[one])
    return tuple(ranked[:_MOST_PASSAGES])
