"""Shows a run on the terminal while it goes on, and hands Ctrl-C to it."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ...contracts.wire.live import LiveItem, StreamItem
from .approvals.asking import Asking, is_asked
from .hindrances import telling_hindrances
from .interrupts import stopping
from .spoken import Spoken
from .step_tree import StepTree
from .terminal import harmless, step_hanging

if TYPE_CHECKING:
    from rich.console import Console

    from ..ingest import Ingest
    from ..run import Run

WAIT: Final = "wait"
_LEAVE: Final = "leave"
_WHEN_STUCK: Final = (WAIT, _LEAVE)


def add_stuck_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that says what to do where nobody can do the work."""
    parser.add_argument(
        "--when-stuck",
        choices=_WHEN_STUCK,
        default=WAIT,
        metavar="|".join(_WHEN_STUCK),
        help="whether to wait for a worker that can do the work where there is none, or to leave the run as it is, "
        "with exit status 6 (default: wait)",
    )


async def show(
    run: Run, console: Console, args: argparse.Namespace, *, after: str | None = None, asks: bool = False
) -> bool:
    """Print the events of a run as a tree, and what holds it up.

    On a terminal, beneath stands what it waits for, and what is being said. Returns whether it was followed to its end:
    the options may say to leave a run that nobody works on.

    Args:
        run: Which.
        console: Where.
        args: Options of the command.
        after: Where to begin.
        asks: Whether to ask whoever sits at the terminal about what waits for a person: else it is said how that is
            decided.
    """

    def say(text: str) -> None:
        shown = step_hanging(harmless(text), console)
        console.print(shown, highlight=False, markup=False, soft_wrap=True)

    asking = Asking(run, say, asks=asks)
    return await unless_stuck(
        run, say, args.when_stuck, lambda happened: _follow(run, console, say, happened, after, asking)
    )


async def unless_stuck(
    waits: Run | Ingest,
    say: Callable[[str], None],
    when_stuck: str,
    follow: Callable[[Callable[[], None]], Awaitable[None]],
) -> bool:
    """Follow something, and say what holds it up.

    Returns whether it was followed to its end: it may be to be left where nobody works on it.

    Args:
        waits: What is followed.
        say: Told what holds it up, and that it was left.
        when_stuck: What the option says.
        follow: Follows it; is given what it calls whenever something happens.
    """
    limit = asyncio.timeout(None)

    def stuck() -> None:
        if when_stuck == _LEAVE:
            limit.reschedule(asyncio.get_running_loop().time())

    try:
        async with limit, telling_hindrances(waits, say, stuck) as happened:
            await follow(happened)
    except TimeoutError:
        if not limit.expired():
            raise
        say(f"left {waits.id} as it is: `sostenuto watch {waits.id}` shows how it goes on")
        return False
    return True


async def _follow(
    run: Run,
    console: Console,
    say: Callable[[str], None],
    happened: Callable[[], None],
    after: str | None,
    asking: Asking,
) -> None:
    tree, spoken = StepTree(), Spoken()
    items: AsyncIterator[StreamItem] = run.stream(after) if console.is_terminal else run.events(after)
    with console.status("waiting for the run") as status:
        async for item in items:
            happened()
            spoken.take(item)
            if not isinstance(item, LiveItem):
                for text in tree.lines(item):
                    say(text)
                if asked := is_asked(item):
                    status.stop()
                    await asking.about(asked)
                    status.start()
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
    second = f"left {run.id}, which is asked to stop: `sostenuto watch {run.id}` shows how it ends"
    with stopping(run.cancel, say, first=first, second=second):
        yield
