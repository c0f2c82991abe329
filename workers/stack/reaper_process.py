"""Our end of the reaper, which ends our children where we cannot: after SIGKILL."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


class Reaper:
    """A running reaper, told of each process group that is to end with us.

    Args:
        held: File descriptors that stay open until the last group has ended, even if we are killed.
    """

    def __init__(self, *, held: Sequence[int] = ()) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("reaper.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=held,
            start_new_session=True,
        )

    def add(self, group: int) -> None:
        """Watch a process group, to end it if this process cannot."""
        self._tell(f"+{group}")

    def remove(self, group: int) -> None:
        """Forget a process group that has ended.

        From now on its id may be given to a stranger.
        """
        self._tell(f"-{group}")

    async def close(self) -> None:
        """Let the reaper end the groups that are left, and itself."""
        if self._process.stdin:
            self._process.stdin.close()
        await asyncio.to_thread(self._process.wait)

    def _tell(self, line: str) -> None:
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(f"{line}\n".encode())
                self._process.stdin.flush()
