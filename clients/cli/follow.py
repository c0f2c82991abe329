"""Shows a run on the terminal while it goes on, and hands Ctrl-C to it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...contracts.wire.live import LiveItem, StreamItem
from .hindrances import tell_hindrances
from .spoken import Spoken
from .step_tree import StepTree

if TYPE_CHECKING:
    from rich.console import Console

    from ..run import Run


async def show(run: Run, console: Console, *, after: str | None = None) -> None:
    """Print the events of a run as a tree, and what holds it up.

    On a terminal, beneath stands what it waits for, and what is being said.
    """
    from rich.markup import escape

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    tree, spoken = StepTree(), Spoken()
    happened = asyncio.Event()
    items: AsyncIterator[StreamItem] = run.stream(after) if console.is_terminal else run.events(after)
    with console.status("waiting for the run") as status:
        asking = asyncio.create_task(tell_hindrances(run, happened, say))
        try:
            async for item in items:
                happened.set()
                spoken.take(item)
                if not isinstance(item, LiveItem):
                    for text in tree.lines(item):
                        say(text)
                status.update(escape("\n".join((tree.waiting(), *spoken.lines()))))
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)


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
