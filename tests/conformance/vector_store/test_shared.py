"""Several processes share a directory of shards: one owns it, and another takes its place when it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from sostenuto.activities.adapters.qdrant.calls import announced
from sostenuto.activities.adapters.qdrant.embedded import EdgeStore
from sostenuto.activities.adapters.qdrant.frames import send
from sostenuto.activities.knowledge.store.vector_store import Layout, Point, StoreUnavailable
from tests.patience import PATIENCE_SECONDS

_OWNER = """
import asyncio, sys
from pathlib import Path
from sostenuto.activities.adapters.qdrant.embedded import EdgeStore

async def main():
    store = EdgeStore(Path(sys.argv[1]))
    await store.sets()
    print(store.owns, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""
AN_ID = "00000000-0000-0000-0000-000000000001"


async def owner(directory: Path) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _OWNER, str(directory), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await process.stdout.readline() == b"True\n"
    return process


async def test_when_the_owner_is_killed_another_takes_its_place(tmp_path: Path) -> None:
    process = await owner(tmp_path)
    first, second = EdgeStore(tmp_path), EdgeStore(tmp_path)
    try:
        await first.create("s", Layout(dimensions=0))
        await first.upsert("s", [Point(id=AN_ID, payload={"kept": True})])
        assert await second.count("s", ()) == 1
        assert (first.owns, second.owns) == (False, False)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        found, counted = await asyncio.gather(first.read("s", [AN_ID]), second.count("s", ()))
        assert (found[0].payload, counted) == ({"kept": True}, 1)
        assert first.owns != second.owns
    finally:
        await first.close()
        await second.close()
        if process.returncode is None:
            process.kill()


async def test_when_the_owner_closes_another_takes_its_place(tmp_path: Path) -> None:
    first, second = EdgeStore(tmp_path), EdgeStore(tmp_path)
    await first.create("s", Layout(dimensions=0))
    assert await second.count("s", ()) == 0
    await first.close()
    assert announced(tmp_path) == {}
    assert await second.count("s", ()) == 0
    assert second.owns
    with pytest.raises(StoreUnavailable, match="is closed: its worker ends"):
        await first.sets()
    await second.close()


async def test_many_calls_at_once_get_their_own_answers(tmp_path: Path) -> None:
    first, second = EdgeStore(tmp_path), EdgeStore(tmp_path)
    ids = [f"00000000-0000-0000-0000-{number:012}" for number in range(1, 51)]
    await first.create("s", Layout(dimensions=0))
    await first.upsert("s", [Point(id=one, payload={"id": one}) for one in ids])
    answers = await asyncio.gather(*(store.read("s", [one]) for one in ids for store in (first, second)))
    assert [answer[0].payload["id"] for answer in answers] == [one for one in ids for _ in range(2)]
    cancelled = [asyncio.create_task(second.read("s", ids)) for _ in range(20)]
    await asyncio.sleep(0)
    for task in cancelled[::2]:
        task.cancel()
    await asyncio.gather(*cancelled, return_exceptions=True)
    assert [(await second.read("s", [one]))[0].id for one in ids] == ids
    await second.close()
    await first.close()


async def test_nobody_is_served_without_the_token(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path)
    await store.create("s", Layout(dimensions=0))
    said = announced(tmp_path)
    assert os.stat(tmp_path / "owner.json").st_mode & 0o077 == 0
    reader, writer = await asyncio.open_connection("127.0.0.1", said["port"])
    await send(writer, "guess")
    await send(writer, {"method": "drop", "arguments": {"name": "s"}})
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await reader.read() == b""
    writer.close()
    assert list(await store.sets()) == ["s"]
    await store.close()


async def test_what_a_process_that_died_has_announced_misleads_nobody(tmp_path: Path) -> None:
    (tmp_path / "owner.json").write_text('{"pid": 1, "port": 1, "token": "x"}')
    store = EdgeStore(tmp_path)
    assert list(await store.sets()) == []
    assert store.owns
    await store.close()
