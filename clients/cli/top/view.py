"""What somebody sees of all runs, and what keys do to it. Does no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from ...overview.board import SortOrder
    from ...overview.overview import OpenRun, Overview

_ORDERS: Final[Mapping[str, SortOrder]] = {"s": "trouble", "t": "time", "c": "cost"}

KEYS: Final[Mapping[str, str]] = {
    "↑ ↓  k j": "select another run",
    "PgUp PgDn": "select one a page further",
    "g  G": "select the first, the last one",
    "Enter": "show the steps of the selected run, and all that holds it up",
    "Esc": "back to all runs",
    "s": "order by trouble: the worst first, then where nothing has happened for long",
    "t": "order by time: those first that run for long",
    "c": "order by cost: those first that cost most",
    "r": "ask the server now",
    "?": "this help",
    "q  Ctrl-C": "leave; the runs go on",
}
"""What each key does."""


@dataclass(slots=True)
class View:
    """What is to be shown, which changes with every key."""

    order: SortOrder = "trouble"
    page: Literal["runs", "steps", "help"] = "runs"
    selected: str = ""
    """Id of the run that is selected, wherever it goes. Empty: whichever stands first."""
    opened: str = ""
    """Id of the run whose steps are shown."""
    back: int = 0
    """How many lines of the steps are below the screen."""
    fits: int = 10
    """How many runs the screen has room for."""
    is_over: bool = False
    """Whether somebody wants to leave."""
    is_impatient: bool = False
    """Whether somebody wants the server to be asked now."""
    away: str = ""
    """Why the server is not to be had. Empty: it is."""
    overview: Overview | None = None
    """What was seen last."""
    runs: Sequence[OpenRun] = field(default_factory=tuple)
    """What was seen last, in the order that is asked for."""

    @property
    def place(self) -> int:
        """Which of the runs is selected, from 0."""
        return next((place for place, run in enumerate(self.runs) if run.id == self.selected), 0)

    @property
    def opened_run(self) -> OpenRun | None:
        """The run whose steps are shown; None where it has ended."""
        return next((run for run in self.runs if run.id == self.opened), None)

    @property
    def visible(self) -> Sequence[str]:
        """Ids of the runs that are shown, or may be soon."""
        if self.page == "steps":
            return [self.opened]
        first = max(self.place - self.fits, 0)
        return [run.id for run in self.runs[first : first + 2 * self.fits]]

    def take(self, overview: Overview) -> None:
        """Show what was seen now."""
        before = self.place
        self.overview, self.away = overview, ""
        self._order()
        if self.selected and self.selected not in {run.id for run in self.runs}:
            self.selected = self.runs[min(before, len(self.runs) - 1)].id if self.runs else ""

    def press(self, key: str) -> None:
        """Do what a key is for; nothing where it is for nothing."""
        if key == "q":
            self.is_over = True
        elif key == "r":
            self.is_impatient = True
        elif key == "?":
            self.page = "runs" if self.page == "help" else "help"
        elif key in ("escape", "left"):
            self.page, self.opened = "runs", ""
        elif key in _ORDERS:
            self.order = _ORDERS[key]
            self._order()
        elif self.page == "steps":
            self._scroll(key)
        elif self.page == "runs":
            self._select(key)
        else:
            self.page = "runs"

    def _order(self) -> None:
        from ...overview.board import ordered

        self.runs = ordered(self.overview.runs, self.order) if self.overview else ()

    def _select(self, key: str) -> None:
        if not self.runs:
            return
        if key in ("enter", "right"):
            self.page, self.opened, self.back = "steps", self.runs[self.place].id, 0
            return
        last = len(self.runs) - 1
        place = {"home": 0, "g": 0, "end": last, "G": last}.get(key, self.place + self._step(key))
        self.selected = self.runs[min(place, last)].id if place > 0 else ""

    def _scroll(self, key: str) -> None:
        if key == "enter":
            self.page, self.opened = "runs", ""
        elif key in ("end", "G"):
            self.back = 0
        elif key in ("home", "g"):
            self.back = 1_000_000
        else:
            self.back = max(self.back - self._step(key), 0)

    def _step(self, key: str) -> int:
        page = max(self.fits - 1, 1)
        return {"up": -1, "k": -1, "down": 1, "j": 1, "page-up": -page, "page-down": page}.get(key, 0)
