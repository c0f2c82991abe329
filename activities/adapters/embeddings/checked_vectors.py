"""Checks the vectors of a provider's answer: what is stored is searched for ever.

Must not know any provider.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ....contracts.errors import UnreadableAnswer
from ...knowledge.store.vectors import vector_text


def checked_vectors(items: Any, count: int, dimensions: int = 0) -> list[str]:
    """Return the vectors of an answer in the order of their texts.

    Each is as `Point.dense`. Blocks.

    Args:
        items: What the answer has, each with its `index` and its `embedding`.
        count: How many texts were sent.
        dimensions: Length of the vectors, where it is known; 0 where it is not.

    Raises:
        UnreadableAnswer: One is missing or cannot be a vector; says what is wrong.
    """
    if not isinstance(items, Sequence) or isinstance(items, str):
        raise UnreadableAnswer("the provider's answer has no vectors: check the base URL and the model")
    by_index = {_index(item): getattr(item, "embedding", None) for item in items}
    if len(items) != count or by_index.keys() != set(range(count)):
        found = ", ".join(map(str, list(by_index)[:5]))
        raise UnreadableAnswer(
            f"the provider gave {len(items)} vectors for {count} texts, with the indexes {found}…: each text has one, "
            f"from 0 to {count - 1}"
        )
    vectors = [_unit(by_index[index], index) for index in range(count)]
    lengths = {len(vector) for vector in vectors} | ({dimensions} if dimensions else set())
    if len(lengths) != 1:
        told = " and of ".join(map(str, sorted(lengths)))
        raise UnreadableAnswer(f"the provider gave vectors of {told} numbers: all of a model have one length")
    return [vector_text(vector) for vector in vectors]


def _index(item: Any) -> int | None:
    index = getattr(item, "index", None)
    return index if isinstance(index, int) and not isinstance(index, bool) else None


def _unit(numbers: Any, index: int) -> list[float]:
    if not isinstance(numbers, list) or not numbers:
        raise UnreadableAnswer(f"the provider's vector {index} is no list of numbers, but {type(numbers).__name__}")
    if not all(isinstance(number, float | int) and not isinstance(number, bool) for number in numbers):
        raise UnreadableAnswer(f"the provider's vector {index} has something that is no number")
    try:
        largest = max(map(abs, numbers))
        scaled = [number / largest for number in numbers] if largest else []
        length = math.sqrt(sum(number * number for number in scaled))
    except OverflowError:
        length = math.nan
    if not math.isfinite(length):
        raise UnreadableAnswer(f"the provider's vector {index} has a number that is not finite")
    if not length:
        raise UnreadableAnswer(f"the provider's vector {index} has zeros alone: it lies nowhere")
    return [number / length for number in scaled]
