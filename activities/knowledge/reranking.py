"""What orders the passages that a search found, and the port to what judges them.

Must not know who judges.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, Protocol

from ...contracts.collection.document import PATH_SEPARATOR
from ...contracts.errors import ModelError, UnreadableAnswer
from ...contracts.text import encodable, one_line
from ...contracts.wire.retrieval import Scores
from ..prices.price import OnCharge
from .encoding import EncodedQuery
from .store.vector_store import Hit

DENSE_SHARE: Final = 0.25
"""How much of the whole passage's closeness is added to that of its words."""

_TRIES: Final = 2
"""An answer that cannot be used is asked for once more: each of them is paid for."""

_MARKS_BYTES: Final = 64
"""What stands around a passage that is shown to whoever judges it."""

_MOST_CHARS: Final = 300
"""Longest reason that a note tells."""


@dataclass(slots=True)
class Candidate:
    """A passage that one way of searching found, or several."""

    hit: Hit
    scores: Scores

    @property
    def text(self) -> str:
        """The passage under its headings."""
        said = self.hit.payload
        headings = PATH_SEPARATOR.join(said.get("headings", ()))
        return f"{headings}\n{said['text']}" if headings else str(said["text"])


@dataclass(frozen=True, slots=True)
class AskedQuery:
    """A query in words, and as passages are compared with it."""

    text: str
    encoded: tuple[EncodedQuery, ...]
    """It, and further ways of asking the same."""
    most_tokens: int = 0
    """Most that judging may take in and out, in one call; 0 where nothing limits it."""

    def shown(self, texts: Sequence[str], beside: int) -> int:
        """Return how many of the first passages may be shown.

        A token has at least one byte.

        Args:
            texts: The passages, as they are shown.
            beside: Tokens of all else, the answer included.
        """
        if not self.most_tokens:
            return len(texts)
        left = self.most_tokens - beside - 2 * len(self.text.encode(errors="replace"))
        sizes = accumulate(len(text.encode(errors="replace")) + _MARKS_BYTES for text in texts)
        return sum(size <= left for size in sizes)


Judgement = Sequence[float | None]
"""A score for each candidate, the more the better; None for those that were not judged."""


@dataclass(frozen=True, slots=True)
class Urgency:
    """How much time a search has left, and whether it has another attempt."""

    ends: float | None = None
    """By the clock of the event loop, in seconds; None where nothing ends it."""
    is_last: Callable[[ModelError], bool] = lambda error: not error.retryable
    """Returns whether the search, where it fails by this error, is not tried again."""


NO_HURRY: Final = Urgency()
"""Of a search that nobody ends, and that is tried again where that may help."""


class Reranker(Protocol):
    """Judges how well passages answer a query."""

    async def judged(self, query: AskedQuery, candidates: Sequence[Candidate], charge: OnCharge) -> Judgement:
        """Return a score for each candidate, in their order.

        Raises:
            UnreadableAnswer: Whoever was asked gave an answer that cannot be used.
            ModelError: The call failed; its class says what to do about it.
            NotServedError: This worker lacks a key or an address; says what to set.
        """
        ...


class MaxSim:
    """Compares the words of a query with those of a passage.

    By the embedding model's own vectors of words.
    """

    async def judged(
        self,
        query: AskedQuery,
        candidates: Sequence[Candidate],
        charge: OnCharge,  # noqa: ARG002 - it costs nothing
    ) -> Judgement:
        """Return a score for each candidate; none where passages have no vectors of words."""
        codes = [one.hit.payload.get("codes", "") for one in candidates]
        if not any(codes):
            return [None] * len(candidates)
        closeness = await asyncio.to_thread(_best, query.encoded, codes)
        return [
            words + DENSE_SHARE * (one.scores.dense or 0.0) for one, words in zip(candidates, closeness, strict=True)
        ]


def _best(queries: Sequence[EncodedQuery], codes: Sequence[str]) -> list[float]:
    """Return how close each passage is to the query that it fits best."""
    return [max(each) for each in zip(*(query.closeness(codes) for query in queries), strict=True)]


async def reranked(
    reranker: Reranker,
    query: AskedQuery,
    candidates: Sequence[Candidate],
    charge: OnCharge,
    urgency: Urgency = NO_HURRY,
) -> tuple[list[Candidate], str]:
    """Return the candidates in the order that a reranker gives them.

    With a note where it gave none.

    What it did not judge keeps its order, behind the rest. Where it gives none in the end the search goes on without.

    Raises:
        ModelError: As `Reranker.judged`, where the search is tried again.
        NotServedError: As `Reranker.judged`.
    """
    if not candidates:
        return [], ""
    why = ""
    try:
        async with asyncio.timeout_at(urgency.ends):
            for _ in range(1 if query.most_tokens else _TRIES):
                try:
                    return _ordered(candidates, await reranker.judged(query, candidates, charge)), ""
                except UnreadableAnswer as error:
                    why = str(error)
    except ModelError as error:
        if not urgency.is_last(error):
            raise
        why = str(error) or type(error).__name__
    except TimeoutError:
        why = why or "there was no order in the time that a search has"
    return list(candidates), f"not reranked: {one_line(encodable(why), _MOST_CHARS)}"


def _ordered(candidates: Sequence[Candidate], judgement: Judgement) -> list[Candidate]:
    for one, score in zip(candidates, judgement, strict=True):
        one.scores = one.scores.model_copy(update={"rerank": score})
    judged = [one for one in candidates if one.scores.rerank is not None]
    rest = [one for one in candidates if one.scores.rerank is None]
    # Equal scores keep the order that they had, so that the same search has the same answer.
    return sorted(judged, key=lambda one: -(one.scores.rerank or 0.0)) + rest
