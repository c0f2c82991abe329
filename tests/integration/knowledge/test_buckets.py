"""Documents in a bucket: each is fetched once, and again where it has changed, by workers that share no files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sostenuto import App, Client, Collection, SpecError
from sostenuto.clients.ingest import CollectionFailed
from sostenuto.connection.converter import data_converter
from sostenuto.contracts.wire.ingest.ingest import IngestReport
from sostenuto.workers.settings import Settings
from sostenuto.workflows.knowledge import ingest_workflow
from tests.fakes.bucket_server import BucketServer, error
from tests.fakes.http_server import Answer, Asked
from tests.fakes.knowledge import WordEncoder

if TYPE_CHECKING:
    from tests.integration.knowledge.conftest import Served

ALLOWED = Settings(ingest_hosts=("s3://docs", "s3://empty", "s3://gone"))


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BucketServer]:
    """A server with buckets, to which the workers' environment leads."""
    async with BucketServer(docs={}, empty={}, other={"a.md": b"Nobody allowed this."}) as running:
        running.lead_here(monkeypatch)
        yield running


async def ingested(client: Client, collection: Collection, *sources: Path | str, **options: object) -> IngestReport:
    ingest = await client.ingest(collection, sources, **options)  # type: ignore[arg-type]
    return await ingest.result()


def counts(report: IngestReport) -> tuple[int, int, int, int]:
    return report.done, report.unchanged, report.failed, report.removed


async def test_new_unchanged_changed_and_gone(
    serving: Served, handbook: Collection, encoder: WordEncoder, server: BucketServer
) -> None:
    docs = server.buckets["docs"]
    docs |= {"docs/a b+c.md": b"Alpha is first.", "docs/\u00fc/100%25 #1?.md": b"Beta is second.", "docs/": b""}
    async with serving(App(collections=[handbook]), settings=ALLOWED) as client:
        assert counts(await ingested(client, handbook, "s3://docs/docs/")) == (2, 0, 0, 0)
        found = await client.search(handbook, "Beta", limit=1)
        assert found.passages[0].source == "s3://docs/docs/\u00fc/100%25 #1?.md"
        assert len(server.named("GET")) == 2
        embedded = len(encoder.texts)

        assert counts(await ingested(client, handbook, "s3://docs/docs", "s3://docs/**/*.md")) == (0, 2, 0, 0)
        # An address that was found is one that can be named.
        assert counts(await ingested(client, handbook, "s3://docs/docs/a b+c.md", prune=True)) == (0, 1, 0, 0)
        assert (len(server.named("GET")), len(encoder.texts)) == (2, embedded)

        docs["docs/a b+c.md"] = b"Alpha is new."
        assert counts(await ingested(client, handbook, "s3://docs/docs")) == (1, 1, 0, 0)
        assert server.named("GET")[2:] == ["docs/a b+c.md"]

        del docs["docs/\u00fc/100%25 #1?.md"]
        assert counts(await ingested(client, handbook, "s3://docs/docs", prune=True)) == (0, 1, 0, 1)
        found = await client.search(handbook, "is", limit=9)
        assert [passage.text for passage in found.passages] == ["Alpha is new."]


@pytest.mark.usefixtures("short_pauses")
async def test_an_outage_in_the_middle_ends_no_ingest(
    serving: Served, handbook: Collection, server: BucketServer
) -> None:
    server.buckets["docs"] |= {f"{number}.md": f"Document {number}.".encode() for number in range(4)}
    async with serving(App(collections=[handbook]), settings=ALLOWED) as client:
        for is_meant in (_is_list, _is_get):
            left = 5

            def away(asked: Asked, is_meant: Callable[[Asked], bool] = is_meant) -> Answer | None:
                nonlocal left
                if left and is_meant(asked):
                    left -= 1
                    return error(503, "SlowDown") if left % 2 else Answer(fault="reset")
                return None

            server.instead = away
            report = await ingested(client, handbook, "s3://docs", rebuild=True)
            assert (counts(report), left) == ((4, 0, 0, 0), 0)


