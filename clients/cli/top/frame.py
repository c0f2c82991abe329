"""All runs as lines of a screen. Does no I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from rich.text import Text

from ....contracts.text import plural
from .columns import columns, row, style_of, titles, trouble_in_words, waits_of
from .view import View
from .words import GAP, fitted, flowing, folded, foreign, money, seconds_in_words, span

if TYPE_CHECKING:
    from ...overview.overview import Endings, LateEnd, OpenRun, Overview, QueueLoad, TroubleKind

_TROUBLES: Final[Mapping[TroubleKind, str]] = {
    "stalled": "stalled",
    "unserved": "no worker",
    "retried": "retried",
    "paused": "paused",
}
_QUEUES: Final = 4
"""Most task queues that are told."""
_LOW: Final = 16
"""Under how many lines a screen has room for runs alone."""
_LATE: Final = 4
"""Most ends that are told one by one beneath a table that fills the screen."""
_NARROW: Final = 60
_OLD_BACKLOG: Final = 5.0
"""Seconds from which on a task waits for long."""


def board_lines(view: View, now: datetime, width: int, height: int, where: str) -> list[Text]:
    """Return all runs as lines that fill a screen.

    Args:
        view: What is to be shown.
        now: What the time is.
        width: Of the screen.
        height: Of the screen.
        where: What server it is.
    """
    head = head_lines(view.overview, now, width, where, view.away)
    if view.overview is None:
        return head
    keys = keys_line(width, "Enter steps", "s trouble", "t time", "c cost", "? help", "q quit")
    room = height - len(head) - 3
    late = list(_late_lines(view.overview.ended, now, width, _LATE)) if height >= _LOW else []
    rows = _rows(view.runs, now, width)
    beneath = (
        late
        if sum(map(len, rows)) + len(late) > room
        else list(_late_lines(view.overview.ended, now, width, max(room - sum(map(len, rows)) - 2, 0)))
    )
    room = max(room - len(beneath), 1)
    shown, first = _window(rows, view.place, room)
    view.fits = max(len(shown), 1)
    named = Text(fitted(titles(columns(width, with_tenants=_has_tenants(view.runs))), width), style="bold underline")
    lines = [*head, _window_line(view, width, first, len(shown)), named]
    for place, texts in enumerate(shown, first):
        if place == view.place:
            texts[0].pad_right(max(width - texts[0].cell_len, 0))
            texts[0].stylize("reverse")
        lines += texts
    if not rows:
        lines.append(Text("nothing is under way", style="dim"))
    blank = max(height - len(lines) - len(beneath) - 1, 0)
    return [*lines, *[Text()] * blank, *beneath, keys][:height]


def whole_lines(overview: Overview, width: int, where: str) -> list[Text]:
    """Return all there is to tell of all runs, however many lines that takes.

    Args:
        overview: What was seen.
        width: Of the lines.
        where: What server it is.
    """
    shown = columns(width, with_tenants=_has_tenants(overview.runs))
    lines = [*head_lines(overview, overview.at, width, where), Text(), Text(titles(shown))]
    lines += [line for texts in _rows(overview.runs, overview.at, width) for line in texts]
    if not overview.runs:
        lines.append(Text("nothing is under way"))
    return [*lines, *_late_lines(overview.ended, overview.at, width, len(overview.ended.late) + 2)]


def head_lines(overview: Overview | None, now: datetime, width: int, where: str, away: str = "") -> list[Text]:
    """Return the lines over everything: the server, and what there is to worry about."""
    tenant = f"  tenant {foreign(overview.tenant, 40)}" if overview and overview.tenant else ""
    clock = now.astimezone().strftime("%H:%M:%S")
    title = Text(fitted(f"sostenuto top  {foreign(where)}{tenant}", max(width - len(clock) - 1, 1)), style="bold")
    lines = [title.append(f" {clock}", style="not bold dim")]
    lines += away_lines(away, overview, now, width)
    if overview is None:
        return lines if away else [*lines, Text("asking the server …", style="dim")]
    lines += flowing(_worries(overview), width)
    lines += flowing(_ended(overview.ended), width, most=2)
    return [*lines, *flowing(map(_queue, overview.queues[:_QUEUES]), width)]


def away_lines(away: str, overview: Overview | None, now: datetime, width: int) -> list[Text]:
    """Return the lines that say that the server is away; none where it is not.

    Args:
        away: Why it is not to be had.
        overview: What was seen last.
        now: What the time is.
        width: Of the lines.
    """
    if not away:
        return []
    since = f", as it was {span(overview.at, now)} ago" if overview else ""
    return [Text(part, style="bold red") for part in folded(f"AWAY{since}: {foreign(away)}", width, 2)]


def keys_line(width: int, *keys: str) -> Text:
    """Return the line at the foot: as many of the keys as fit, the last one always."""
    from rich.cells import cell_len

    kept = [*keys]
    while len(kept) > 1 and cell_len(GAP.join(kept)) > width:
        del kept[-2]
    line = Text()
    for key in kept:
        name, _, what = key.partition(" ")
        line.append(GAP if line else "").append(name, style="bold").append(f" {what}", style="dim")
    return line


def _worries(overview: Overview) -> Iterator[Text]:
    kinds = Counter(run.troubles[0].kind for run in overview.runs if run.troubles)
    if overview.troubled:
        told = ", ".join(f"{kinds[kind]} {words}" for kind, words in _TROUBLES.items() if kinds[kind])
        yield Text(f"{overview.troubled:,} IN TROUBLE: {told}", style="bold red")
    else:
        yield Text("no trouble seen", style="green")
    yield Text(f"{overview.running:,} running")
    if overview.chats:
        yield Text(plural(overview.chats, "chat"))
    if overview.unseen:
        yield Text(f"{overview.unseen:,} not looked at yet", style="yellow")
    unpriced = sum(run.totals.unpriced_calls for run in overview.runs)
    cost = money(overview.cost_usd, is_whole=overview.is_whole, is_priced=not unpriced)
    yield Text(f"{cost} so far" if cost != "-" else "nothing spent")


def _ended(ended: Endings) -> Iterator[Text]:
    total = sum(ended.counts.values())
    first = f"last {ended.minutes} min: "
    for status in sorted(ended.counts, key=lambda status: (status != "completed", status)):
        good = "green" if status == "completed" else "yellow"
        yield Text(first).append(f"{ended.counts[status]:,} {status}", style="red" if status == "failed" else good)
        first = ""
    if not total:
        yield Text(f"{first}nothing ended", style="dim")
        return
    yield Text(f"{total / ended.minutes:.1f}/min")
    if ended.cost_usd:
        yield Text(f"{money(ended.cost_usd, is_whole=ended.is_whole)} spent")


def _queue(load: QueueLoad) -> Text:
    text = Text(f"queue {foreign(load.name, 40)}: ")
    if load.workers:
        text.append(plural(load.workers, "worker"))
    else:
        text.append("NO WORKER", style="bold red")
    if load.backlog:
        is_old = load.backlog_seconds >= _OLD_BACKLOG
        age = seconds_in_words(load.backlog_seconds)
        text.append(f", {plural(load.backlog, 'task')} waiting for up to {age}", style="yellow" if is_old else "")
    if load.taken_per_second >= 0.05:
        text.append(f", {load.taken_per_second:.1f} tasks/s")
    return text


def _window_line(view: View, width: int, first: int, shown: int) -> Text:
    """Return the line over the table: which of the runs it has, and in what order."""
    if shown == len(view.runs) and view.order == "trouble":
        return Text()
    return Text(
        fitted(f"{first + 1}-{first + shown} of {len(view.runs):,} by {view.order}", width, right=True), style="dim"
    )


def _rows(runs: Sequence[OpenRun], now: datetime, width: int) -> list[list[Text]]:
    """Return the lines of each run; what holds up several is told of the first."""
    shown = columns(width, with_tenants=_has_tenants(runs))
    rows = []
    before = ""
    for run in runs:
        style = style_of(run).replace("bold ", "")
        lines = [row(run, shown, now)]
        reason = run.troubles[0].reason if run.troubles else ""
        if run.troubles and reason != before:
            told = trouble_in_words(run.troubles[0], run.id, now)
            more = f"  and {len(run.troubles) - 1} more" if len(run.troubles) > 1 else ""
            parts = folded(f"{told}{more}", width - 4, 3 if width < _NARROW else 1)
            lines += [Text(f"  {'╰ ' if not place else '  '}{part}", style=style) for place, part in enumerate(parts)]
        elif width < 70 and not run.troubles and (waits := waits_of(run)):
            lines.append(Text(f"  ╰ {fitted(waits, width - 4).rstrip()}", style="dim"))
        before = reason
        rows.append(lines)
    return rows


def _window(rows: Sequence[list[Text]], place: int, room: int) -> tuple[list[list[Text]], int]:
    """Return the rows that fit, with the selected one, and the place of the first."""
    first = 0
    while first < place and sum(map(len, rows[first : place + 1])) > room:
        first += 1
    shown: list[list[Text]] = []
    for texts in rows[first:]:
        left = room - sum(map(len, shown))
        if left <= 0:
            break
        # Of the last one there may be room for a part.
        shown.append(texts[:left])
    return shown, first


def _late_lines(ended: Endings, now: datetime, width: int, most: int) -> Iterator[Text]:
    if not ended.late or most < 2:
        return
    yield Text()
    yield Text(fitted("ENDED LATELY, AND NOT WELL", width).rstrip(), style="bold underline")
    told = ended.late[: most - 2]
    name = min(max((len(foreign(late.id)) for late in told), default=0), 36)
    for late in told:
        yield _late(late, now, width, name)


def _late(late: LateEnd, now: datetime, width: int, name: int) -> Text:
    ago = f"{span(late.ended_at, now)} ago"
    head = f"{fitted(late.status, 9)} {fitted(ago, 10, right=True)} "
    text = f"{head} {fitted(foreign(late.id), name)}  {foreign(late.reason)}"
    return Text(fitted(text, width).rstrip(), style="red" if late.status == "failed" else "yellow")


def _has_tenants(runs: Iterable[OpenRun]) -> bool:
    return len({run.tenant for run in runs}) > 1
