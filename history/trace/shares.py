"""Where the time of a run went: its critical path. Does no I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from .step import Share, TraceStep

_LEAVES = ("model", "tool", "retrieval")


def shares_of(run: TraceStep) -> tuple[Share, ...]:
    """Return what a run waited for, from its end back to its start.

    Of the steps that were under way at one time that one counts which ended last: the run went on when it did. One
    that is made of others, such as the call of a nested run, counts by those.
    """
    end = run.ended_at or max((step.ended_at or step.started_at for step in run.walk()), default=run.started_at)
    leaves = [step for step in run.walk() if step.kind in _LEAVES and step.seconds and not _has_leaves(step)]
    spent: defaultdict[str, float] = defaultdict(float)
    left = sorted(leaves, key=_end)
    at = end
    while left and at > run.started_at:
        step = left.pop()
        begin, stop = max(step.started_at, run.started_at), min(_end(step), at)
        if begin >= at or stop <= begin:
            continue
        spent["between"] += (at - stop) / timedelta(seconds=1)
        working = max(begin, step.started_at + timedelta(seconds=step.waited_seconds))
        spent["waiting"] += max((min(working, stop) - begin) / timedelta(seconds=1), 0.0)
        spent[step.kind] += max((stop - working) / timedelta(seconds=1), 0.0)
        at = begin
    spent["between"] += (at - run.started_at) / timedelta(seconds=1)
    found = [Share.model_validate({"what": what, "seconds": seconds}) for what, seconds in spent.items() if seconds > 0]
    return tuple(sorted(found, key=lambda share: -share.seconds))


def percentages(shares: Sequence[Share]) -> list[tuple[str, int]]:
    """Return the shares in whole percent, without those that round to nothing."""
    whole = sum(share.seconds for share in shares)
    rounded = [(share.what, round(100 * share.seconds / whole)) for share in shares] if whole else []
    return [(what, percent) for what, percent in rounded if percent]


def _has_leaves(step: TraceStep) -> bool:
    return any(inner.kind in _LEAVES for inner in step.walk() if inner is not step)


def _end(step: TraceStep) -> datetime:
    return step.ended_at or step.started_at
