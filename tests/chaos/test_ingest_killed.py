"""An ingest whose workers are killed three times and whose Temporal server is killed once.

Every document is there once, and hardly one was embedded twice. `make test` takes 500 documents; more:
`INGEST_DOCUMENTS=2000 python -m pytest tests/chaos/test_ingest_killed.py`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowHandle

from sostenuto import Client
from sostenuto.activities.call.stages import StageClock
from sostenuto.activities.knowledge.search import Knowledge, find_passages
from sostenuto.activities.knowledge.sources.files import uri_of
from sostenuto.activities.knowledge.store.stored import PASSAGE, visible_at
from sostenuto.activities.knowledge.store.vector_store import VectorStore, Where
from sostenuto.connection.connect import connect
from sostenuto.contracts import names
from sostenuto.contracts.wire.retrieval import RetrievalCall
from sostenuto.workers.served.activities import Services
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import TemporalServer
from tests.chaos.ingesting import LIBRARY, PASSAGES, embedded, start_victim, word, write_documents
from tests.fakes.knowledge import knowledge
from tests.patience import PATIENCE_SECONDS

DOCUMENTS = int(os.environ.get("INGEST_DOCUMENTS", "500"))
MOST_REPEATED = 0.02
"""Share of the texts that may be embedded once more than without the kills."""

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

POINTS = (
    f"embedded-{DOCUMENTS * PASSAGES // 4}",
    f"staged-{DOCUMENTS * 2 // 5}",
    f"showing-{max(1, DOCUMENTS * 3 // 500)}",
)
"""Where the workers die, one after the other: with vectors in hand, with a document written whose activity has not
ended yet, and before the one write that shows a page."""


@asynccontextmanager
async def serving(
    temporal: TemporalClient, directory: Path, point: str = ""
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker process, which is gone when the block ends."""
    process = await start_victim(temporal, "library", directory, point)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def finished(temporal: TemporalClient, workflow_id: str) -> set[str]:
    """The words of the documents that the history says are in."""
    # Each step's summary is the name of its file.
    scheduled: dict[int, str] = {}
    done: set[str] = set()
    handle: WorkflowHandle[object, object] = temporal.get_workflow_handle(workflow_id)
    async for event in handle.fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            started = event.activity_task_scheduled_event_attributes
            if started.activity_type.name == names.INGEST_DOCUMENT_ACTIVITY:
                number = event.user_metadata.summary.data.decode().strip('"').removesuffix(".md")
                scheduled[event.event_id] = word(int(number))
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            done.add(scheduled.get(event.activity_task_completed_event_attributes.scheduled_event_id, ""))
    return done - {""}


async def reached(directory: Path, texts: int) -> None:
    """Wait until so many texts were embedded."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if sum(embedded(directory).values()) >= texts:
                return
            await asyncio.sleep(0.05)


async def test_every_document_is_there_once_and_hardly_one_was_embedded_twice(tmp_path: Path) -> None:
    write_documents(tmp_path / "documents", DOCUMENTS)
    before: dict[str, int] = {}
    async with ProcessGroup() as group:
        server = await TemporalServer.start(group, tmp_path, port=0, ui_port=None)
        temporal = await connect(server.address)
        ingest = await Client(temporal, task_queue="library").ingest(LIBRARY, tmp_path / "documents")
        for point in POINTS:
            async with serving(temporal, tmp_path, point) as victim, asyncio.timeout(PATIENCE_SECONDS):
                assert await victim.wait() == -signal.SIGKILL, f"it ended otherwise than by dying at {point}"
            counted = embedded(tmp_path)
            before |= {one: counted[one] for one in await finished(temporal, ingest.id) if one not in before}
        async with serving(temporal, tmp_path):
            await reached(tmp_path, DOCUMENTS * PASSAGES * 4 // 5)
            server.process.signal(signal.SIGKILL)
            await server.wait()
            await TemporalServer.start(group, tmp_path, port=server.port, ui_port=None)
            report = await ingest.result()
    assert (report.done, report.failed, report.passages) == (DOCUMENTS, 0, DOCUMENTS * PASSAGES)
    after = embedded(tmp_path)
    assert len(before) >= DOCUMENTS // 2
    assert {one: after[one] for one in before} == before, "a document that was finished was embedded again"
    repeated = sum(after.values()) - DOCUMENTS * PASSAGES
    sys.stdout.write(f"{repeated} of {DOCUMENTS * PASSAGES} texts were embedded once more\n")
    assert len(after) == DOCUMENTS
    assert repeated <= MOST_REPEATED * DOCUMENTS * PASSAGES, f"{repeated} texts more than there are were embedded"
    async with knowledge(tmp_path / "store") as services:
        await _check_stored(services, tmp_path)


async def _check_stored(services: Services, directory: Path) -> None:
    """Each document is there with its passages, once, and is found."""
    known = services.knowledge
    assert known
    (stored,) = await known.collections.catalogue.all()
    assert (stored.documents, stored.passages) == (DOCUMENTS, DOCUMENTS * PASSAGES)
    store: VectorStore = known.collections._store
    assert await store.count("library.1", ()) == DOCUMENTS * (1 + PASSAGES), "something is left of an attempt"
    where = [Where(key="kind", any_of=(PASSAGE,)), *visible_at(stored.step)]
    passages = await store.scroll("library.1", where, limit=DOCUMENTS * PASSAGES * 2, keys=["uri", "start", "passage"])
    assert len({(one.payload["uri"], one.payload["start"]) for one in passages}) == DOCUMENTS * PASSAGES
    for number in range(DOCUMENTS):
        await _check_found(known, directory / "documents" / f"{number:04}.md", number)


async def _check_found(known: Knowledge, path: Path, number: int) -> None:
    found = await find_passages(
        known, RetrievalCall(collection=LIBRARY, query=word(number), limit=40), StageClock(lambda _: None)
    )
    own = [passage for passage in found.passages if word(number) in passage.text]
    assert [passage.source for passage in own] == [uri_of(str(path))] * PASSAGES
