"""Words as vectors of four bits a number: what is kept, and what it is worth."""

from __future__ import annotations

import numpy as np
import pytest

from sostenuto.activities.adapters.embeddings.word_codes import closeness, decoded, encoded, word_vectors


def unit(*rows: list[float]) -> np.ndarray:
    found = np.array(rows, dtype=np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)


def test_pieces_of_a_word_are_one_and_common_words_are_none() -> None:
    vectors = unit([1, 0], [1, 0], [0, 1], [1, 1], [0, 1])
    pieces = ["[CLS]", "the", "soft", "##ware", "."]
    found = word_vectors(vectors, pieces, [None, 0, 1, 1, 2])
    assert found.shape == (1, 2)
    assert found[0] == pytest.approx(unit([1 / np.sqrt(2), 1 + 1 / np.sqrt(2)])[0], abs=1e-5)


def test_a_text_of_common_words_alone_is_compared_by_those() -> None:
    assert word_vectors(unit([1, 0], [0, 1]), ["the", "of"], [0, 1]).shape == (2, 2)
    assert word_vectors(unit([1, 0]), ["[CLS]"], [None]).shape == (0, 2)


def test_codes_point_where_the_vectors_do() -> None:
    vectors = unit(*np.random.default_rng(1).normal(size=(50, 384)).tolist())
    codes = encoded(vectors)
    cosines = (vectors * decoded(codes, 384)).sum(axis=1)
    assert cosines.min() > 0.98
    assert len(codes) == 50 * 192 * 4 / 3


def test_the_nearest_word_counts_for_each_word_of_the_query() -> None:
    passage = encoded(unit([1, 0, 0, 0], [0, 1, 0, 0]))
    assert closeness(unit([1, 0, 0, 0]), passage) == pytest.approx(1, abs=0.02)
    assert closeness(unit([1, 0, 0, 0], [0, 0, 1, 0]), passage) == pytest.approx(0.5, abs=0.02)
    assert closeness(unit([1, 0, 0, 0]), "") == 0
    assert closeness(np.zeros((0, 4), dtype=np.float32), passage) == 0
