"""Where a stream stands, as text that comes back from anywhere."""

from __future__ import annotations

import pytest

from sostenuto.contracts.wire.places import EventId
from sostenuto.history.reading.cursor import Cursor


def test_a_plain_id_is_a_cursor_without_nested_runs() -> None:
    assert Cursor.parse("e1/57/0") == Cursor("e1/57/0", {})


def test_what_is_written_is_read_again() -> None:
    cursor = Cursor("e1/57/0", {(19,): "e2/5/0", (7,): "40/1", (7, 12): "33/0"})
    assert str(cursor) == "e1/57/0;7=40/1;7.12=33/0;19=e2/5/0"
    assert Cursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "e1/57", "e1/57/x", "e1/57/0;", "e1/57/0;7", "e1/57/0;x=1/0", "e1/57/0;7=a/b/1/0", "a;b/1/0"],
)
def test_what_is_no_cursor_is_none(text: str) -> None:
    assert Cursor.parse(text) is None


def test_a_position_covers_what_came_before_it() -> None:
    position = EventId.parse("e2/10/1")
    assert position == EventId("e2", 10, 1)
    assert all(position.covers(told) for told in ("e1/99/0", "e2/9/5", "e2/10/0", "e2/10/1"))
    assert not any(position.covers(new) for new in ("e2/10/2", "e2/11/0"))


def test_a_position_in_the_first_execution_leaves_its_name_out() -> None:
    assert EventId.parse("40/1").with_execution("e1") == EventId("e1", 40, 1)
    assert EventId.parse("e2/40/1").with_execution("e1") == EventId("e2", 40, 1)
