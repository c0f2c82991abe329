"""A ledger for a terminal: what is left of it, and why."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from ...contracts.text import one_line, plural
from ...contracts.wire.control.budget_event import told_amounts
from ...contracts.wire.control.share import LedgerLimits
from .top.words import seconds_in_words

if TYPE_CHECKING:
    from ...contracts.wire.control.ledger import LedgerChange, LedgerPart, LedgerState
    from ...contracts.wire.control.share import Portion
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
    yield f"  held by {plural(state.runs, 'run')}"
    yield from _parts(state, state.holders, state.runs)
    if state.waiting:
        yield f"  {_waiting(state)}"
        yield from _parts(state, state.asking, state.waiting)
    if said := _portion(state.topped_up):
        yield f"  topped up by {said} in this period: it is in the limits above"
    yield f"  {_whose_limits(state)}"
    yield f"  {begins_anew(state, now)}"
    if state.changes:
        yield "  who changed it, the newest first"
        yield from (f"    {change.at:%Y-%m-%d %H:%M} UTC  {_change(change)}" for change in reversed(state.changes))


def set_words(state: LedgerState) -> str:
    """Return in words what came of it that somebody set the limits of a ledger."""
    per = "" if state.ends is None else f" per {state.period}"
    said = f"may spend {limits_words(state.limits)}{per} from now on"
    change = state.changes[-1] if state.changes else None
    if change is None or change.limits is None:
        return said + _still(state)
    before, after = change.before or LedgerLimits(), change.limits
    if gone := [kind for kind in _KINDS if getattr(before, kind) is not None and getattr(after, kind) is None]:
        said += f"; {' and '.join(gone)} {'is' if gone == ['usd'] else 'are'} not limited any more"
    if back := _portion(change.taken_back):
        said += f"; the {back} that it was topped up by in this period are taken back"
    return said + _still(state)


def top_up_words(state: LedgerState, id: str, now: datetime) -> str:
    """Return in words what came of a top-up by an id of its own."""
    until = "" if state.ends is None else f"; it {begins_anew(state, now)}"
    change = next((one for one in reversed(state.changes) if one.id == id), None)
    if state.repeated:
        told = f": {_change(change)}, at {change.at:%Y-%m-%d %H:%M:%S} UTC" if change else ""
        return f"was topped up by the id {id!r} before, and is not again{told}{_still(state)}"
    return f"is topped up by {_portion(change.added) if change else 'that'}{until}{_still(state)}"


def limits_words(limits: LedgerLimits | None) -> str:
    """Return limits in words, such as `$20, 2,000 turns`."""
    said = [_amount(kind, limit) for kind, limit in limits or () if limit is not None]
    return ", ".join(said) or "nothing"


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
        return "no worker answers: start one, of any app"
    notes = [begins_anew(state, now)]
    if state.limits is None:
        notes.insert(0, "has no limits, and gives nothing")
    if state.waiting:
        notes.insert(0, _waiting(state))
    return "; ".join(notes)


def _waiting(state: LedgerState) -> str:
    return f"{plural(state.waiting, 'call')} {'waits' if state.waiting == 1 else 'wait'} for more"


def _still(state: LedgerState) -> str:
    if not state.waiting:
        return ""
    return f"; {_waiting(state)} all the same: `sostenuto ledger show {shlex.quote(state.name)}`"


def _parts(state: LedgerState, parts: Sequence[LedgerPart], count: int) -> Iterator[str]:
    """Yield who has what of a ledger, or asks it for what."""
    for part in parts:
        what = f" for {one_line(part.what, _MOST_CHARS)}" if part.what else ""
        yield f"    {one_line(part.run_id, _MOST_CHARS)}  {_limited(state, part.amount)}{what}"
    if parts and count > len(parts):
        yield f"    and {count - len(parts):,} more"


def _limited(state: LedgerState, amount: Portion) -> str:
    """Return in words what of an amount a ledger limits."""
    kinds = [kind for kind, limit in state.limits or () if limit is not None] or _KINDS
    return ", ".join(_amount(kind, getattr(amount, kind)) for kind in kinds)


def _portion(amount: Portion) -> str:
    return told_amounts(amount.usd, amount.tokens, amount.turns)


def _change(change: LedgerChange) -> str:
    note = f": {one_line(change.note, _MOST_CHARS)}" if change.note else ""
    by = f"by {one_line(change.by, _MOST_CHARS)}{note}"
    if change.limits is None:
        return f"topped up by {_portion(change.added)}, {by}"
    back = _portion(change.taken_back)
    return f"set to {limits_words(change.limits)}, {by}" + (f"; {back} of top-ups taken back" if back else "")


def _row(state: LedgerState, kind: str) -> LimitRow:
    spent, held = getattr(state.spent, kind), getattr(state.held, kind)
    limit = getattr(state.limits, kind) if state.limits else None
    if limit is None:
        return LimitRow(kind, _figure(kind, spent), _figure(kind, held), "none", "", -1.0)
    limit += getattr(state.topped_up, kind)
    left = max(limit - spent - held, 0)
    used = (spent + held) / limit if limit else 1.0
    return LimitRow(kind, _figure(kind, spent), _figure(kind, held), _figure(kind, limit), _figure(kind, left), used)


def _figure(kind: str, amount: float) -> str:
    return f"${amount:,.4f}" if kind == "usd" else f"{amount:,}"


def _amount(kind: str, amount: float) -> str:
    """Return an amount with its unit, such as `$0.5` or `1 turn`."""
    return f"${amount:,.6f}".rstrip("0").rstrip(".") if kind == "usd" else plural(int(amount), kind[:-1])


def _whose_limits(state: LedgerState) -> str:
    if state.limits is None:
        return f"nobody set its limits, so it gives nothing: sostenuto ledger set {shlex.quote(state.name)} --usd …"
    if not state.is_set:
        return "its limits are those of the budget of a run: nobody set others"
    note = f": {one_line(state.note, _MOST_CHARS)}" if state.note else ""
    return f"its limits were set by {one_line(state.set_by, _MOST_CHARS)}{note}"
