"""Begins a process anew when a file of its project changes.

Must not know what the process does.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

from ...activities.call.own_code import LIBRARY_FOLDERS
from ...contracts.errors import SostenutoError
from .app_loader import file_of
from .terminal import say

_TOLD: Final = "reload: "
"""How each line begins that tells of a change."""

_AGAIN: Final = "_SOSTENUTO_RELOADED"
"""Set in the environment of a process that was begun anew."""
_PAUSE_SECONDS: Final = 0.3
_SKIPPED: Final = ("__pycache__", "node_modules", *LIBRARY_FOLDERS)
_MOST_NAMED: Final = 3

_Stamps = dict[str, tuple[int, int]]


Serve = Callable[[asyncio.Event, asyncio.Event], Awaitable[int]]
"""Serves until its first event is set, sets its second once it has begun, and returns the exit status."""


async def reloading(serve: Serve, app: str, stop: asyncio.Event) -> int:
    """Serve until told to stop, and begin this process anew after changes.

    A change is one of a file of its project. An error ends the first start. After a change it is told, and the next
    change is waited for, where nothing was served yet.

    Args:
        serve: What serves.
        app: The place of what is served: beside the files below here, those beside it are watched.
        stop: Told to stop by somebody else.
    """
    folders = _folders(app)
    before = _stamps(folders)
    ended, is_up = asyncio.Event(), asyncio.Event()
    serving = asyncio.ensure_future(serve(ended, is_up))
    changing = asyncio.create_task(_changed(folders, before))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, changing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done() and (stop.is_set() or is_up.is_set() or not _failed_again(serving)):
            return serving.result()
        has_failed = serving.done()
        await asyncio.wait({changing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not stopping.done():
            drains = "" if has_failed else "; calls in flight may end first"
            say(f"{_TOLD}{_named(changing.result())} changed{drains}")
        ended.set()
        # It may be told to stop while it does.
        await asyncio.wait({serving})
        if stop.is_set():
            return 0 if has_failed else serving.result()
    finally:
        changing.cancel()
        stopping.cancel()
    _begin_anew()
    raise AssertionError("unreachable")


async def tell_reloads(log: Path, show: Callable[[str], None]) -> NoReturn:
    """Show what a process that is begun anew says of changes.

    Args:
        log: What it says; emptied where the process is started again.
        show: Shows a line.
    """
    read = 0
    while True:
        await asyncio.sleep(_PAUSE_SECONDS)
        with suppress(FileNotFoundError), log.open("rb") as file:
            read = file.seek(read if file.seek(0, os.SEEK_END) >= read else 0)
            said = file.read()
            whole = said[: said.rfind(b"\n") + 1]
            read += len(whole)
            for line in whole.decode(errors="replace").splitlines():
                if line.startswith(_TOLD):
                    show(line)


def _folders(app: str) -> set[Path]:
    here, file = Path.cwd(), file_of(app)
    return {here} if file is None or file.is_relative_to(here) else {here, file.parent}


def _failed_again(serving: asyncio.Future[int]) -> bool:
    error = serving.exception()
    if _AGAIN not in os.environ or not isinstance(error, SostenutoError):
        return False
    say(f"{_TOLD}it does not start, and waits for the next change: {error}")
    return True


def _begin_anew() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, _AGAIN: "1"})  # noqa: S606 - this process itself


async def _changed(folders: set[Path], before: _Stamps) -> list[str]:
    """Wait until files change, and no more do, and return them."""
    while True:
        await asyncio.sleep(_PAUSE_SECONDS)
        now = await asyncio.to_thread(_stamps, folders)
        if now == before:
            continue
        while True:
            await asyncio.sleep(_PAUSE_SECONDS)
            later = await asyncio.to_thread(_stamps, folders)
            if later == now:
                return sorted(file for file in {*before, *now} if before.get(file) != now.get(file))
            now = later


def _stamps(folders: set[Path]) -> _Stamps:
    found = {}
    for folder in folders:
        for file in _files(folder):
            with suppress(OSError):
                stat = file.stat()
                found[str(file)] = (stat.st_mtime_ns, stat.st_size)
    return found


def _files(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _SKIPPED]
        yield from (Path(where, name) for name in files if name.endswith(".py") or name == "sostenuto.toml")


def _named(files: list[str]) -> str:
    names = [os.path.relpath(file) for file in files[:_MOST_NAMED]]
    more = f" and {len(files) - _MOST_NAMED} more" if len(files) > _MOST_NAMED else ""
    return f"{', '.join(names)}{more}"
