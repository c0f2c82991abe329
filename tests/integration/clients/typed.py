"""A person at a terminal: a pseudo-terminal, in which a command runs."""

from __future__ import annotations

import asyncio
import codecs
import fcntl
import os
import pty
import re
import struct
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from tests.integration.clients.shell import Shell
from tests.patience import PATIENCE_SECONDS

CTRL_C, CTRL_D, UP = "\x03", "\x04", "\x1b[A"
_ORDER = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
"""What a terminal is told to do, such as another colour."""
_HOME = "\x1b[H"
# The command is to be the leader of a session of its own, whose terminal this is: only then is Ctrl-C a signal.
_OWN_SESSION = (
    "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.executable, [sys.executable, '-m', 'sostenuto', *sys.argv[1:]])"
)


class Typed:
    """One command on a terminal of its own."""

    def __init__(self, process: asyncio.subprocess.Process, fd: int, side: int) -> None:
        self.process = process
        self.shown = ""
        """All that was shown, without what the terminal was told to do."""
        self._fd = fd
        self._side = side
        self._seen = 0
        self._came = asyncio.Event()
        # Of a character, and of an order, a part may come first.
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._raw = ""
        os.set_blocking(fd, False)
        asyncio.get_running_loop().add_reader(fd, self._read)

    def write(self, text: str) -> None:
        """Press these keys."""
        os.write(self._fd, text.encode(errors="surrogateescape"))

    def say(self, text: str) -> None:
        """Write a line."""
        self.write(f"{text}\n")

    async def until(self, text: str) -> None:
        """Wait until a text is shown, after the one that was waited for last."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while (found := self.shown.find(text, self._seen)) < 0:
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            raise AssertionError(f"{text!r} was not shown: {self.shown!r}") from None
        self._seen = found + len(text)

    async def prompt(self) -> None:
        """Wait until it asks for a line."""
        await self.until("\n> ")

    async def ended(self) -> int:
        """Wait for its end, and return its exit status."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            status = await self.process.wait()
        self._read()
        assert "Traceback" not in self.shown
        return status

    async def until_sent(self, orders: str) -> None:
        """Wait until the terminal is told to do something."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while orders not in self.raw:
                self._came.clear()
                await self._came.wait()

    @property
    def raw(self) -> str:
        """All that was sent to the terminal."""
        return self._raw

    @property
    def frames(self) -> list[list[str]]:
        """The whole screens that were shown, as lines."""
        shown = [_ORDER.sub("", frame).split("\n") for frame in self._raw.split(_HOME)[1:]]
        return [[line.rstrip() for line in frame] for frame in shown]

    def resize(self, columns: int, lines: int) -> None:
        """Give the terminal another size."""
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    @property
    def mode(self) -> list[Any]:
        """How the terminal is set."""
        return termios.tcgetattr(self._side)

    def hang_up(self) -> None:
        """Close the terminal."""
        asyncio.get_running_loop().remove_reader(self._fd)
        os.close(self._side)
        os.close(self._fd)
        self._fd = -1

    def close(self) -> None:
        if self._fd >= 0:
            self.hang_up()

    def _read(self) -> None:
        with suppress(BlockingIOError):
            while data := os.read(self._fd, 65536):
                self._raw += self._decoder.decode(data)
        self.shown = _ORDER.sub("", self._raw)
        self._came.set()


@asynccontextmanager
async def typed(shell: Shell, *words: str, size: tuple[int, int] | None = None, **options: Any) -> AsyncIterator[Typed]:
    """Run a command on a terminal; what is not over at the end of the block is killed.

    Args:
        shell: Where.
        words: Of the command.
        size: How many columns and lines the terminal has. None: 200 columns, whatever it becomes.
        options: What of it is no terminal, such as `stdout`.
    """
    fd, side = pty.openpty()
    if size:
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    # The variables go before what the terminal itself says.
    env = {name: value for name, value in shell.env.items() if name not in ("COLUMNS", "LINES")}
    streams = {"stdin": side, "stdout": side, "stderr": side, **options}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _OWN_SESSION, *words),
        cwd=shell.directory,
        env=env | {"TERM": "xterm"} | ({} if size else {"COLUMNS": "200"}),
        **streams,
    )
    person = Typed(process, fd, side)
    try:
        yield person
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        person.close()
