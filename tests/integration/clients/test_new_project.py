"""A project that the command begins: its tests pass, its app runs, and nothing of somebody's is overwritten."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from tests.integration.clients.shell import Shell


async def program(directory: Path, *words: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *words), cwd=directory, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def test_a_project_from_nothing(shell: Shell) -> None:
    made = await shell.run("new", "desk")
    assert made.status == 0
    assert "Next: cd desk" in made.out
    desk = shell.directory / "desk"
    status, out = await program(desk, "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".")
    assert status == 0, out
    assert "2 passed" in out
    status, out = await program(desk, "mypy", "--strict", "--cache-dir", "/dev/null", "agents.py", "test_agents.py")
    assert status == 0, out
    status, out = await program(desk, "ruff", "check", "--no-cache", "--isolated", ".")
    assert status == 0, out

    shell.set("SOSTENUTO_MODEL", "scripted/m")
    looks = {"tool_calls": [{"name": "order_status", "arguments": {"order_id": "8"}}]}
    (shell.directory / "script.json").write_text(json.dumps([looks, {"text": "It was delivered."}]))
    ran = await shell.run("run", "desk/agents.py:app", "support", "Where is order 8?")
    assert (ran.status, ran.out) == (0, "It was delivered.\n")


async def test_what_is_there_stays(shell: Shell) -> None:
    for there in ("desk", "file"):
        before = shell.directory / "desk" / "mine.py"
        before.parent.mkdir(exist_ok=True)
        before.write_text("mine")
        (shell.directory / "file").write_text("mine")
        refused = await shell.run("new", there)
        assert (refused.status, refused.out) == (2, "")
        assert f"{there} is there already and is not empty" in refused.err
        assert [path.name for path in before.parent.iterdir()] == ["mine.py"]
    refused = await shell.run("new", "file/desk")
    assert refused.status == 2
    assert "file/desk cannot be written: Not a directory" in refused.err
