"""The table of runs: which columns fit, and what stands in them. Does no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from .words import fitted, foreign, money, span

if TYPE_CHECKING:
    from rich.text import Text

    from ...overview.overview import OpenRun, Trouble, TroubleKind, Wait, WaitKind

_STATES: Final[Mapping[TroubleKind, str]] = {
    "stalled": "STALLED",
    "unserved": "NO WORKER",
    "retried": "RETRIED",
    "paused": "PAUSED",
}
_STYLES: Final[Mapping[TroubleKind, str]] = {
    "stalled": "bold red",
    "unserved": "bold red",
    "retried": "yellow",
    "paused": "magenta",
}
_MANY_ATTEMPTS: Final = 5
"""From how many failed attempts on it is no passing thing any more."""
_WAITS: Final[Mapping[WaitKind, str]] = {
    "model": "model",
    "tool": "tool",
    "search": "search",
    "nested": "nested run",
    "message": "a person's message",
    "approval": "a person's approval",
    "top-up": "a top-up of its budget",
    "ledger": "ledger",
    "timer": "a timer",
    "worker": "a worker",
    "other": "",
}
_OF_PEOPLE: Final = ("message", "approval", "top-up")
_SEPARATOR: Final = " "


class Column(NamedTuple):
    """A column of the table."""

    title: str
    width: int
    text: Callable[[OpenRun, datetime], str]
    right: bool = False


def columns(width: int, *, with_tenants: bool) -> Sequence[Column]:
    """Return the columns that fit a width, what matters less left out first.

    Args:
        width: Of the screen.
        with_tenants: Whether the runs are of several tenants.
    """
    state = Column("STATE", 13 if width >= 60 else 12, lambda run, _: state_of(run))
    numbers = [
        Column("AGE", 6, lambda run, now: span(run.started_at, now), right=True),
        Column("QUIET", 6, lambda run, now: span(run.last_at, now), right=True),
        Column("CALLS", 6, _calls, right=True),
        Column("COST", 9, _cost, right=True),
    ]
    if width < 60:
        numbers = [numbers[0], numbers[3]][: (width >= 30) + (width >= 48)]
    elif width < 90:
        numbers = [one for one in numbers if one.title != "CALLS"]
    texts = [Column("RUNNABLE", 16, lambda run, _: foreign(run.runnable))] if width >= 110 else []
    if with_tenants and width >= 100:
        texts.append(Column("TENANT", 12, lambda run, _: foreign(run.tenant)))
    taken = sum(one.width + 1 for one in (state, *texts, *numbers))
    name = max(min(36, (width - taken) // 2), 16) if width >= 70 else max(width - taken, 1)
    found = [state, Column("RUN", name, _name), *texts, *numbers]
    left = width - taken - name - 1
    if width >= 70 and left >= 10:
        found.append(Column("WAITS FOR", left, lambda run, _: waits_of(run)))
    return found


def row(run: OpenRun, shown: Sequence[Column], now: datetime) -> Text:
    """Return the line of a run, whose state stands out."""
    from rich.text import Text

    state, *cells = (fitted(column.text(run, now), column.width, right=column.right) for column in shown)
    line = Text().append(state, style=style_of(run))
    is_dim = is_idle(run) or not run.was_seen
    return line.append(_SEPARATOR + _SEPARATOR.join(cells).rstrip(), style="dim" if is_dim else "")


def titles(shown: Sequence[Column]) -> str:
    """Return the line over the table."""
    return _SEPARATOR.join(fitted(column.title, column.width, right=column.right) for column in shown).rstrip()


def state_of(run: OpenRun) -> str:
    """Return how a run is, in at most thirteen characters."""
    if run.troubles:
        worst = run.troubles[0]
        times = f" {worst.attempt}x" if worst.attempt else ""
        return f"{_STATES[worst.kind]}{times}"
    if not run.was_seen:
        return "?"
    return "idle" if is_idle(run) else "runs"


def is_idle(run: OpenRun) -> bool:
    """Return whether it waits for nothing but a person."""
    return not run.troubles and bool(run.waits) and all(wait.kind in _OF_PEOPLE for wait in run.waits)


def style_of(run: OpenRun) -> str:
    """Return in which style a run is shown."""
    if run.troubles:
        worst = run.troubles[0]
        return "bold red" if worst.attempt >= _MANY_ATTEMPTS else _STYLES[worst.kind]
    return ""


def waits_of(run: OpenRun, *, most: int = 2) -> str:
    """Return what a run waits for, in a line."""
    told = [wait_in_words(wait) for wait in run.waits]
    more = f" and {len(told) - most} more" if len(told) > most else ""
    return ", ".join(told[:most]) + more


def wait_in_words(wait: Wait) -> str:
    """Return what is waited for, with its kind."""
    kind = _WAITS[wait.kind]
    return " ".join(filter(None, (kind, foreign(wait.name, 80)))) or "a signal, or something of its own"


def trouble_in_words(trouble: Trouble, root: str, now: datetime) -> str:
    """Return what keeps a run from going on, with where and why.

    Args:
        trouble: What it is.
        root: Id of the run that is told of: a nested one is named.
        now: What the time is.
    """
    place = trouble.step or ("" if trouble.run_id == root else trouble.run_id)
    again = f"again in {span(now, trouble.next_at)}" if trouble.next_at and trouble.next_at > now else ""
    since = "" if trouble.kind == "retried" or not trouble.since else f"for {span(trouble.since, now)}"
    behind = ", ".join(filter(None, (since, again)))
    told = f"{foreign(place)}: " if place else ""
    return f"{told}{foreign(trouble.reason)}" + (f" ({behind})" if behind else "")


def _name(run: OpenRun, _: datetime) -> str:
    return foreign(run.id) + (f" +{run.nested}" if run.nested else "")


def _calls(run: OpenRun, _: datetime) -> str:
    return f"{run.model_calls:,}" + ("" if run.is_whole else "+") if run.was_seen else ""


def _cost(run: OpenRun, _: datetime) -> str:
    if not run.was_seen:
        return ""
    return money(run.totals.cost_usd, is_whole=run.is_whole, is_priced=not run.totals.unpriced_calls)
