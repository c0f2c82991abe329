"""Where the time of a run went: its critical path. Does no I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from .step import Share, TraceStep

_LEAVES = ("model", "tool", "retrieval", "document")
_SECOND = timedelta(seconds=1)


SHARE_WORDS: Final = {
    "model": "waiting for models",
    "tool": "in tools",
    "retrieval": "in searches",
    "document": "bringing documents in",
    "run": "in nested runs that are not told",
    "person": "waiting for a person",
    "waiting": "waiting for a worker or another attempt",
    "between": "between steps",
}
"""What a share was spent on, in words."""


class Stretch(NamedTuple):
    """A part of the time of a run that it waited for one step."""

    step: TraceStep
    begin: datetime
    working: datetime
    """From when on an attempt that had an outcome was at work."""
    end: datetime


def critical_path(run: TraceStep) -> Iterator[Stretch]:
    """Yield what a run waited for, from its end back to its start.

    Of the steps that were under way at one time that one counts which ended last: the run went on when it did. One
    that is made of others, such as the call of a nested run, counts by those.
    """
    leaves = [step for step in run.walk() if _is_leaf(step) and step.seconds and not _has_leaves(step)]
    left = sorted(leaves, key=_end)
    at = _end_of_run(run)
    while left and at > run.started_at:
        step = left.pop()
        begin, stop = max(step.started_at, run.started_at), min(_end(step), at)
        if begin >= at or stop <= begin:
            continue
        working = max(begin, step.started_at + timedelta(seconds=step.waited_seconds))
        yield Stretch(step, begin, min(working, stop), stop)
        at = begin


def shares_of(run: TraceStep) -> tuple[Share, ...]:
    """Return how much of its time a run waited for what, along its critical path."""
    spent: defaultdict[str, float] = defaultdict(float)
    at = _end_of_run(run)
    for step, begin, working, end in critical_path(run):
        spent["between"] += (at - end) / _SECOND
        waited = (working - begin) / _SECOND
        spent["person"] += (person := min(step.person_seconds, waited))
        spent["waiting"] += waited - person
        spent[step.kind] += (end - working) / _SECOND
        at = begin
    spent["between"] += (at - run.started_at) / _SECOND
    found = [Share.model_validate({"what": what, "seconds": seconds}) for what, seconds in spent.items() if seconds > 0]
    return tuple(sorted(found, key=lambda share: -share.seconds))


def percentages(shares: Sequence[Share]) -> list[tuple[str, int]]:
    """Return the shares in whole percent, without those that round to nothing."""
    whole = sum(share.seconds for share in shares)
    rounded = [(share.what, round(100 * share.seconds / whole)) for share in shares] if whole else []
    return [(what, percent) for what, percent in rounded if percent]


def _has_leaves(step: TraceStep) -> bool:
    return any(_is_leaf(inner) for inner in step.walk() if inner is not step)


def _is_leaf(step: TraceStep) -> bool:
    return step.kind in _LEAVES or step.untold != ""


def _end(step: TraceStep) -> datetime:
    return step.ended_at or step.started_at


def _end_of_run(run: TraceStep) -> datetime:
    return run.ended_at or max((step.ended_at or step.started_at for step in run.walk()), default=run.started_at)
