"""Tokens as most models have them, about, where no tokenizer is to be had.

Of prose in languages that write words apart; others have more tokens than are counted here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_PIECE: Final = re.compile(r"[^\W\d_]{1,4}|\d{1,3}|[^\w\s]|_")
"""Four letters, three digits or one mark: models take more letters of common words, and fewer of rare ones."""


@dataclass(frozen=True, slots=True)
class EstimatedTokens:
    """The tokens of a text."""

    offsets: tuple[tuple[int, int], ...]
    """Where each begins and ends, in characters."""

    @property
    def ids(self) -> Sequence[object]:
        """As many as there are tokens."""
        return self.offsets


class EstimatingTokenizer:
    """Has the methods of a tokenizer that the chunker calls."""

    def encode(self, text: str, *, add_special_tokens: bool = False) -> EstimatedTokens:  # noqa: ARG002 - a tokenizer's
        """Return the tokens of a text, about."""
        return EstimatedTokens(tuple(found.span() for found in _PIECE.finditer(text)))

    def encode_batch(self, texts: Sequence[str], *, add_special_tokens: bool = False) -> list[EstimatedTokens]:
        """Return the tokens of each text, about."""
        return [self.encode(text, add_special_tokens=add_special_tokens) for text in texts]
