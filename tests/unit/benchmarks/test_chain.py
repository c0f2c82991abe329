"""The ratios of the chain's benchmark are those of the rounds, and its goal can be missed."""

from __future__ import annotations

import pytest

from benchmarks.chain import GOAL, PAIRS, Figures, Taken, lines, met


def _figures(*rounds: tuple[float, float]) -> Figures:
    taken = [(Taken(ours, ours), Taken(bare, bare)) for ours, bare in rounds]
    return Figures(dict.fromkeys(PAIRS, taken), {name: (36, 8000) for pair in PAIRS for name in pair})


def test_a_ratio_is_the_median_of_the_rounds_own() -> None:
    # The quotient of the medians is 1.5.
    assert _figures((10, 10), (30, 20), (44, 40)).ratio(PAIRS[0]) == pytest.approx(1.1)


@pytest.mark.parametrize(("ours", "word"), [(GOAL - 0.01, "yes"), (GOAL + 0.01, "NO")])
def test_the_goal_is_met_or_missed(ours: float, word: str) -> None:
    figures = _figures((ours, 1.0))
    assert met(figures) is (word == "yes")
    assert [line for line in lines(figures) if f"| {word} |" in line]
