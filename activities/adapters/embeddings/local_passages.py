"""Passages and queries as MiniLM embeds them: whole, and word by word."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...knowledge.encoding import EncodedPassage
from ...knowledge.store.vectors import vector_text
from ...prices.price import OnCharge
from .minilm import DIMENSIONS, MiniLmEmbedder
from .word_codes import WordVectors, closeness, encoded


class LocalPassages:
    """The encoder `local/minilm`.

    Args:
        built: Returns the model, loaded where it was not yet.
    """

    def __init__(self, built: Callable[[], MiniLmEmbedder]) -> None:
        self._built = built

    async def dimensions(self, charge: OnCharge) -> int:  # noqa: ARG002 - it costs nothing
        """Return the length of its vectors."""
        return DIMENSIONS

    async def passages(self, texts: Sequence[str], charge: OnCharge) -> Sequence[EncodedPassage]:  # noqa: ARG002
        """Return each text as it is stored."""
        model = await asyncio.to_thread(self._built)
        found = await model.embed_words(texts)
        return [EncodedPassage(vector_text(one.text.tolist()), encoded(one.words)) for one in found]

    async def queries(self, texts: Sequence[str], charge: OnCharge) -> Sequence[LocalQuery]:  # noqa: ARG002
        """Return queries as passages are compared with them."""
        model = await asyncio.to_thread(self._built)
        found = await model.embed_words(texts)
        return [LocalQuery(vector_text(one.text.tolist()), one.words) for one in found]


@dataclass(frozen=True, slots=True)
class LocalQuery:
    """A query and its words."""

    dense: str
    words: WordVectors

    def closeness(self, codes: Sequence[str]) -> Sequence[float]:
        """Return how close each passage is, word by word."""
        return closeness(self.words, codes)
