"""What the tests of the embedded stack share."""

import asyncio
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.patience import PATIENCE_SECONDS


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended but was not yet buried does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] == "Z")


async def eventually(condition: Callable[[], bool]) -> None:
    """Returns once the condition holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - the state of other processes sends no event
            await asyncio.sleep(0.02)


def of_directory(directory: Path) -> list[str]:
    """Command lines of the processes that name a directory or something in it."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.strip().partition(" ") for line in listed.splitlines()]
    return [command for pid, _, command in rows if str(directory) in command and alive(int(pid))]
