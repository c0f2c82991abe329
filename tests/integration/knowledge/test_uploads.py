"""Documents that are uploaded: for workers that do not share the client's files."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import App, Client, Collection, SetupError, SpecError
from sostenuto.clients.ingest import CollectionFailed
from sostenuto.connection.converter import data_converter, uploads_of
from sostenuto.workers.served.activities import Services
from sostenuto.workers.worker import build_worker
from sostenuto.workflows.knowledge import ingest_workflow
from tests.fakes.knowledge import knowledge

if TYPE_CHECKING:
    from tests.integration.knowledge.conftest import Served


def sharing(temporal: TemporalClient, directory: Path) -> TemporalClient:
    """The client, with a directory for large payloads."""
    return TemporalClient(**(temporal.config() | {"data_converter": data_converter(directory)}))


def write(folder: Path, name: str) -> None:
    """Write a document of its own words."""
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(f"The word of {name} is {name[0] * 3}.")


async def test_workers_read_what_was_uploaded(
    temporal: TemporalClient,
    task_queue: str,
    handbook: Collection,
    documents: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ingest_workflow, "_PAGE", 2)
    for name in ("a.md", "b.md", "c/d.md", "c/e.md", "z.md"):
        write(documents, name)
    (documents / "empty.md").write_bytes(b"")
    client = Client(sharing(temporal, tmp_path / "payloads"), task_queue=task_queue)
    async with knowledge(tmp_path / "store") as services:
        assert services.reading
        reading = replace(services.reading, uploads=uploads_of(client.temporal))
        worker = build_worker(
            client.temporal,
            App(collections=[handbook]),
            {},
            lambda *_: 0.0,
            task_queue=task_queue,
            services=Services(knowledge=services.knowledge, reading=reading),
        )
        # Nothing of it is where the worker could read it.
        ingest = await client.ingest(handbook, documents, upload=True)
        shutil.rmtree(documents)
        async with worker:
            report = await ingest.result()
            found = await client.search(handbook, "the word of d.md ccc", limit=1)
            await asyncio.to_thread(write, documents, "a.md")
            again = await (await client.ingest(handbook, documents, upload=True, prune=True)).result()
    assert (report.done, report.failed) == (5, 1)
    assert report.failures[0].reason.endswith("empty.md: it is empty: it has 0 bytes")
    assert found.passages[0].source == (documents / "c/d.md").as_uri()
    assert (again.done, again.unchanged, again.removed) == (0, 1, 4)


async def test_a_worker_without_the_directory_says_so(
    serving: Served, handbook: Collection, documents: Path, tmp_path: Path
) -> None:
    (documents / "a.md").write_text("Text.")
    async with serving(App(collections=[handbook])) as client:
        with pytest.raises(SetupError, match="there is no directory to upload to: set SOSTENUTO_PAYLOAD_DIR"):
            await client.ingest(handbook, documents, upload=True)
        apart = Client(sharing(client.temporal, tmp_path / "payloads"), task_queue=client.task_queue)
        with pytest.raises(SpecError, match="there is no '/nowhere' on this machine, whose files"):
            await apart.ingest(handbook, "/nowhere", upload=True)
        ingest = await apart.ingest(handbook, documents, upload=True)
        with pytest.raises(CollectionFailed, match="this worker has no SOSTENUTO_PAYLOAD_DIR"):
            await ingest.result()
