"""What ends is started again: at once the first time, then after growing pauses."""

import asyncio
from pathlib import Path

import pytest

from sostenuto import SetupError
from sostenuto.workers.stack.process import ChildProcess, ProcessGroup
from sostenuto.workers.stack.supervisor import Supervisor
from tests.integration.stack.processes import alive, eventually


async def test_it_starts_again_what_ended_and_waits_longer_each_time(tmp_path: Path) -> None:
    said: list[str] = []
    async with ProcessGroup() as group:

        async def start() -> ChildProcess:
            return await group.start("brief", ["false"], log=tmp_path / "log")

        async with Supervisor("brief", start, said.append):
            await eventually(lambda: len(said) >= 5)
    ends = [line.split(": ", 1)[1] for line in said if "ended with status 1" in line]
    assert ends[:3] == ["starting it again", "starting it again in 1 s", "starting it again in 2 s"]


async def test_leaving_stops_it_for_good(tmp_path: Path) -> None:
    said: list[str] = []
    async with ProcessGroup() as group:

        async def start() -> ChildProcess:
            return await group.start("lasting", ["sleep", "600"], log=tmp_path / "log")

        async with Supervisor("lasting", start, said.append) as supervisor:
            pid = supervisor.current.pid
            assert alive(pid)
        await asyncio.sleep(0)
        assert not alive(pid)
    assert said == []


async def test_a_first_start_that_fails_is_the_callers_and_a_later_one_is_reported(tmp_path: Path) -> None:
    said: list[str] = []
    fails = [False, True, False]
    async with ProcessGroup() as group:

        async def start() -> ChildProcess:
            if fails.pop(0):
                raise SetupError("no luck")
            return await group.start("x", ["sleep", "600"] if not fails else ["false"], log=tmp_path / "log")

        async with Supervisor("x", start, said.append) as supervisor:
            await eventually(lambda: not fails and alive(supervisor.current.pid))
        assert "no luck" in said
        fails.append(True)
        with pytest.raises(SetupError, match="no luck"):
            await Supervisor("x", start, said.append).__aenter__()
