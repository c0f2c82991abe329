"""The ports of what texts become.

Dense vectors, sparse vectors, and what a reranker compares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from .vector_store import SparseVector


@dataclass(frozen=True, slots=True)
class EncodedPassage:
    """A passage as it is stored."""

    dense: str
    """As `Point.dense`."""
    codes: str = ""
    """What `EncodedQuery.closeness` compares, in base64; empty where the model has none."""


class EncodedQuery(Protocol):
    """A query as passages are compared with it."""

    @property
    def dense(self) -> str:
        """As `Point.dense`."""
        ...

    def closeness(self, codes: Sequence[str]) -> Sequence[float]:
        """Return how close each passage is to the query, word by word.

        From -1 to 1, by the codes of each.

        Blocks for microseconds a passage.
        """
        ...


class PassageEncoder(Protocol):
    """An embedding model, for the passages of collections."""

    async def dimensions(self) -> int:
        """Return the length of its vectors."""
        ...

    async def passages(self, texts: Sequence[str]) -> Sequence[EncodedPassage]:
        """Return each text as it is stored.

        Raises:
            SetupError: The model cannot be called here; says what to do.
            ModelError: The call failed; its class says what to do about it.
        """
        ...

    async def query(self, text: str) -> EncodedQuery:
        """Return a query as passages are compared with it. Raises as `passages`."""
        ...


class SparseEncoder(Protocol):
    """Words and their weights."""

    def document(self, text: str) -> SparseVector:
        """Return the weights of the words of a passage."""
        ...

    def query(self, text: str) -> SparseVector:
        """Return the words of a query."""
        ...


def embedded_text(headings: Sequence[str], text: str) -> str:
    """Return what is embedded of a passage.

    A piece of a document says little without its headings.
    """
    return f"{' > '.join(headings)}\n{text.strip()}" if headings else text.strip()
