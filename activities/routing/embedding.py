"""Closeness of meaning: which route an input is nearest to, and how surely.

Must not import anything numeric.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from ...contracts.errors import SetupError
from ...contracts.wire.route_call import RouteCall, RouteChoice, RouteOption

Vectors: TypeAlias = Any
"""An array of float32 of shape (texts, dimensions). Workflow code loads this module, so no numeric library is named."""

# Fitted on every second input of tests/integration/local/routing_cases.py, and checked on the others: docs/routing.md.
TEMPERATURE = 0.04
"""Difference of two cosines that makes one route e times as likely as the other."""

NOWHERE = 0.18
"""Cosine that an input has with routes it does not belong to."""

_NEAREST = 2
_MOST_ROUTERS = 256


class Embedder(Protocol):
    """Turns texts into vectors of length 1."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one row per text.

        Raises:
            SetupError: It cannot work on this machine; says what to do.
        """
        ...


class Closeness:
    """Compares inputs with routes. Keeps the vectors of the routes it has seen."""

    def __init__(self, embedder: Embedder | None) -> None:
        self._embedder = embedder
        self._known: OrderedDict[tuple[str, ...], Vectors] = OrderedDict()

    async def closest(self, call: RouteCall) -> RouteChoice:
        """Return the nearest route, and how likely the input belongs to it.

        Raises:
            SetupError: This worker has no embedder, or one that cannot work.
        """
        if self._embedder is None:
            raise SetupError("this worker has no embedder: give build_worker one, or choose another strategy")
        texts = [_texts(option) for option in call.options]
        vectors = await self._vectors(self._embedder, tuple(text for option in texts for text in option))
        (asked,) = await self._embedder.embed([call.text])
        cosines = [float(cosine) for cosine in vectors @ asked]
        scores = [_score([cosines.pop(0) for _ in option]) for option in texts]
        confidences = probabilities(scores)
        best = max(range(len(scores)), key=lambda index: scores[index])
        return RouteChoice(
            route=call.options[best].name,
            confidence=round(confidences[best], 4),
            reason=_reason(call.options, scores, best),
            strategy=call.strategy,
        )

    async def _vectors(self, embedder: Embedder, texts: tuple[str, ...]) -> Vectors:
        if texts not in self._known:
            self._known[texts] = await embedder.embed(texts)
            while len(self._known) > _MOST_ROUTERS:
                self._known.popitem(last=False)
        self._known.move_to_end(texts)
        return self._known[texts]


def probabilities(scores: Sequence[float]) -> list[float]:
    """Return how likely an input belongs to each route, by closeness.

    What is missing to 1 is how likely it belongs nowhere.
    """
    weights = [math.exp((score - NOWHERE) / TEMPERATURE) for score in scores]
    return [weight / (1 + sum(weights)) for weight in weights]


def _texts(option: RouteOption) -> tuple[str, ...]:
    return tuple(text for text in (option.description, *option.examples) if text.strip()) or (option.name,)


def _score(cosines: Sequence[float]) -> float:
    nearest = sorted(cosines, reverse=True)[:_NEAREST]
    return sum(nearest) / len(nearest)


def _reason(options: Sequence[RouteOption], scores: Sequence[float], best: int) -> str:
    reason = f"closest in meaning, {scores[best]:.2f}"
    others = [index for index in range(len(scores)) if index != best]
    if not others:
        return reason
    second = max(others, key=lambda index: scores[index])
    return f"{reason}, before {options[second].name!r}, {scores[second]:.2f}"
