"""What is said again is known, and what differs by a sign is not."""

from __future__ import annotations

import pytest

from sostenuto.activities.memory.stored import same_text


@pytest.mark.parametrize(
    ("one", "other"),
    [("I like tea", "i  like Tea."), ("Café at noon", "Cafe\u0301 at noon"), ("It is so ", "It is so..")],
)
def test_the_same_is_known(one: str, other: str) -> None:
    assert same_text(one) == same_text(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The blood group is A+", "The blood group is A-"),
        ("The threshold is -5", "The threshold is 5"),
        ("I like C", "I like C++"),
        ("It costs $5", "It costs 5€"),
        ("x < y", "x > y"),
        ("I like 🍎", "I like 🍐"),
        ("vitamin A helps", "vitamin helps"),
        ("...", "-"),
        ("...", "."),
    ],
)
def test_what_differs_by_a_sign_is_another(one: str, other: str) -> None:
    assert same_text(one) != same_text(other)
