"""Child processes that stop in order, and die with this process.

However it ends.

Must not know what the children do.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...connection.private_files import UMASK, open_private, private_directory
from ...contracts.errors import SetupError
from .reaper_process import Reaper

_GRACE_SECONDS = 10.0


class ChildProcess:
    """A running child, in a process group of its own."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self.pid = process.pid
        self._process = process

    @property
    def status(self) -> int | None:
        """Exit status, negative for the signal that ended it; None while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        """Wait for the exit status and return it."""
        return await self._process.wait()

    async def stop(self) -> None:
        """Ask the child to end, and make it end where that takes too long."""
        if self.status is not None:
            return
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_GRACE_SECONDS):
                await self.wait()
        except TimeoutError:
            self.signal(signal.SIGKILL)
            await self.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the child and what it started; nothing if none is left."""
        # macOS answers "not permitted" where only the dead are left in a group.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def last_words(self, lines: int = 5, *, since: str | None = None) -> str:
        """Return the end of its output, for messages.

        Args:
            lines: How many of them.
            since: What begins the line that says why it ended. Where one does, it and those after it are returned, and
                not the stack below.
        """
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        said = [line for line in text.splitlines() if line.strip()]
        why = next((number for number, line in enumerate(said) if since and line.startswith(since)), None)
        return "\n".join(said[-lines:] if why is None else said[why : why + lines])


class ChildServer:
    """A server that is a child, for a supervisor."""

    __slots__ = ()
    process: ChildProcess

    @property
    def pid(self) -> int:
        """Id of the process."""
        return self.process.pid

    async def wait(self) -> int:
        """Wait for the exit status and return it."""
        return await self.process.wait()

    async def stop(self) -> None:
        """End the server and return once it is gone."""
        await self.process.stop()


class ProcessGroup:
    """Starts children, and stops those left when its context ends, newest first.

    Args:
        held: File descriptors that stay open until the last child has ended, even if we are killed.
    """

    def __init__(self, *, held: Sequence[int] = ()) -> None:
        self._held = held
        self._reaper: Reaper | None = None
        self._running: dict[ChildProcess, asyncio.Task[None]] = {}

    async def __aenter__(self) -> ProcessGroup:
        """Start the reaper, which ends our children if we cannot.

        Raises:
            SetupError: This platform has no process groups.
        """
        if sys.platform == "win32":
            raise SetupError(
                "the embedded stack does not run on Windows: use WSL, or a Temporal server named by TEMPORAL_ADDRESS"
            )
        self._reaper = Reaper(held=self._held)
        return self

    async def __aexit__(self, *_: object) -> None:
        for child in reversed(list(self._running)):
            await child.stop()
        await asyncio.gather(*self._running.values())
        if self._reaper:
            await self._reaper.close()

    async def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        private: bool = False,
    ) -> ChildProcess:
        """Start a child. Ctrl-C does not reach it: it ends when we stop it.

        Args:
            name: What messages call it.
            command: Program and arguments.
            log: File that its output goes to; emptied first.
            env: Its whole environment. Default: ours.
            private: Whether the files that it makes are for its owner alone.

        Raises:
            SetupError: The program cannot be started.
        """
        try:
            private_directory(log.parent)
            with open_private(log) as output:
                process = await asyncio.create_subprocess_exec(
                    *command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=asyncio.subprocess.STDOUT,
                    env=env,
                    umask=UMASK if private else -1,
                    start_new_session=True,
                )
        except OSError as error:
            raise SetupError(f"{name} cannot be started: {command[0]}: {error.strerror}") from error
        if self._reaper:
            self._reaper.add(process.pid)
        child = ChildProcess(name, process, log)
        self._running[child] = asyncio.create_task(self._forget_when_ended(child))
        return child

    async def _forget_when_ended(self, child: ChildProcess) -> None:
        await child.wait()
        # Its pid may be given to a stranger from now on: end what it left behind while the group is still ours.
        child.signal(signal.SIGKILL)
        if self._reaper:
            self._reaper.remove(child.pid)
        self._running.pop(child, None)
