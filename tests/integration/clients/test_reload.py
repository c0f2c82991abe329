"""A worker begins anew when a file of its project changes, and outlives an edit that is broken."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from sostenuto.clients.cli.reload import reloading


async def test_a_broken_edit_is_told_and_the_next_one_waited_for(tmp_path: Path) -> None:
    words = tmp_path / "words.py"
    words.write_text("raise ValueError(1)\n")
    (tmp_path / "shop.py").write_text("import words\n")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sostenuto", "worker", "shop.py:app", "--reload"),
        cwd=tmp_path,
        env={**os.environ, "_SOSTENUTO_RELOADED": "1"},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    waits = "reload: it does not start, and waits for the next change: shop.py cannot be imported: ValueError:"
    assert (await process.stderr.readline()).decode() == f"{waits} 1 ({words}, line 1)\n"
    words.write_text("\nraise ValueError(22)\n")
    assert (await process.stderr.readline()).decode() == "reload: words.py changed\n"
    assert (await process.stderr.readline()).decode() == f"{waits} 22 ({words}, line 2)\n"
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


async def test_an_end_without_a_change_ends_it() -> None:
    async def serve(ended: asyncio.Event) -> int:
        await ended.wait()
        return 7

    stop = asyncio.Event()
    stop.set()
    assert await reloading(serve, "shop:app", stop) == 7
