"""Durations, money and foreign texts in few characters."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from sostenuto.clients.cli.top.words import fitted, folded, foreign, money, seconds_in_words


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-3, "0s"),
        (0.9, "0s"),
        (59.9, "59s"),
        (60, "1m00s"),
        (3599, "59m59s"),
        (3600, "1h00m"),
        (86399, "23h59m"),
        (86400, "1d0h"),
        (99 * 86400 + 86399, "99d23h"),
        (4000 * 86400, "4000d"),
    ],
)
def test_spans(seconds: float, told: str) -> None:
    assert seconds_in_words(seconds) == told
    assert len(told) <= 6


def test_money() -> None:
    assert [money(dollars) for dollars in (0, 0.00004, 1.5, 99.99, 123456.789)] == [
        "-",
        "$0.0000",
        "$1.5000",
        "$99.9900",
        "$123,456.79",
    ]
    assert money(1.5, is_whole=False) == money(1.5, is_priced=False) == "$1.5000+"
    assert money(0, is_priced=False) == "?"


@pytest.mark.parametrize("width", [0, 1, 2, 5, 6, 7, 30])
@pytest.mark.parametrize("text", ["", "abcdef", "界界界", "a界b界"])
def test_a_text_is_just_so_wide(text: str, width: int) -> None:
    for right in (False, True):
        assert cell_len(fitted(text, width, right=right)) == width


def test_foreign_texts_are_one_harmless_line() -> None:
    assert foreign("a\n b\x1b[2J\u202e") == "a b�[2J�"


@pytest.mark.parametrize("width", [1, 3, 7, 20])
@pytest.mark.parametrize("text", ["", "one", "one two three", "界界 界界界界界 x", "x" * 50, "a " + "b" * 30 + " c"])
def test_lines_are_no_wider_and_lose_nothing(text: str, width: int) -> None:
    lines = folded(text, width, 1000)
    assert max(map(cell_len, lines)) <= max(width, 2)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_what_does_not_fit_is_cut() -> None:
    assert folded("one two three four", 5, 2) == ["one", "two …"]
    assert cell_len(folded("x" * 50, 5, 2)[1]) == 5
