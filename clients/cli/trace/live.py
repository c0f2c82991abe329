"""A trace that goes on while the run does."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ....contracts.errors import SpecError
from ..terminal import has_screen, open_console

if TYPE_CHECKING:
    from ....history.trace.step import Trace
    from ...run import Run

LEAST_PAUSE_SECONDS: Final = 1.0
_SHARE: Final = 5
"""How many times as long as a reading took is waited for the next: a long history is not read all the time."""


async def traces(run: Run) -> AsyncIterator[Trace]:
    """Yield what a run has done so far, again and again.

    The last time once it has ended.

    Raises:
        SetupError: The server is away, or has no such run any more.
    """
    while True:
        began = time.monotonic()
        trace = await run.trace()
        yield trace
        if trace.run.seconds is not None:
            return
        await asyncio.sleep(max(LEAST_PAUSE_SECONDS, _SHARE * (time.monotonic() - began)))


async def follow_on_terminal(run: Run, *, whole: bool) -> Trace:
    """Show what a run does while it goes on; return what it did.

    As much of its end is shown as fits; where standard output is no screen, nothing. Ctrl-C leaves it, and what it did
    until then is returned.
    """
    from rich.live import Live
    from rich.text import Text

    from .lines import TraceLines

    console = open_console(highlight=False)
    with Live(console=console, auto_refresh=False, transient=True) as live:

        def show(trace: Trace) -> None:
            if has_screen():
                lines = [*TraceLines(trace, datetime.now(UTC), whole=whole).lines()]
                # One line less: the last one is not to scroll what stands above it away.
                shown = "\n".join(lines[-(console.size.height - 1) :])
                live.update(Text(shown, no_wrap=True, overflow="ellipsis"), refresh=True)

        return await _followed(run, show)


async def follow_as_page(run: Run, file: Path) -> Trace:
    """Write the page of a run again and again until it has ended; return what it did.

    Ctrl-C leaves it, and the page as one that goes on no more.

    Raises:
        SpecError: The file cannot be written.
    """
    from ....history.trace.page.document import trace_page

    def write(trace: Trace) -> None:
        _replace(file, trace_page(trace, datetime.now(UTC), reload_seconds=2 * LEAST_PAUSE_SECONDS))

    last = await _followed(run, write)
    _replace(file, trace_page(last, datetime.now(UTC)))
    return last


async def _followed(run: Run, show: Callable[[Trace], None]) -> Trace:
    """Show a run until it has ended or somebody leaves it; return what it did."""
    last: Trace | None = None
    try:
        async for trace in traces(run):
            last = trace
            if trace.run.seconds is None:
                show(trace)
    except asyncio.CancelledError:
        if last is None:
            raise
        if task := asyncio.current_task():
            task.uncancel()
    assert last  # noqa: S101 - there is one before there is an end
    return last


def write_page(page: str, file: Path) -> None:
    """Write a page.

    Raises:
        SpecError: The file cannot be written.
    """
    try:
        file.write_text(page, encoding="ascii", newline="\n")
    except OSError as error:
        raise SpecError(f"{file} cannot be written: {error.strerror}") from error


def _replace(file: Path, page: str) -> None:
    """Write a page in one go.

    A browser that loads it meanwhile sees the one before, whole.
    """
    if file.exists() and not file.is_file():
        write_page(page, file)
        return
    part = file.resolve().with_name(f".{file.name}.{os.getpid()}")
    try:
        write_page(page, part)
        part.replace(file.resolve())
    except (OSError, SpecError):
        part.unlink(missing_ok=True)
        # It may be written where its folder may not.
        write_page(page, file)
