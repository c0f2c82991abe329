"""Reads what is written on standard input, while the event loop goes on."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from ....contracts.errors import SpecError
from ..terminal import ask_line, is_typed

_PROMPT: Final = "> "


class WrittenLines:
    """The lines of standard input, each read when it is asked for."""

    def __init__(self) -> None:
        self.is_typed = is_typed()
        """Whether a person writes them, and is asked for each."""
        self.is_stale = False
        """Whether the line that comes next may be meant for a question that is no longer asked."""
        self._reading: asyncio.Future[str | None] | None = None

    async def next(self) -> str | None:
        """Wait for a line and return it; None where there are no more.

        A line that was waited for and came to nobody is the next one.

        Raises:
            SpecError: It is no text.
        """
        reading = self._reading = self._reading or self._begun()
        try:
            return await asyncio.shield(reading)
        finally:
            if reading.done():
                self._reading, self.is_stale = None, False

    def _begun(self) -> asyncio.Future[str | None]:
        loop = asyncio.get_running_loop()
        found: asyncio.Future[str | None] = loop.create_future()

        def read() -> None:
            try:
                line = self._read()
            except Exception as error:  # noqa: BLE001 - raised again where the line is waited for
                tell(found.set_exception, error)
            else:
                tell(found.set_result, line)

        def tell(how: Callable[[Any], None], what: Any) -> None:
            with suppress(RuntimeError):  # nobody waits any more, and the loop is closed
                loop.call_soon_threadsafe(lambda: None if found.done() else how(what))

        # A thread of its own: the process ends although it may wait for a line that never comes.
        threading.Thread(target=read, daemon=True).start()
        return found

    def _read(self) -> str | None:
        try:
            if self.is_typed:
                return _text(ask_line(_PROMPT))
            line = sys.stdin.buffer.readline() if sys.stdin else b""
            return _text(line.decode()) if line else None
        except UnicodeError:
            raise SpecError("this line is left out: it is not in UTF-8") from None
        except (EOFError, OSError):
            # Also where the terminal is gone.
            return None


def _text(line: str) -> str:
    """Return a line that can be sent.

    Raises:
        UnicodeError: It has bytes that are no text, which Python keeps as half characters.
    """
    line.encode()
    return line
