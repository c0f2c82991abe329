"""A worker that brings documents in and kills itself with SIGKILL at one exact point of it.

Run as `python -m tests.chaos.ingesting ADDRESS TASK_QUEUE DIRECTORY POINT`. What was embedded stands in the directory
afterwards, written by whichever worker it was.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client

from sostenuto import App, Collection
from sostenuto.activities.adapters.qdrant.embedded import EdgeStore
from sostenuto.activities.knowledge.encoding import EncodedPassage
from sostenuto.activities.knowledge.store.catalogue import CATALOGUE
from sostenuto.activities.knowledge.store.stored import DOCUMENT
from sostenuto.activities.knowledge.store.vector_store import Point
from sostenuto.activities.prices.price import OnCharge
from sostenuto.connection.connect import connect
from sostenuto.workers.worker import build_worker
from sostenuto.workflows import policy
from tests.chaos.victim import die, record, recorded
from tests.fakes.knowledge import WORDS, WordEncoder, knowledge
from tests.patience import VICTIM_HEARTBEAT_SECONDS

LIBRARY = Collection("library", embedding=WORDS)
PASSAGES = 2
"""Of each document."""

_EMBEDDING_SECONDS = 0.01


def word(number: int) -> str:
    """A word that one document has, and no other."""
    return f"zq{number:04}x"


def write_documents(directory: Path, count: int) -> None:
    """Write so many documents, each with words of its own."""
    directory.mkdir()
    for number in range(count):
        text = f"Document {word(number)} begins here.\n\nAnd {word(number)} ends here."
        (directory / f"{number:04}.md").write_text(text)


class RecordingEncoder(WordEncoder):
    """Notes every text before it is embedded, as one who charges for it would; `embedded-N` dies with the N-th.

    It takes a while, so that others are at theirs when it dies.
    """

    def __init__(self, directory: Path, point: str) -> None:
        super().__init__()
        self._directory = directory
        self._deadly = _number(point, "embedded")

    async def passages(self, texts: Sequence[str], charge: OnCharge) -> Sequence[EncodedPassage]:
        """Each text as it is stored."""
        for text in texts:
            (found,) = re.findall(r"zq\d{4}x", text)
            record(self._directory, "embedded", word=found)
        await asyncio.sleep(_EMBEDDING_SECONDS)
        encoded = await super().passages(texts, charge)
        if self._deadly and len(recorded(self._directory, "embedded")) >= self._deadly:
            die(self._directory)
        return encoded


class DeadlyStore(EdgeStore):
    """A store whose process dies after one of its writes.

    `staged-N`: when the N-th document is whole. `shown-N`: when a search may see the N-th step. `showing-N`: when
    everything is written that the N-th step shows, but the one write by which searches see it.
    """

    def __init__(self, directory: Path, point: str) -> None:
        super().__init__(directory / "store")
        self._records = directory
        self._staged = _number(point, "staged")
        self._shown = _number(point, "shown")
        self._showing = _number(point, "showing")

    async def upsert(self, name: str, points: Sequence[Point]) -> None:
        """Store points, and die where it is time to."""
        for point in points:
            if name == CATALOGUE and self._showing and point.payload["step"] == self._showing:
                die(self._records)
        await super().upsert(name, points)
        for point in points:
            if name == CATALOGUE and self._shown and point.payload["step"] == self._shown:
                die(self._records)
            if point.payload.get("kind") == DOCUMENT:
                record(self._records, "staged", uri=point.payload["uri"])
                if self._staged and len(recorded(self._records, "staged")) >= self._staged:
                    die(self._records)


def embedded(directory: Path) -> Mapping[str, int]:
    """How many texts of each document were embedded, by the document's word."""
    return Counter(line["word"] for line in recorded(directory, "embedded"))


async def start_victim(temporal: Client, task_queue: str, directory: Path, point: str) -> asyncio.subprocess.Process:
    """A process that serves the collection and dies at the point; without one it lives."""
    address = temporal.service_client.config.target_host
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.chaos.ingesting", address, task_queue, str(directory), point
    )


def _number(point: str, kind: str) -> int:
    name, _, number = point.partition("-")
    return int(number) if name == kind else 0


async def main(address: str, task_queue: str, directory: Path, point: str) -> None:
    """Serve the collection until killed."""
    policy.HEARTBEAT_TIMEOUT = timedelta(seconds=VICTIM_HEARTBEAT_SECONDS)  # type: ignore[misc]
    client = await connect(address)
    (directory / "store").mkdir(exist_ok=True)
    store = DeadlyStore(directory, point)
    adapters: dict[str, Any] = {}
    async with knowledge(directory / "store", RecordingEncoder(directory, point), store) as services:
        worker = build_worker(
            client, App(collections=[LIBRARY]), adapters, lambda *_: 0.0, task_queue=task_queue, services=services
        )
        await worker.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4]))
