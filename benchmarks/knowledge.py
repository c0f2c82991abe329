"""How fast documents come into a collection, how fast a large one is searched, and what memory it takes.

    python -m benchmarks.knowledge [--passages N] [--stores KIND…] [--state-dir DIR] [--json FILE] [--check]

Real documents are embedded by the local model, by one worker process and by two. A large collection has made-up
vectors, for embedding so many takes longer than a benchmark may. Needs what `sostenuto pull` fetches.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.knowledge_app import COLLECTION
from benchmarks.knowledge_store import KINDS, StoreFigures
from benchmarks.retrieval import CORPUS, questions
from sostenuto import Client
from sostenuto.connection.connect import connect
from sostenuto.workers.stack.process import ProcessGroup
from sostenuto.workers.stack.temporal_server import TemporalServer

GOAL_MS = 10.0
"""Half of the embedded store's queries of 20,000 passages take less."""

_QUERIES = 200
_QUERIES_OF_THE_SLOW = 20
_PASSAGES_OF_THE_SLOW = 4_000
"""The client's local mode looks at every point for each write and each query: 20,000 would take it too long."""
_WORKERS = (1, 2)


@dataclass(frozen=True, slots=True)
class IngestFigures:
    """What workers made of the corpus."""

    workers: int
    passages: int
    passages_per_second: float
    search_p50_ms: float
    """The whole search: its query embedded, both ways, fused, reranked."""
    search_p95_ms: float


async def ingested(workers: int, state_dir: Path) -> IngestFigures:
    """Bring the corpus in by the workflow, with worker processes of their own."""
    with TemporaryDirectory() as place:
        # Their weights are those that were pulled; all else is their own.
        (Path(place) / "weights").symlink_to((state_dir / "weights").absolute())
        async with ProcessGroup() as group:
            server = await TemporalServer.start(group, Path(place), port=0, ui_port=None)
            client = Client(await connect(server.address), task_queue="benchmark")
            async with _served(workers, server.address, Path(place)):
                report = await (await client.ingest(COLLECTION, CORPUS / "docs")).result()
                seconds = [
                    found.seconds
                    for question in questions()
                    for found in (await client.search(COLLECTION, question.text),)
                ]
    return IngestFigures(
        workers=workers,
        passages=report.passages,
        passages_per_second=report.passages / report.seconds,
        search_p50_ms=1_000 * statistics.median(seconds),
        search_p95_ms=1_000 * sorted(seconds)[int(len(seconds) * 0.95)],
    )


@asynccontextmanager
async def _served(workers: int, address: str, state_dir: Path) -> AsyncIterator[None]:
    """Start worker processes as people do, and end them."""
    command = [sys.executable, "-m", "sostenuto", "worker", "benchmarks.knowledge_app:app"]
    command += ["--task-queue", "benchmark", "--address", address]
    environment = os.environ | {"SOSTENUTO_STATE_DIR": str(state_dir)}
    started = [
        await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        for _ in range(workers)
    ]
    try:
        for process in started:
            assert process.stderr
            while b"serving" not in await process.stderr.readline():
                pass
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            await process.wait()


def stored(kind: str, passages: int) -> StoreFigures:
    """Measure a store in a process of its own."""
    queries = _QUERIES
    if not kind.startswith("embedded"):
        queries, passages = _QUERIES_OF_THE_SLOW, min(passages, _PASSAGES_OF_THE_SLOW)
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.knowledge_store", kind, str(passages), str(queries)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return StoreFigures(**json.loads(said))


def _ingest_table(rows: Sequence[IngestFigures]) -> str:
    head = "worker processes  passages  passages/s  search p50 ms  search p95 ms"
    lines = (
        f"{row.workers:16}  {row.passages:8,}  {row.passages_per_second:10.1f}  {row.search_p50_ms:13.1f}"
        f"  {row.search_p95_ms:13.1f}"
        for row in rows
    )
    return "\n".join([head, *lines])


def _store_table(rows: Sequence[StoreFigures]) -> str:
    head = f"{'store':28} passages  written/s  optimize s  query p50 ms  query p95 ms  resident MB"
    lines = (
        f"{row.kind:28} {row.passages:8,}  {row.written_per_second:9,.0f}  {row.optimize_seconds:10.1f}"
        f"  {row.query_p50_ms:12.1f}  {row.query_p95_ms:12.1f}  {row.resident_mb:11,.0f}"
        for row in rows
    )
    return "\n".join([head, *lines])


def main() -> int:
    """Measure, and print two tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.knowledge", description=__doc__)
    parser.add_argument("--passages", type=int, default=20_000, help="of the large collection (default: %(default)s)")
    parser.add_argument("--stores", nargs="+", choices=KINDS, default=KINDS, metavar="KIND")
    parser.add_argument("--state-dir", type=Path, default=Path(".sostenuto"), help="where the weights are")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--check", action="store_true", help="exit with status 1 where the goal is missed")
    arguments = parser.parse_args()
    ingests = [asyncio.run(ingested(workers, arguments.state_dir)) for workers in _WORKERS]
    sys.stdout.write(_ingest_table(ingests) + "\n\n")
    sys.stdout.flush()
    stores = [stored(kind, arguments.passages) for kind in arguments.stores]
    sys.stdout.write(_store_table(stores) + "\n")
    if arguments.json:
        rows = {"ingests": [asdict(row) for row in ingests], "stores": [asdict(row) for row in stores]}
        arguments.json.write_text(json.dumps(rows, indent=1))
    missed = [row for row in stores if row.kind == "embedded" and row.query_p50_ms >= GOAL_MS]
    return 1 if arguments.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
