"""Words and their weights by BM25, as Qdrant's own encoder has them.

They are English stems, without stop words.
"""

from __future__ import annotations

from typing import Final

import qdrant_edge as edge

from ...knowledge.store.vector_store import SparseVector

MEAN_WORDS: Final = 110.0
"""Words of a passage of usual length: longer ones weigh each of theirs less."""


class Bm25Encoder:
    """The sparse encoder of every collection."""

    def __init__(self) -> None:
        self._model = edge.Bm25(edge.Bm25Config(avg_len=MEAN_WORDS))

    def document(self, text: str) -> SparseVector:
        """Return the weights of the words of a passage."""
        return _vector(self._model.embed_document(text))

    def query(self, text: str) -> SparseVector:
        """Return the words of a query."""
        return _vector(self._model.embed_query(text))


def _vector(found: edge.SparseVector) -> SparseVector:
    return SparseVector(indices=tuple(found.indices), values=tuple(found.values))