async def test_an_object_that_cannot_be_read_now_is_not_gone(
    serving: Served, handbook: Collection, server: BucketServer
) -> None:
    docs = server.buckets["docs"]
    docs |= {"a.md": b"Alpha.", "b.md": b"Beta."}
    async with serving(App(collections=[handbook]), settings=ALLOWED) as client:
        await ingested(client, handbook, "s3://docs")
        docs["a.md"] = b"Alpha is new."
        server.instead = lambda asked: error(403, "AccessDenied") if asked.path == "/docs/a.md" else None
        before = len(server.named("GET"))
        report = await ingested(client, handbook, "s3://docs", prune=True)
        assert counts(report) == (0, 1, 1, 0)
        assert report.failures[0].uri == "s3://docs/a.md"
        assert "may not read it (s3:GetObject) of the bucket 'docs' (403 AccessDenied)" in report.failures[0].reason
        assert len(server.named("GET")) == before + 1
        assert {one.text for one in (await client.search(handbook, "Alpha", limit=9)).passages} == {"Alpha.", "Beta."}


async def test_sources_that_are_none(serving: Served, handbook: Collection, server: BucketServer) -> None:
    server.buckets["docs"]["a.md"] = b"Alpha."
    async with serving(App(collections=[handbook]), settings=ALLOWED) as client:
        for source, words in (
            (
                "s3://other/a.md",
                r"'other' is not allowed \(allowed: s3://docs, s3://empty, s3://gone\): name it as s3://o",
            ),
            ("s3://gone/a.md", "there is no bucket 'gone'"),
            ("s3://empty", "no object is at or below 's3://empty'"),
            ("s3://docs/*.pdf", "no object fits the pattern 's3://docs/"),
        ):
            with pytest.raises(CollectionFailed, match=words):
                await ingested(client, handbook, "s3://docs/a.md", source)
        with pytest.raises(SpecError, match="ingest: source 's3://' names no bucket: write s3://BUCKET/KEY"):
            await client.ingest(handbook, "s3://")
        server.instead = lambda _: error(403, "AccessDenied")
        before = len(server.asked)
        with pytest.raises(CollectionFailed, match="may not list it"):
            await ingested(client, handbook, "s3://docs/")
        assert len(server.asked) == before + 1
    assert server.named("GET") == []


async def test_a_large_bucket_is_listed_page_by_page_after_files(
    serving: Served,
    handbook: Collection,
    documents: Path,
    server: BucketServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two thousand objects fit no pattern, and those that do are found over several pages."""
    monkeypatch.setattr(ingest_workflow, "_PAGE", 10)
    (documents / "file.md").write_text("A file.")
    docs = server.buckets["docs"]
    docs |= {f"a/{number:04}.bin": b"\0" for number in range(2_000)}
    docs |= {f"b/{number:02}.md": f"Document {number}.".encode() for number in range(25)}
    async with serving(App(collections=[handbook]), settings=ALLOWED) as client:
        ingest = await client.ingest(handbook, ["s3://docs/**/*.md", documents], concurrency=8)
        report = await ingest.result()
        history = await client.temporal.get_workflow_handle(ingest.id).fetch_history()
    assert counts(report) == (26, 0, 0, 0)
    # All of it to find whether anything fits, and the first page; then from where each page ended.
    assert len(server.lists) <= 3 + 3 + 2
    assert any("start-after=b%2F08.md" in asked.path for asked in server.lists)
    assert "planted-secret-key" not in str(history.events)
    assert "AKIATESTER" not in str(history.events)


async def test_what_workers_read_themselves_is_not_uploaded(
    serving: Served, handbook: Collection, server: BucketServer, tmp_path: Path
) -> None:
    async with serving(App(collections=[handbook]), settings=ALLOWED) as client:
        converter = data_converter(tmp_path / "payloads")
        apart = Client(type(client.temporal)(**(client.temporal.config() | {"data_converter": converter})))
        with pytest.raises(SpecError, match="there is nothing to upload: workers read s3:// and https:// themselves"):
            await apart.ingest(handbook, "s3://docs/", upload=True)
    assert server.asked == []


def _is_list(asked: Asked) -> bool:
    return "list-type=2" in asked.path


def _is_get(asked: Asked) -> bool:
    return asked.method == "GET" and not _is_list(asked)
