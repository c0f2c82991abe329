"""How far a run was told of, over processes."""

from __future__ import annotations

import pytest

from sostenuto.workers.telemetry.followed_run import Position


@pytest.mark.parametrize("position", [Position("e-1", 7), Position("e-1", 7, is_end=True)])
def test_a_position_is_read_back(position: Position) -> None:
    assert Position.parse(str(position)) == position


@pytest.mark.parametrize("text", ["", "e-1", "e-1/", "e-1/x", "/"])
def test_what_is_no_position(text: str) -> None:
    assert Position.parse(text) is None


@pytest.mark.parametrize(
    ("texts", "furthest"),
    [
        ((), None),
        (("e/5",), Position("e", 5)),
        (("e/9", "e/5"), Position("e", 9)),
        (("e/5", "e/9/end"), Position("e", 9, is_end=True)),
        (("e/9", "f/2"), Position("f", 2)),
    ],
    ids=["none", "one", "ours is ahead", "theirs is ahead", "theirs goes on"],
)
def test_the_furthest(texts: tuple[str, ...], furthest: Position | None) -> None:
    assert Position.furthest(texts) == furthest
