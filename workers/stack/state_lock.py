"""One stack per state directory: two servers on one file would ruin it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Final

from ...connection.private_files import FILE_MODE, private_directory
from ...contracts.errors import SetupError

# A stack that was killed holds its lock until the reaper has ended its children.
WAIT_SECONDS: Final = 5.0


class StateLock:
    """Holds a state directory while its context lasts.

    Also while a child that inherited `fd` lives.

    Raises:
        SetupError: Another stack holds it; says which process and what to do.
    """

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self.fd = -1
        """File descriptor that carries the lock."""

    async def __aenter__(self) -> StateLock:
        path = self._state_dir / "lock"
        try:
            private_directory(self._state_dir)
            self.fd = os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE)
        except OSError as error:
            raise SetupError(
                f"the state directory {self._state_dir} cannot be written ({error.strerror}): "
                "choose another by --state-dir or SOSTENUTO_STATE_DIR"
            ) from error
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._take()
        except TimeoutError:
            holder = os.pread(self.fd, 20, 0).decode().strip() or "unknown"
            os.close(self.fd)
            raise SetupError(
                f"another stack (pid {holder}) runs on {self._state_dir}: stop it first, or choose another state "
                "directory by --state-dir"
            ) from None
        os.ftruncate(self.fd, 0)
        os.pwrite(self.fd, f"{os.getpid()}\n".encode(), 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        os.close(self.fd)

    async def _take(self) -> None:
        import fcntl  # noqa: PLC0415 - Windows lacks it, and is told so elsewhere

        while True:
            try:
                fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                await asyncio.sleep(0.1)
            else:
                return
