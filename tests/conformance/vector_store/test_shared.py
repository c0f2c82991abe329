"""Several processes share a directory of shards: one owns it, and another takes its place when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import struct
import sys
import time
from pathlib import Path

import pytest

from sostenuto.activities.adapters.qdrant import embedded, guest, owner
from sostenuto.activities.adapters.qdrant.calls import announced
from sostenuto.activities.adapters.qdrant.edge import EdgeShards
from sostenuto.activities.adapters.qdrant.embedded import EdgeStore
from sostenuto.activities.adapters.qdrant.frames import send
from sostenuto.activities.adapters.qdrant.guest import Guest
from sostenuto.activities.knowledge.store.vector_store import Layout, Point, StoreUnavailable
from tests.patience import PATIENCE_SECONDS

_OWNER = """
import asyncio, os, signal, sys
from pathlib import Path
from sostenuto.activities.adapters.qdrant.embedded import EdgeStore

async def main():
    store = EdgeStore(Path(sys.argv[1]))
    await store.sets()
    print(store.owns, flush=True)
    if sys.argv[2:] and not (child := os.fork()):
        print(os.getpid(), flush=True)
        os.close(1)
        signal.alarm(60)
        signal.pause()
    await asyncio.sleep(600)

asyncio.run(main())
"""
AN_ID = "00000000-0000-0000-0000-000000000001"


async def owning(directory: Path, *args: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _OWNER, str(directory), *args, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await process.stdout.readline() == b"True\n"
    return process


async def test_when_the_owner_is_killed_another_takes_its_place(tmp_path: Path) -> None:
    process = await owning(tmp_path)
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


@pytest.mark.parametrize("guess", ["guess", "gu\N{LATIN SMALL LETTER E WITH DIAERESIS}ss", 7, "long" * 100])
async def test_nobody_is_served_without_the_token(tmp_path: Path, guess: object) -> None:
    store = EdgeStore(tmp_path)
    await store.create("s", Layout(dimensions=0))
    said = announced(tmp_path)
    assert os.stat(tmp_path / "owner.json").st_mode & 0o077 == 0
    reader, writer = await asyncio.open_connection("127.0.0.1", said["port"])
    await send(writer, guess)
    with contextlib.suppress(ConnectionError):
        await send(writer, {"method": "drop", "arguments": {"name": "s"}})
    async with asyncio.timeout(PATIENCE_SECONDS):
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
    writer.close()
    assert list(await store.sets()) == ["s"]
    await store.close()


async def test_no_more_is_read_of_a_stranger_than_a_token_is_long(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path)
    await store.sets()
    reader, writer = await asyncio.open_connection("127.0.0.1", announced(tmp_path)["port"])
    writer.write(struct.pack(">I", 200_000_000))
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await reader.read() == b""
    writer.close()
    await store.close()


async def test_an_owner_that_is_held_up_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest, "MAX_SILENCE_SECONDS", 0.5)
    monkeypatch.setattr(embedded, "_WAIT_SECONDS", 0.1)
    process = await owning(tmp_path)
    store = EdgeStore(tmp_path)
    try:
        assert list(await store.sets()) == []
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(StoreUnavailable, match=rf"pid {process.pid}.*does not answer: not a word for"):
            await store.sets()
        process.send_signal(signal.SIGCONT)
        assert list(await store.sets()) == []
    finally:
        await store.close()
        process.kill()


async def test_a_call_may_take_longer_than_a_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object, **__: object) -> int:
        time.sleep(1.5)
        return 7

    monkeypatch.setattr(owner, "PULSE_SECONDS", 0.05)
    monkeypatch.setattr(guest, "MAX_SILENCE_SECONDS", 1.0)
    monkeypatch.setattr(EdgeShards, "count", slow)
    first, second = EdgeStore(tmp_path), EdgeStore(tmp_path)
    await first.create("s", Layout(dimensions=0))
    assert await second.count("s", ()) == 7
    await second.close()
    await first.close()


async def test_a_process_that_the_owner_forked_holds_nothing(tmp_path: Path) -> None:
    process = await owning(tmp_path, "forks")
    assert process.stdout
    child = int(await process.stdout.readline())
    store = EdgeStore(tmp_path)
    try:
        assert list(await store.sets()) == []
        assert not store.owns
        process.kill()
        await process.wait()
        assert list(await store.sets()) == []
        assert store.owns
    finally:
        await store.close()
        os.kill(child, signal.SIGKILL)


async def test_an_owner_of_another_version_says_so(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path)
    await store.create("s", Layout(dimensions=0))
    other = await Guest.connect(tmp_path)
    assert other
    with pytest.raises(
        StoreUnavailable, match="of another version of Sostenuto than this one and knows no call rename"
    ):
        await other.call("rename", {"name": "s"})
    with pytest.raises(StoreUnavailable, match=r"of another version of Sostenuto.*count\.name: Field required"):
        await other.call("count", {"set_name": "s"})
    assert await other.call("count", {"name": "s", "where": ()}) == 0
    other.close()
    await store.close()


async def test_what_a_process_that_died_has_announced_misleads_nobody(tmp_path: Path) -> None:
    (tmp_path / "owner.json").write_text('{"pid": 1, "port": 1, "token": "x"}')
    store = EdgeStore(tmp_path)
    assert list(await store.sets()) == []
    assert store.owns
    await store.close()
