"""The ports of what texts become.

Dense vectors, sparse vectors, and what a reranker compares.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..prices.price import OnCharge
from .store.vector_store import SparseVector

OnProgress = Callable[[str], Awaitable[None]]
"""Takes note of how far a step is."""


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

        From -1 to 1, by the codes of each; 0 where the model has none.

        Blocks for microseconds a passage.
        """
        ...


class PassageEncoder(Protocol):
    """An embedding model, for the passages of collections.

    What is to be paid for is told as it comes, also where the call fails after all. A model of this machine costs
    nothing, and tells nothing.
    """

    async def dimensions(self, charge: OnCharge) -> int:
        """Return the length of its vectors. Raises as `passages`."""
        ...

    async def passages(self, texts: Sequence[str], charge: OnCharge) -> Sequence[EncodedPassage]:
        """Return each text as it is stored.

        Raises:
            SetupError: The model cannot be called here; says what to do.
            NotServedError: This worker lacks a key or an address; says what to set.
            ModelError: The call failed; its class says what to do about it.
        """
        ...

    async def queries(self, texts: Sequence[str], charge: OnCharge) -> Sequence[EncodedQuery]:
        """Return queries as passages are compared with them, by one call.

        Raises as `passages`.
        """
        ...


class SparseEncoder(Protocol):
    """Words and their weights."""

    def document(self, text: str) -> SparseVector:
        """Return the weights of the words of a passage."""
        ...

    def query(self, text: str) -> SparseVector:
        """Return the words of a query."""
        ...
