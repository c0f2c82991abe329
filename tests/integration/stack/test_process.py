"""Children end with us, in order where we can, and by the reaper where we cannot."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from sostenuto import SetupError
from sostenuto.workers.stack.process import ProcessGroup
from tests.integration.stack.processes import alive, eventually

# Says its pid and that of a grandchild, then ends on SIGTERM alone.
FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""

PARENT = """
import asyncio, sys
from pathlib import Path
from sostenuto.workers.stack.process import ProcessGroup

async def main():
    async with ProcessGroup() as group:
        child = await group.start("family", [sys.executable, "-c", sys.argv[2]], log=Path(sys.argv[1]))
        print(child.pid, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


async def grandchild(log: Path) -> int:
    await eventually(lambda: log.exists() and log.read_text().endswith("\n"))
    return int(await asyncio.to_thread(log.read_text))


async def test_children_and_what_they_started_end_with_the_context(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "family.log"
    async with ProcessGroup() as group:
        child = await group.start("family", [sys.executable, "-c", FAMILY], log=log)
        descendant = await grandchild(log)
        assert alive(child.pid)
        assert alive(descendant)
    assert child.status == -signal.SIGTERM
    await eventually(lambda: not alive(descendant))


async def test_the_newest_child_is_stopped_first(tmp_path: Path) -> None:
    order = tmp_path / "order"
    code = (
        "import signal, sys, time\n"
        f"def end(*_):\n    open({str(order)!r}, 'a').write(sys.argv[1]); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\nprint('ready', flush=True)\ntime.sleep(600)"
    )
    async with ProcessGroup() as group:
        for name in ("1", "2", "3"):
            log = tmp_path / name
            await group.start(name, [sys.executable, "-c", code, name], log=log)
            await eventually(lambda log=log: log.read_text() == "ready\n")  # type: ignore[misc]
    assert order.read_text() == "321"


async def test_a_crash_ends_what_the_child_had_started(tmp_path: Path) -> None:
    log = tmp_path / "family.log"
    async with ProcessGroup() as group:
        child = await group.start("family", [sys.executable, "-c", FAMILY], log=log)
        descendant = await grandchild(log)
        os.kill(child.pid, signal.SIGKILL)
        assert await child.wait() == -signal.SIGKILL
        await eventually(lambda: not alive(descendant))


async def test_a_child_that_ignores_the_request_is_made_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sostenuto.workers.stack.process._GRACE_SECONDS", 0.2)
    log = tmp_path / "log"
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    async with ProcessGroup() as group:
        child = await group.start("deaf", [sys.executable, "-c", code], log=log)
        await eventually(lambda: child.last_words() == "deaf")
    assert child.status == -signal.SIGKILL


async def test_nothing_outlives_a_killed_parent(tmp_path: Path) -> None:
    log = tmp_path / "family.log"
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(log), FAMILY, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout
    child = int(await parent.stdout.readline())
    descendant = await grandchild(log)
    assert alive(child)
    parent.kill()
    await parent.wait()
    await eventually(lambda: not alive(child) and not alive(descendant))


async def test_last_words_are_the_end_of_the_output(tmp_path: Path) -> None:
    async with ProcessGroup() as group:
        child = await group.start(
            "speaker", [sys.executable, "-c", "for i in range(9): print(i, '\\n')"], log=tmp_path / "log"
        )
        assert await child.wait() == 0
    assert child.last_words(2) == "7 \n8 "


async def test_a_missing_program_is_named(tmp_path: Path) -> None:
    async with ProcessGroup() as group:
        with pytest.raises(SetupError, match=r"the thing cannot be started: /no/such: No such file"):
            await group.start("the thing", ["/no/such"], log=tmp_path / "log")
