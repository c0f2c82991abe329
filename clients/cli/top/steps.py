"""One run on the screen: what holds it up, what it waits for, its last steps."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from rich.text import Text

from ....contracts.errors import SostenutoError
from ....contracts.text import plural
from ..step_tree import StepTree
from ..terminal import harmless
from .columns import state_of, style_of, trouble_in_words, wait_in_words
from .words import fitted, flowing, folded, foreign, money, span

if TYPE_CHECKING:
    from ...client import Client
    from ...overview.overview import OpenRun

_KEPT: Final = 500
"""Most lines that are kept."""
_TOLD: Final = 5
"""Most troubles, and most things waited for, that are told one by one."""


class OpenedRun:
    """Follows the events of one run, which are read once.

    Args:
        client: Where it is.
        id: The run.
        changed: Called whenever there is something new.
    """

    def __init__(self, client: Client, id: str, changed: Callable[[], None]) -> None:
        self.id = id
        self.lines: deque[str] = deque(maxlen=_KEPT)
        """The last ones, the newest last."""
        self.is_over = False
        """Whether the run has ended."""
        self.problem = ""
        """Why its steps cannot be read."""
        self._client = client
        self._changed = changed
        self._task = asyncio.create_task(self._follow())

    async def close(self) -> None:
        """Follow it no more."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        tree = StepTree()
        try:
            run = await self._client.get(self.id)
            async for event in run.events():
                self.lines.extend(tree.lines(event))
                self._changed()
            self.is_over = True
        except SostenutoError as error:
            self.problem = str(error)
        self._changed()


def step_lines(
    steps: OpenedRun, run: OpenRun | None, now: datetime, width: int, height: int, back: int
) -> tuple[list[Text], int]:
    """Return one run as lines that fill a screen, and how far back they go.

    Args:
        steps: What was read of it.
        run: What was seen of it last. None: it has ended.
        now: What the time is.
        width: Of the screen.
        height: Of the screen.
        back: How many lines of its steps are to be below the screen.
    """
    head = _head(steps, run, now, width)
    told = [Text(part) for text in steps.lines for part in _step(text, width)]
    if steps.problem:
        told += [Text(part, style="red") for part in folded(foreign(steps.problem), width, 3)]
    elif not told:
        told = [Text("reading its history …", style="dim")]
    room = max(height - len(head) - 1, 1)
    back = min(back, max(len(told) - room, 0))
    end = len(told) - back
    title = Text(fitted("STEPS" + (f"  {back} more below" if back else ""), width), style="bold underline")
    return [*head, title, *told[max(end - room, 0) : end]], back


def _step(text: str, width: int) -> list[str]:
    """Return the lines of a step, each as deep as it stands."""
    told = harmless(text).lstrip()
    depth = min(len(text) - len(told), width // 3)
    first, *more = folded(told, width - depth - 2, 2)
    return [" " * depth + first, *(" " * depth + f"  {part}" for part in more)]


def _head(steps: OpenedRun, run: OpenRun | None, now: datetime, width: int) -> list[Text]:
    if run is None:
        state = "has ended" if steps.is_over else "is not among what runs"
        return [Text(fitted(f"{foreign(steps.id)}  {state}", width), style="bold"), Text()]
    title = Text(fitted(f"{foreign(run.id)}  {state_of(run)}", width), style=f"bold {style_of(run)}".strip())
    cost = money(run.totals.cost_usd, is_whole=run.is_whole, is_priced=not run.totals.unpriced_calls)
    facts = [
        f"{run.kind} of {foreign(run.runnable)}",
        f"tenant {foreign(run.tenant)}" if run.tenant else "",
        f"queue {foreign(run.task_queue)}",
        f"began {run.started_at.astimezone():%Y-%m-%d %H:%M:%S}, {span(run.started_at, now)} ago",
        f"last event {span(run.last_at, now)} ago" if run.last_at else "",
        plural(run.model_calls, "model call") + ("" if run.is_whole else " at least"),
        f"{run.totals.usage.total_tokens:,} tokens",
        f"{cost} spent" if cost != "-" else "",
        f"{plural(run.nested, 'nested run')} under way" if run.nested else "",
    ]
    lines = [title, *flowing([Text(fact) for fact in facts if fact], width, most=9), Text()]
    if run.troubles:
        lines.append(Text(fitted("HELD UP BY", width), style="bold underline"))
        for trouble in run.troubles[:_TOLD]:
            times = f"{trouble.kind}{f' {trouble.attempt}x' if trouble.attempt else ''}"
            told = f"{times}  {trouble_in_words(trouble, run.id, now)}"
            lines += [Text(part, style=style_of(run)) for part in folded(told, width, 4)]
        lines += [*_more(len(run.troubles)), Text()]
    lines.append(Text(fitted("WAITS FOR", width), style="bold underline"))
    for wait in run.waits[:_TOLD]:
        since = f"  {span(wait.since, now)}" if wait.since and wait.since <= now else ""
        lines.append(Text(fitted(f"{wait_in_words(wait)}{since}", width).rstrip()))
    return [*lines, *_more(len(run.waits)), Text()]


def _more(number: int) -> list[Text]:
    return [Text(f"and {number - _TOLD} more", style="dim")] if number > _TOLD else []
