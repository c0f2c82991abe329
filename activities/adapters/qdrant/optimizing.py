"""Makes a shard fast, in a process of its own.

The engine does it with Python's own lock held: the process of a worker would stand still, and be taken for dead.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from ...knowledge.store.vector_store import StoreError

_COPY: Final = ".copy"
_WITH_ITS_WORKER: Final = """
import os, signal
program = os.getpid()
guard = os.fork()
if not guard:
    os.close(1)
    os.close(2)
    os.read(0, 1)
    if os.getppid() == program:
        os.kill(program, signal.SIGKILL)
    os._exit(0)
"""
"""A guard ends the program when its standard input closes: with Python's own lock held, no thread of its own could."""

_PROGRAM: Final = """
import sys, qdrant_edge
shard = qdrant_edge.EdgeShard.load(sys.argv[1])
shard.optimize()
shard.flush()
shard.close()
"""
_END_GUARD: Final = """
os.kill(guard, signal.SIGKILL)
os.waitpid(guard, 0)
"""


class Optimizer:
    """Makes fast copies of shards, each by a process of its own.

    Such a process ends with this one, also where this one is killed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def copy(self, shard: Path) -> Path:
        """Return a copy of a shard that is fast.

        Blocks, for minutes. Nobody writes to the shard meanwhile.

        Raises:
            StoreError: It cannot be made.
            ConnectionError: This was stopped.
        """
        # What a process that was killed has left.
        for left in shard.parent.glob(f"{shard.name}.*{_COPY}"):
            shutil.rmtree(left, ignore_errors=True)
        copy = Path(mkdtemp(prefix=f"{shard.name}.", suffix=_COPY, dir=shard.parent))
        try:
            shutil.copytree(shard, copy, dirs_exist_ok=True)
            self._run(copy)
        except BaseException as error:
            shutil.rmtree(copy, ignore_errors=True)
            if isinstance(error, OSError) and not isinstance(error, ConnectionError):
                raise StoreError(f"the indexes of {shard} cannot be built: {error}") from None
            raise
        return copy

    def stop(self) -> None:
        """Give up what is under way, and let nothing more begin."""
        with self._lock:
            self._stopped = True
            for process in self._processes:
                process.kill()

    def _run(self, copy: Path) -> None:
        with self._lock:
            if self._stopped:
                raise ConnectionError("the vector store closes")
            process = subprocess.Popen(
                [sys.executable, "-c", _WITH_ITS_WORKER + _PROGRAM + _END_GUARD, str(copy)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            self._processes.add(process)
        try:
            with process:
                # Its standard input stays open meanwhile: `communicate` would close it.
                said = process.stderr.read() if process.stderr else b""
        finally:
            with self._lock:
                self._processes.discard(process)
        if process.returncode < 0:
            raise ConnectionError("the process that builds the indexes was killed")
        if process.returncode:
            raise StoreError(f"the indexes of {copy} cannot be built: {said.decode(errors='replace')[-500:]}")


class Users:
    """Who uses what, so that a thing is closed when nobody does."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._using: Counter[str] = Counter()
        self._closing: set[str] = set()

    @contextmanager
    def one(self, name: str) -> Iterator[None]:
        """Use it; waits while it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: name not in self._closing)
            self._using[name] += 1
        try:
            yield
        finally:
            with self._changed:
                self._using[name] -= 1
                self._changed.notify_all()

    @contextmanager
    def none(self, name: str) -> Iterator[None]:
        """Wait until nobody uses it, and let nobody while the block lasts."""
        with self._changed:
            self._changed.wait_for(lambda: name not in self._closing)
            self._closing.add(name)
            self._changed.wait_for(lambda: not self._using[name])
        try:
            yield
        finally:
            with self._changed:
                self._closing.discard(name)
                self._changed.notify_all()
