"""Words as vectors of four bits a number: what is kept, and what it is worth."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from sostenuto.activities.adapters.embeddings.word_codes import closeness, encoded, word_vectors


def unit(*rows: list[float]) -> np.ndarray:
    found = np.array(rows, dtype=np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)


def decoded(codes: str) -> np.ndarray:
    """The vectors of a text of codes, each of length 1."""
    packed = np.frombuffer(base64.b64decode(codes), dtype=np.uint8).reshape(-1, 192)
    levels = np.stack([packed >> 4, packed & 15], axis=-1).reshape(-1, 384).astype(np.float32) - 7
    return np.asarray(levels / np.linalg.norm(levels, axis=1, keepdims=True), dtype=np.float32)


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
    cosines = (vectors * decoded(codes)).sum(axis=1)
    assert cosines.min() > 0.98
    assert len(codes) == 50 * 192 * 4 / 3


def test_the_nearest_word_counts_for_each_word_of_the_query() -> None:
    passage = encoded(unit([1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]))
    first, third = [1.0, 0, 0, 0, 0, 0], [0, 0, 1.0, 0, 0, 0]
    assert closeness(unit(first), [passage]) == [pytest.approx(1, abs=0.02)]
    assert closeness(unit(first, third), ["", passage]) == [0, pytest.approx(0.5, abs=0.02)]
    assert closeness(np.zeros((0, 6), dtype=np.float32), [passage, ""]) == [0, 0]
    assert closeness(unit(first), []) == []


@pytest.mark.parametrize("words", [1, 8, 300])
def test_passages_are_as_close_as_their_decoded_words_are(words: int) -> None:
    """However many words the query has: they are compared in pieces."""
    random = np.random.default_rng(words)
    query = unit(*random.normal(size=(words, 384)).tolist())
    codes = [encoded(unit(*random.normal(size=(length, 384)).tolist())) for length in (1, 7, 130)]
    plain = [float((query @ decoded(one).T).max(axis=1).mean()) for one in codes]
    assert closeness(query, codes) == pytest.approx(plain, abs=1e-6)
