"""Large payloads in a directory: kept once, whole or not at all, and never mistaken for another."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.converter import StorageDriverClaim, StorageDriverRetrieveContext, StorageDriverStoreContext

from sostenuto import SetupError
from sostenuto.connection.converter import data_converter
from sostenuto.connection.payload_store import DirectoryStore
from sostenuto.contracts.limits import OFFLOADED_BYTES

STORE = StorageDriverStoreContext()
RETRIEVE = StorageDriverRetrieveContext()


def files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


async def test_what_is_stored_comes_back_and_is_kept_once(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    payloads = [Payload(metadata={"encoding": b"json/plain"}, data=text.encode()) for text in ("a", "b", "a")]
    claims = await store.store(STORE, payloads)
    assert await store.retrieve(RETRIEVE, claims) == payloads
    assert len(files(tmp_path)) == 2
    again = await asyncio.gather(*(DirectoryStore(tmp_path).store(STORE, payloads) for _ in range(5)))
    assert all(found == claims for found in again)
    assert len(files(tmp_path)) == 2


async def test_a_missing_payload_says_what_to_set(tmp_path: Path) -> None:
    claim = StorageDriverClaim(claim_data={"sha256": "0" * 64})
    with pytest.raises(SetupError, match="set SOSTENUTO_PAYLOAD_DIR to"):
        await DirectoryStore(tmp_path).retrieve(RETRIEVE, [claim])


async def test_a_damaged_payload_is_not_taken_for_the_whole(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    claims = await store.store(STORE, [Payload(data=b"whole")])
    (file,) = files(tmp_path)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(SetupError, match="is damaged"):
        await store.retrieve(RETRIEVE, claims)


async def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError("no space")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space"):
        await DirectoryStore(tmp_path).store(STORE, [Payload(data=b"whole")])
    assert files(tmp_path) == []


async def test_only_large_payloads_leave_the_history(tmp_path: Path) -> None:
    converter = data_converter(tmp_path)
    small, large = "x" * 1000, "x" * OFFLOADED_BYTES
    payloads = await converter.encode([small, large])
    assert [len(payload.data) < 1200 for payload in payloads] == [True, True]
    assert len(files(tmp_path)) == 1
    assert await converter.decode(payloads, [str, str]) == [small, large]
