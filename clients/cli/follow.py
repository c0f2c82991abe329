"""Shows a run on the terminal while it goes on, and hands Ctrl-C to it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ...contracts.errors import SostenutoError
from ...contracts.wire.event import Event
from .step_lines import hindrance_line
from .step_tree import StepTree

if TYPE_CHECKING:
    from rich.console import Console

    from ..run import Run


_SILENCE_SECONDS = 3.0
"""How long nothing happens before it is asked why."""
_TOLD_ATTEMPTS = (1, 3, 10, 20)
"""How many attempts have failed where it is said again."""


async def show(run: Run, events: AsyncIterator[Event], console: Console) -> None:
    """Print the events of a run as a tree, and what holds it up.

    Beneath stands what it waits for.
    """
    from rich.markup import escape

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    tree = StepTree()
    happened = asyncio.Event()
    with console.status("waiting for the run") as status:
        asking = asyncio.create_task(_tell_hindrances(run, happened, say))
        try:
            async for event in events:
                happened.set()
                for text in tree.lines(event):
                    say(text)
                status.update(escape(tree.waiting()))
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)


async def _tell_hindrances(run: Run, happened: asyncio.Event, say: Callable[[str], None]) -> None:
    """Say what holds the run up when nothing has happened for a while.

    Each thing is said once, and what fails again and again a few times.
    """
    told: set[tuple[str, str, int]] = set()
    while True:
        happened.clear()
        # Not `wait_for`, which in Python 3.11 swallows a cancel that comes with what it waits for.
        with suppress(TimeoutError):
            async with asyncio.timeout(_SILENCE_SECONDS):
                await happened.wait()
            continue
        # Where the server is away or denies it, the stream of events says so.
        with suppress(SostenutoError):
            for hindrance in await run.hindrances():
                key = (hindrance.run_id, hindrance.step, sum(hindrance.attempt >= number for number in _TOLD_ATTEMPTS))
                if key not in told:
                    told.add(key)
                    say(hindrance_line(hindrance))


@contextmanager
def cancelling(run: Run, say: Callable[[str], None]) -> Iterator[None]:
    """In the block, let the first Ctrl-C cancel the run, and the second leave it.

    Args:
        run: What to cancel.
        say: Told what happens.
    """
    loop = asyncio.get_running_loop()
    block = asyncio.current_task()
    requests: list[asyncio.Task[None]] = []

    def interrupt() -> None:
        if not requests:
            say(f"cancelling {run.id}; Ctrl-C again leaves it")
            requests.append(loop.create_task(run.cancel()))
        elif block:
            say(f"left {run.id}, which is still to be cancelled: `sostenuto watch {run.id}` shows how it ends")
            block.cancel()

    try:
        loop.add_signal_handler(signal.SIGINT, interrupt)
    except NotImplementedError:
        # This platform's loop knows no signals: there the first Ctrl-C leaves.
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        for request in requests:
            request.cancel()
