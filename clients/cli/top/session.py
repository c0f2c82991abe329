"""Keeps the screen up to date: asks the server by and by, and heeds keys at once."""

from __future__ import annotations

import asyncio
import codecs
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from rich.text import Text

from ....contracts.errors import SostenutoError
from ...overview.lookout import AT_FIRST, PER_FRAME, Lookout
from ..interrupts import heeding
from ..terminal import FullScreen, is_typed
from .frame import away_lines, board_lines, keys_line
from .help import help_page
from .keys import read_keys
from .steps import OpenedRun, step_lines
from .view import View

if TYPE_CHECKING:
    from ...client import Client

_TICK_SECONDS: Final = 1.0
"""How often ages are shown anew."""
_ESCAPE_SECONDS: Final = 0.05
"""How long the rest of a key may take that begins as the escape key does."""
_BY_SIGNAL: Final = 128
_KEY_BYTES: Final = 4096


def server_of(client: Client) -> str:
    """Return which server a client has, and which namespace."""
    return f"{client.temporal.namespace} at {client.temporal.service_client.config.target_host}"


class Session:
    """All runs on the terminal, until somebody leaves.

    Args:
        client: Where they are.
        tenant: Whose. Empty: everybody's.
        every: Seconds between two looks at the server.
    """

    def __init__(self, client: Client, *, tenant: str, every: float) -> None:
        self._client = client
        self._every = every
        self._lookout = Lookout(client.temporal, tenant)
        self._view = View()
        self._screen = FullScreen()
        self._changed = asyncio.Event()
        self._wanted = asyncio.Event()
        self._steps: OpenedRun | None = None
        self._status = 0

    async def run(self) -> int:
        """Show them until somebody leaves, and return the exit status.

        Raises:
            SostenutoError: Not even the first look succeeded.
        """
        with _silent_logs(), self._screen, self._signals(), _keys(self._press):
            asking = asyncio.create_task(self._ask())
            try:
                while not self._view.is_over:
                    if asking.done():
                        asking.result()
                    await self._open()
                    self._draw()
                    await _happened(self._changed, _TICK_SECONDS)
            finally:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
                if self._steps:
                    await self._steps.close()
        return self._status

    async def _ask(self) -> None:
        """Look again and again; a look begins when the one before has ended.

        Raises:
            SostenutoError: The first one failed.
        """
        budget = AT_FIRST
        while True:
            self._lookout.shown = self._view.visible
            try:
                self._view.take(await self._lookout.look(budget))
                budget = PER_FRAME
            except SostenutoError as error:
                if self._view.overview is None:
                    self._changed.set()
                    raise
                self._view.away = str(error)
            self._changed.set()
            await _happened(self._wanted, self._every)

    async def _open(self) -> None:
        """Begin to follow the run that is opened, and leave the one that is not any more."""
        opened = self._view.opened
        if self._steps and self._steps.id != opened:
            await self._steps.close()
            self._steps = None
        if opened and not self._steps:
            self._steps = OpenedRun(self._client, opened, self._changed.set)

    def _draw(self) -> None:
        view, now = self._view, datetime.now(UTC)
        width, height = self._screen.size
        if view.page == "help":
            lines = help_page(width, height - 1)
            foot = keys_line(width, "? back", "q quit")
        elif view.page == "steps" and self._steps:
            away = away_lines(view.away, view.overview, now, width)
            room = height - 1 - len(away)
            told, view.back = step_lines(self._steps, view.opened_run, now, width, room, view.back)
            lines = [*away, *told]
            view.fits = max(height // 2, 1)
            foot = keys_line(width, "Esc back", "↑↓ scroll", "q quit")
        else:
            self._screen.show(board_lines(view, now, width, height, server_of(self._client)))
            return
        self._screen.show([*lines, *[Text()] * (height - 1 - len(lines)), foot])

    def _press(self, sent: str) -> None:
        for key in read_keys(sent):
            self._view.press(key)
        if self._view.is_impatient:
            self._view.is_impatient = False
            self._wanted.set()
        self._changed.set()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Heed in the block what ends it, stops it, and changes the size of the terminal."""
        loop = asyncio.get_running_loop()
        heeded: dict[signal.Signals, Callable[[], None]] = {
            signal.SIGTERM: lambda: self._end(signal.SIGTERM),
        }
        if sys.platform != "win32":
            heeded[signal.SIGHUP] = lambda: self._end(signal.SIGHUP)
            heeded[signal.SIGWINCH] = self._changed.set
            heeded[signal.SIGTSTP] = self._stop
        with suppress(NotImplementedError):
            for number, call in heeded.items():
                loop.add_signal_handler(number, call)
        try:
            with heeding(lambda: self._press("q")):
                yield
        finally:
            with suppress(NotImplementedError):
                for number in heeded:
                    loop.remove_signal_handler(number)

    def _end(self, number: signal.Signals) -> None:
        self._status = _BY_SIGNAL + number
        self._press("q")

    def _stop(self) -> None:
        """Give the terminal back to the shell, until it is to go on."""
        self._screen.give_back()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._screen.take()
        self._changed.set()


@contextmanager
def _silent_logs() -> Iterator[None]:
    """Keep off the screen, in the block, what would be logged to the terminal."""
    handler = logging.NullHandler()
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


async def _happened(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, no longer than that."""
    # Not `wait_for`, which in Python 3.11 swallows a cancel that comes with what it waits for.
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    event.clear()


@contextmanager
def _keys(press: Callable[[str], None]) -> Iterator[None]:
    """Hand over in the block what is typed, a key at a time."""
    if not is_typed():
        yield
        return
    loop = asyncio.get_running_loop()
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    begun = ""
    rest: asyncio.TimerHandle | None = None

    def flush() -> None:
        nonlocal begun
        sent, begun = begun, ""
        press(sent)

    def read() -> None:
        nonlocal begun, rest
        try:
            data = os.read(sys.stdin.fileno(), _KEY_BYTES)
        except OSError:
            data = b""
        if not data:
            # The terminal is gone.
            loop.remove_reader(sys.stdin)
            press("q")
            return
        begun += decoder.decode(data)
        if rest:
            rest.cancel()
        if begun.endswith(("\x1b", "\x1b[", "\x1bO")):
            rest = loop.call_later(_ESCAPE_SECONDS, flush)
        else:
            flush()

    # Where the platform's loop knows no terminals, there are no keys but Ctrl-C.
    with suppress(NotImplementedError):
        loop.add_reader(sys.stdin, read)
    try:
        yield
    finally:
        with suppress(NotImplementedError):
            loop.remove_reader(sys.stdin)
