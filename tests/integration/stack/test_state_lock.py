"""Two stacks never share a state directory."""

import os
from pathlib import Path

import pytest

from sostenuto import SetupError
from sostenuto.workers.stack import state_lock
from sostenuto.workers.stack.state_lock import StateLock


async def test_a_second_stack_is_told_who_holds_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_lock, "WAIT_SECONDS", 0.2)
    async with StateLock(tmp_path / "state"):
        with pytest.raises(SetupError, match=rf"pid {os.getpid()}\) runs on {tmp_path}/state.*--state-dir"):
            async with StateLock(tmp_path / "state"):
                pass


async def test_a_lock_is_free_once_its_holder_left(tmp_path: Path) -> None:
    for _ in range(2):
        async with StateLock(tmp_path):
            assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


async def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match=r"file/state cannot be written \(Not a directory\).*SOSTENUTO_STATE_DIR"):
        async with StateLock(tmp_path / "file" / "state"):
            pass
