"""Keys: what terminals send, and what it does to what is seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sostenuto.clients.cli.top.keys import read_keys
from sostenuto.clients.cli.top.view import View
from sostenuto.clients.overview.overview import Endings, OpenRun, Overview
from sostenuto.contracts.wire.totals import Totals

NOW = datetime(2026, 1, 1, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        ("q", ["q"]),
        ("\x1b[A\x1bOBj", ["up", "down", "j"]),
        ("\x1b", ["escape"]),
        ("\x1bq", ["escape", "q"]),
        ("\r\n", ["enter", "enter"]),
        ("\x1b[5~\x1b[6~\x1b[1~\x1b[F", ["page-up", "page-down", "home", "end"]),
        ("\x1b[200~\x1b[1;5C\x01\x00", []),  # a paste, a key with Ctrl, control characters
        ("ß界", ["ß", "界"]),
        ("", []),
    ],
)
def test_what_a_terminal_sends(sent: str, keys: list[str]) -> None:
    assert list(read_keys(sent)) == keys


def _overview(*ids: str) -> Overview:
    runs = tuple(
        OpenRun(id=id, started_at=NOW, last_at=NOW + timedelta(seconds=place), totals=Totals(cost_usd=place))
        for place, id in enumerate(ids)
    )
    return Overview(at=NOW, namespace="default", running=len(runs), runs=runs, ended=Endings(minutes=15))


@pytest.fixture
def view() -> View:
    view = View()
    view.take(_overview("a", "b", "c", "d"))
    return view


def _pressed(view: View, *keys: str) -> View:
    for key in keys:
        view.press(key)
    return view


@pytest.mark.parametrize(
    ("keys", "place"),
    [((), 0), (("j",), 1), (("down", "down", "up"), 1), (("G",), 3), (("G", "j"), 3), (("k",), 0), (("G", "g"), 0)],
)
def test_a_run_is_selected(view: View, keys: tuple[str, ...], place: int) -> None:
    assert _pressed(view, *keys).place == place


def test_whoever_selects_none_sees_what_stands_first(view: View) -> None:
    view.take(_overview("x", "a"))
    assert view.place == 0
    assert _pressed(view, "enter").opened == "x"


def test_the_selection_goes_where_its_run_goes(view: View) -> None:
    _pressed(view, "j")
    view.take(_overview("x", "y", "b"))
    assert (view.selected, view.place) == ("b", 2)
    view.take(_overview("x"))
    assert (view.selected, view.place) == ("x", 0)
    view.take(_overview())
    assert (view.selected, view.place) == ("", 0)
    assert _pressed(view, "enter", "j", "G").page == "runs"


def test_orders(view: View) -> None:
    assert [run.id for run in _pressed(view, "c").runs] == ["d", "c", "b", "a"]
    assert [run.id for run in _pressed(view, "s").runs] == ["a", "b", "c", "d"]
    assert _pressed(view, "t").order == "time"


def test_a_run_is_opened_and_closed(view: View) -> None:
    _pressed(view, "j", "enter")
    assert (view.page, view.opened, view.visible) == ("steps", "b", ["b"])
    _pressed(view, "up", "up", "down")
    assert (view.back, view.selected) == (1, "b")
    assert _pressed(view, "escape").page == "runs"
    assert view.opened == ""


def test_a_run_that_has_ended_stays_open(view: View) -> None:
    _pressed(view, "j", "enter")
    view.take(_overview("a"))
    assert (view.opened, view.opened_run) == ("b", None)


def test_help_and_leaving(view: View) -> None:
    assert _pressed(view, "?").page == "help"
    assert _pressed(view, "j").page == "runs"
    assert _pressed(view, "?", "?").page == "runs"
    assert _pressed(view, "r").is_impatient
    assert _pressed(view, "?", "q").is_over
