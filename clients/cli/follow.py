"""Shows a run on the terminal while it goes on, and hands Ctrl-C to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...contracts.wire.live import LiveItem, StreamItem
from .hindrances import telling_hindrances
from .interrupts import stopping
from .spoken import Spoken
from .step_tree import StepTree

if TYPE_CHECKING:
    from rich.console import Console

    from ..run import Run


async def show(run: Run, console: Console, *, after: str | None = None) -> None:
    """Print the events of a run as a tree, and what holds it up.

    On a terminal, beneath stands what it waits for, and what is being said.
    """

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    tree, spoken = StepTree(), Spoken()
    items: AsyncIterator[StreamItem] = run.stream(after) if console.is_terminal else run.events(after)
    with console.status("waiting for the run") as status:
        async with telling_hindrances(run, say) as happened:
            async for item in items:
                happened()
                spoken.take(item)
                if not isinstance(item, LiveItem):
                    for text in tree.lines(item):
                        say(text)
                status.update(foot(tree, spoken))


def foot(tree: StepTree, spoken: Spoken) -> str:
    """Return the foot of a terminal: what is waited for, and what is being said."""
    from rich.markup import escape

    return escape("\n".join((tree.waiting(), *spoken.lines())))


@contextmanager
def cancelling(run: Run, say: Callable[[str], None]) -> Iterator[None]:
    """In the block, let the first Ctrl-C cancel the run, and the second leave it.

    Args:
        run: What to cancel.
        say: Told what happens.
    """
    first = f"cancelling {run.id}; Ctrl-C again leaves it"
    second = f"left {run.id}, which is still to be cancelled: `sostenuto watch {run.id}` shows how it ends"
    with stopping(run.cancel, say, first=first, second=second):
        yield
