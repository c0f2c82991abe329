"""A worker that is killed while a large embedded set is made fast loses none of it, and leaves nothing running."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sostenuto.activities.adapters.qdrant.edge import EdgeShards
from tests.integration.stack.processes import of_directory
from tests.patience import PATIENCE_SECONDS

WORKER = """
import os, shutil, signal, sys
from pathlib import Path

from sostenuto.activities.adapters.qdrant import edge, optimizing
from sostenuto.activities.knowledge.store.vector_store import Layout, Point
from sostenuto.activities.knowledge.store.vectors import vector_text

edge._SMALL = 10
directory, steps = Path(sys.argv[1]), int(sys.argv[2])
if sys.argv[3:]:
    optimizing._PROGRAM = sys.argv[3]
shards = edge.EdgeShards(directory)
shards.create("s", Layout(dimensions=2))
ids = [f"00000000-0000-0000-0000-{number:012}" for number in range(20)]
shards.upsert("s", [Point(id=id, dense=vector_text([1, number])) for number, id in enumerate(ids)])


def dies_before(step):
    def taken(*args, **kwargs):
        global steps
        if not steps:
            os.kill(os.getpid(), signal.SIGKILL)
        steps -= 1
        return step(*args, **kwargs)

    return taken


Path.rename, shutil.rmtree = dies_before(Path.rename), dies_before(shutil.rmtree)
shards.optimize("s")
"""


def test_every_moment_of_taking_the_old_ones_place_keeps_the_set(tmp_path: Path) -> None:
    """Killed before the first change of a folder, before the second one and so on, until there is none left."""
    for steps in range(10):
        directory = tmp_path / str(steps)
        directory.mkdir()
        ended = subprocess.run([sys.executable, "-c", WORKER, str(directory), str(steps)], check=False)
        shards = EdgeShards(directory)
        assert shards.sets() == ["s"], f"killed before change {steps}"
        assert shards.count("s", ()) == 20
        shards.close()
        assert not list(directory.glob("*.old"))
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL
    assert ended.returncode == 0
    assert steps > 2


def test_what_builds_the_indexes_ends_with_its_worker(tmp_path: Path) -> None:
    """It holds Python's own lock, as the engine does, so that no code of its own could see that the worker is gone."""
    sleeps = "import ctypes; ctypes.PyDLL(None).sleep(600)"
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(tmp_path), "9", sleeps])
    _until(lambda: any(".copy" in command for command in of_directory(tmp_path)))
    worker.kill()
    worker.wait()
    _until(lambda: of_directory(tmp_path) == [])


def _until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.1)
