"""A ledger for a terminal: what is left of it, and why."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from ...contracts.text import one_line, plural
from ...contracts.wire.control.budget_event import told_amounts
from .top.words import seconds_in_words

if TYPE_CHECKING:
    from ...contracts.wire.control.ledger import LedgerState
    from ..ledgers.summary import LedgerSummary

_MOST_CHARS = 300
_KINDS = ("usd", "tokens", "turns")


class LimitRow(NamedTuple):
    """What a ledger has of one thing that it counts, in words."""

    kind: str
    spent: str
    held: str
    limit: str
    left: str
    """Nothing where it is not limited."""
    used: float
    """Which part of the limit is spent or held, 0 to 1 and more; -1 where it is not limited."""


def limit_rows(state: LedgerState) -> Sequence[LimitRow]:
    """Return what a ledger has of everything that it counts."""
    return [_row(state, kind) for kind in _KINDS]


def tightest(state: LedgerState) -> LimitRow:
    """Return what it has of that of which the least part is left."""
    return max(limit_rows(state), key=lambda row: row.used)


def state_lines(state: LedgerState, now: datetime) -> Iterator[str]:
    """Yield what a ledger may spend, holds and has spent.

    Args:
        state: What it says of itself.
        now: What time it is.
    """
    yield one_line(state.name, _MOST_CHARS)
    yield f"  {'':<8}{'SPENT':>14}{'HELD':>14}{'LIMIT':>14}{'LEFT':>14}"
    for row in limit_rows(state):
        yield f"  {row.kind:<8}{row.spent:>14}{row.held:>14}{row.limit:>14}{row.left:>14}".rstrip()
    yield f"  held by {plural(state.runs, 'run')}" + (f"; {_waiting(state)}" if state.waiting else "")
    more = state.topped_up
    if said := told_amounts(more.usd, more.tokens, more.turns):
        yield f"  topped up by {said} in this period: it is in the limits above"
    yield f"  {_whose_limits(state)}"
    yield f"  {begins_anew(state, now)}"


def begins_anew(state: LedgerState, now: datetime) -> str:
    """Return in words when a ledger begins anew."""
    if state.ends is None:
        return "never begins anew"
    left = seconds_in_words((state.ends - now).total_seconds())
    return f"begins anew at {state.ends:%Y-%m-%d %H:%M} UTC, in {left}"


def summary_note(summary: LedgerSummary, now: datetime) -> str:
    """Return in words what else is to be known of a ledger in a list."""
    state = summary.state
    if state is None:
        return f"no worker answers: start one on the task queue {summary.task_queue!r}"
    notes = [begins_anew(state, now)]
    if state.limits is None:
        notes.insert(0, "has no limits, and gives nothing")
    if state.waiting:
        notes.insert(0, _waiting(state))
    return "; ".join(notes)


def _waiting(state: LedgerState) -> str:
    return f"{plural(state.waiting, 'call')} {'waits' if state.waiting == 1 else 'wait'} for more"


def _row(state: LedgerState, kind: str) -> LimitRow:
    spent, held = getattr(state.spent, kind), getattr(state.held, kind)
    limit = getattr(state.limits, kind) if state.limits else None
    if limit is None:
        return LimitRow(kind, _amount(kind, spent), _amount(kind, held), "none", "", -1.0)
    limit += getattr(state.topped_up, kind)
    left = max(limit - spent - held, 0)
    used = (spent + held) / limit if limit else 1.0
    return LimitRow(kind, _amount(kind, spent), _amount(kind, held), _amount(kind, limit), _amount(kind, left), used)


def _amount(kind: str, amount: float) -> str:
    return f"${amount:,.4f}" if kind == "usd" else f"{amount:,}"


def _whose_limits(state: LedgerState) -> str:
    if state.limits is None:
        return f"nobody set its limits, so it gives nothing: sostenuto ledger set {shlex.quote(state.name)} --usd …"
    if not state.is_set:
        return "its limits are those of the budget of a run: nobody set others"
    note = f": {one_line(state.note, _MOST_CHARS)}" if state.note else ""
    return f"its limits were set by {one_line(state.set_by, _MOST_CHARS)}{note}"
