"""A trace that goes on while the run does."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ....connection.content_files import write_atomically
from ....contracts.errors import SetupError, SostenutoError, SpecError
from ..step_lines import hindrance_line
from ..terminal import has_screen, open_console

if TYPE_CHECKING:
    from ....history.trace.step import Trace
    from ...run import Run
    from ...waiting import HeldUp

LEAST_PAUSE_SECONDS: Final = 1.0
_SHARE: Final = 5
"""How many times as long as a reading took is waited for the next: a long history is not read all the time."""


@dataclass(frozen=True, slots=True)
class Look:
    """A trace as it was at one moment."""

    trace: Trace
    pause_seconds: float
    """After how long it is read again."""
    held_up: Sequence[HeldUp] = ()
    """What holds it up, and what it waits for people for."""

    @property
    def is_last(self) -> bool:
        """Whether the run has ended."""
        return self.trace.run.seconds is not None


async def looks(run: Run) -> AsyncIterator[Look]:
    """Yield what a run has done so far, again and again.

    The last time once it has ended. A server that is away is waited for.

    Raises:
        SetupError: The server is away from the beginning.
        SpecError: There is no such run.
    """
    has_begun = False
    while True:
        began = time.monotonic()
        try:
            trace = await run.trace()
        except SetupError:
            if not has_begun:
                raise
            await asyncio.sleep(LEAST_PAUSE_SECONDS)
            continue
        has_begun = True
        held_up = await held_up_of(run, trace)
        look = Look(trace, max(LEAST_PAUSE_SECONDS, _SHARE * (time.monotonic() - began)), held_up)
        yield look
        if look.is_last:
            return
        await asyncio.sleep(look.pause_seconds)


async def held_up_of(run: Run, trace: Trace) -> Sequence[HeldUp]:
    """Return what holds a run up, people too; nothing of one that has ended."""
    if trace.run.seconds is not None:
        return ()
    with suppress(SostenutoError):
        return await run.held_up()
    return ()


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

        def show(look: Look) -> None:
            if has_screen():
                lines = [*TraceLines(look.trace, datetime.now(UTC), whole=whole).lines()]
                lines += map(hindrance_line, look.held_up)
                # One line less: the last one is not to scroll what stands above it away.
                shown = "\n".join(lines[-(console.size.height - 1) :])
                live.update(Text(shown, no_wrap=True, overflow="ellipsis"), refresh=True)

        return await _followed(run, show)


async def follow_as_page(run: Run, file: Path, say: Callable[[str], None]) -> Trace:
    """Write the page of a run again and again until it has ended; return what it did.

    Ctrl-C leaves it, and the page as one that goes on no more.

    Raises:
        SpecError: The file cannot be written.
    """
    from ....history.trace.page.document import trace_page

    last: Trace | None = None

    def write(look: Look) -> None:
        nonlocal last
        _replace(file, trace_page(look.trace, datetime.now(UTC), reload_seconds=2 * look.pause_seconds))
        if last is None:
            say(f"{file} is written until {run.id} ends: open it in a browser, it goes on by itself")
        last = look.trace

    try:
        last = await _followed(run, write)
    finally:
        if last is not None:
            _replace(file, trace_page(last, datetime.now(UTC)))
    return last


async def _followed(run: Run, show: Callable[[Look], None]) -> Trace:
    """Show a run until it has ended or somebody leaves it; return what it did."""
    last: Look | None = None
    try:
        async for look in looks(run):
            last = look
            if not look.is_last:
                show(look)
    except asyncio.CancelledError:
        if last is None:
            raise
        if task := asyncio.current_task():
            task.uncancel()
    assert last  # noqa: S101 - there is one before there is an end
    return last.trace


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
    try:
        mode = file.stat().st_mode if file.exists() else stat.S_IFREG | 0o666 & ~_umask()
        if stat.S_ISREG(mode):
            write_atomically(file.resolve(), page.encode("ascii"), stat.S_IMODE(mode))
            return
    except (OSError, RuntimeError):
        # It may be written where its folder may not.
        pass
    write_page(page, file)


def _umask() -> int:
    """Return which rights new files do not have: it can only be read by setting it."""
    umask = os.umask(0o077)
    os.umask(umask)
    return umask
