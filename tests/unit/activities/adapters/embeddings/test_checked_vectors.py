"""Numbers that no wire carries are refused as well."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest

from sostenuto.activities.adapters.embeddings.checked_vectors import checked_vectors
from sostenuto.activities.knowledge.store.vectors import floats, length_of
from sostenuto.contracts.errors import UnreadableAnswer


@dataclass(frozen=True)
class Item:
    index: Any
    embedding: Any


def test_numbers_of_any_size_have_a_direction() -> None:
    for numbers in ([3, 4], [3e200, 4e200], [3e-200, 4e-200]):
        (vector,) = checked_vectors([Item(0, numbers)], 1)
        assert floats(vector) == pytest.approx([0.6, 0.8])
        assert length_of(vector) == 2


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 10**400, True, "1", None])
def test_what_is_no_number_is_refused(number: Any) -> None:
    with pytest.raises(UnreadableAnswer, match="vector 1 has"):
        checked_vectors([Item(0, [1.0, 0.0]), Item(1, [1.0, number])], 2)


@pytest.mark.parametrize("index", [None, True, "0", 1, -1])
def test_what_names_no_text_is_refused(index: Any) -> None:
    with pytest.raises(UnreadableAnswer, match="1 vectors for 1 texts"):
        checked_vectors([Item(index, [1.0])], 1)
