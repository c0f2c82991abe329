"""Shows a run on the terminal while it goes on, and hands Ctrl-C to it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...contracts.wire.event import Event
from .step_tree import StepTree

if TYPE_CHECKING:
    from rich.console import Console

    from ..run import Run


async def show(events: AsyncIterator[Event], console: Console) -> None:
    """Print the events as a tree, with what the run waits for beneath."""
    from rich.markup import escape

    tree = StepTree()
    with console.status("waiting for the run") as status:
        async for event in events:
            for text in tree.lines(event):
                console.print(text, highlight=False, markup=False, soft_wrap=True)
            status.update(escape(tree.waiting()))


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
            say(f"left {run.id}: the same command with --id {run.id} goes on with it")
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
