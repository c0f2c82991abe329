"""Documents are brought in once, again where they changed, and each fault is told and stops nothing else."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import App, Client, Collection, SpecError
from sostenuto.activities.prices.price import OnCharge
from sostenuto.clients.ingest import CollectionFailed
from sostenuto.connection.connect import connect
from sostenuto.contracts.wire.ingest.ingest import IngestReport
from sostenuto.workers.worker import build_worker
from sostenuto.workflows.knowledge import ingest_workflow
from tests.fakes.knowledge import WordEncoder, knowledge
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from tests.integration.knowledge.conftest import Served


async def ingested(client: Client, collection: Collection, *sources: Path | str, **options: object) -> IngestReport:
    ingest = await client.ingest(collection, sources, **options)  # type: ignore[arg-type]
    return await ingest.result()


async def texts(client: Client, collection: Collection, query: str, **options: object) -> list[str]:
    found = await client.search(collection, query, limit=20, **options)  # type: ignore[arg-type]
    return sorted(passage.text for passage in found.passages)


def counts(report: IngestReport) -> tuple[int, int, int, int]:
    return report.done, report.unchanged, report.failed, report.removed


async def test_new_unchanged_changed_and_gone(
    serving: Served, handbook: Collection, documents: Path, encoder: WordEncoder
) -> None:
    (documents / "a.md").write_text("Alpha is first.\n\nAlpha again.")
    (documents / "inner").mkdir()
    (documents / "inner" / "b.txt").write_text("Beta is second.")
    (documents / ".hidden").write_text("Nobody asked for this.")
    async with serving(App(collections=[handbook])) as client:
        first = await ingested(client, handbook, documents)
        assert (counts(first), first.passages, first.found, first.listed) == ((2, 0, 0, 0), 3, 2, True)
        assert await texts(client, handbook, "is") == ["Alpha again.", "Alpha is first.", "Beta is second."]
        embedded = len(encoder.texts)

        assert counts(await ingested(client, handbook, documents)) == (0, 2, 0, 0)
        assert len(encoder.texts) == embedded

        (documents / "a.md").write_text("Alpha is new.")
        (documents / "inner" / "b.txt").unlink()
        assert counts(await ingested(client, handbook, documents)) == (1, 0, 0, 0)
        assert await texts(client, handbook, "is") == ["Alpha is new.", "Beta is second."]
        assert counts(await ingested(client, handbook, documents, prune=True)) == (0, 1, 0, 1)
        assert await texts(client, handbook, "is") == ["Alpha is new."]
        (summary,) = await client.collections()
        assert (summary.name, summary.documents, summary.passages) == (handbook.name, 1, 1)


async def test_what_is_pruned_is_under_the_sources_alone(
    serving: Served, handbook: Collection, documents: Path
) -> None:
    for folder in ("one", "two"):
        (documents / folder).mkdir()
        (documents / folder / "x.md").write_text(f"In {folder}.")
    async with serving(App(collections=[handbook])) as client:
        await ingested(client, handbook, documents)
        for folder in ("one", "two"):
            (documents / folder / "x.md").unlink()
        (documents / "one" / "y.md").write_text("In one, too.")
        assert counts(await ingested(client, handbook, documents / "one", prune=True)) == (1, 0, 0, 1)
        assert await texts(client, handbook, "In") == ["In one, too.", "In two."]


async def test_what_lies_below_what_cannot_be_listed_is_not_gone(
    serving: Served, handbook: Collection, documents: Path, tmp_path: Path
) -> None:
    for folder in ("kept", "unmounted", "gone"):
        (documents / folder / "deep").mkdir(parents=True)
        (documents / folder / "deep" / "x.md").write_text(f"In {folder}.")
    async with serving(App(collections=[handbook])) as client:
        await ingested(client, handbook, documents)
        (documents / "kept").rename(tmp_path / "elsewhere")
        (documents / "kept").symlink_to(tmp_path / "elsewhere")
        shutil.rmtree(documents / "unmounted")
        (documents / "unmounted").symlink_to(tmp_path / "nowhere")
        shutil.rmtree(documents / "gone")
        assert counts(await ingested(client, handbook, documents, prune=True)) == (0, 0, 2, 1)
        assert await texts(client, handbook, "In") == ["In kept.", "In unmounted."]


async def test_what_is_gone_from_a_pattern_is_pruned_and_nothing_else(
    serving: Served, handbook: Collection, documents: Path
) -> None:
    (documents / "inner").mkdir()
    for name in ("notes[1].md", "notes1.md", "inner/a.md", "inner/b.md"):
        (documents / name).write_text(f"In {Path(name).stem}.")
    async with serving(App(collections=[handbook])) as client:
        await ingested(client, handbook, documents)
        assert counts(await ingested(client, handbook, documents / "notes[1].md", prune=True)) == (0, 1, 0, 0)
        (documents / "inner" / "b.md").unlink()
        (documents / "notes1.md").unlink()
        assert counts(await ingested(client, handbook, f"{documents}/[i]nner", prune=True)) == (0, 1, 0, 1)
        assert counts(await ingested(client, handbook, f"{documents}/**/*.md", prune=True)) == (0, 2, 0, 1)
        assert await texts(client, handbook, "In") == ["In a.", "In notes[1]."]


def write_latin_names(documents: Path) -> None:
    folder = os.fsencode(documents)
    for number in range(100):  # a page ends at the last one
        Path(os.fsdecode(folder + b"/caf\xe9%02d.md" % number)).write_text(f"Alpha {number}.")
    Path(os.fsdecode(folder + b"/caf\xe9b.md")).write_text("Beta.")
    Path(os.fsdecode(folder + b"/caf\xe9c.md")).write_bytes(b"")


async def test_names_that_are_not_unicode_are_names(serving: Served, handbook: Collection, documents: Path) -> None:
    write_latin_names(documents)
    async with serving(App(collections=[handbook])) as client:
        report = await ingested(client, handbook, documents)
        assert counts(report) == (101, 0, 1, 0)
        assert "it is empty" in report.failures[0].reason
        assert counts(await ingested(client, handbook, documents, prune=True)) == (0, 101, 1, 0)
        assert "Beta." in await texts(client, handbook, "Beta")


async def test_faults_of_documents_are_told_and_stop_nothing_else(
    serving: Served, handbook: Collection, documents: Path
) -> None:
    (documents / "good.md").write_text("All is well.")
    (documents / "empty.md").write_bytes(b"")
    (documents / "binary.md").write_bytes(bytes(range(256)) * 40)
    (documents / "latin.txt").write_bytes("Gr\xfc\xdfe".encode("latin-1"))
    (documents / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing")
    with (documents / "large.md").open("wb") as file:
        file.truncate(200_000_000)
    (documents / "circle").symlink_to(documents)
    os.mkfifo(documents / "pipe")
    async with serving(App(collections=[handbook])) as client:
        report = await ingested(client, handbook, documents)
        found = await texts(client, handbook, "well")
    told = {Path(failure.uri).name: failure.reason for failure in report.failures}
    assert counts(report) == (1, 0, 7, 0)
    assert found == ["All is well."]
    assert told.keys() == {"empty.md", "binary.md", "latin.txt", "broken.pdf", "large.md", "circle", "pipe"}
    assert told["large.md"] == "it has 200,000,000 bytes and the limit is 50,000,000: split it"
    assert told["circle"] == "it is a link to a folder: name that folder itself"
    assert told["pipe"] == "it is neither a file nor a folder"
    assert "UTF-8" in told["latin.txt"]


async def test_a_document_that_cannot_be_read_now_keeps_its_earlier_version(
    serving: Served, handbook: Collection, documents: Path
) -> None:
    (documents / "a.md").write_text("Alpha is first.")
    async with serving(App(collections=[handbook])) as client:
        await ingested(client, handbook, documents)
        (documents / "a.md").write_bytes(b"")
        report = await ingested(client, handbook, documents, prune=True)
        assert counts(report) == (0, 0, 1, 0)
        assert await texts(client, handbook, "Alpha") == ["Alpha is first."]


async def test_a_rebuilt_collection_has_what_there_is_now(
    serving: Served, handbook: Collection, documents: Path
) -> None:
    (documents / "a.md").write_text("Alpha.")
    (documents / "b.md").write_text("Beta.")
    async with serving(App(collections=[handbook])) as client:
        await ingested(client, handbook, documents)
        (documents / "a.md").unlink()
        report = await ingested(client, handbook, documents, rebuild=True)
        assert counts(report) == (1, 0, 0, 0)
        assert report.note.startswith("it had 2 documents before and has 1 now: made anew")
        assert await texts(client, handbook, "Alpha Beta") == ["Beta."]
        (summary,) = await client.collections()
        assert (summary.generation, summary.documents) == (2, 1)


async def test_fields_are_typed_and_limit_searches(serving: Served, handbook: Collection, documents: Path) -> None:
    for name in ("core", "ops"):
        (documents / name).mkdir()
        (documents / name / "x.md").write_text(f"The word of {name}.")
    async with serving(App(collections=[handbook])) as client:
        await ingested(client, handbook, documents / "core", fields={"team": "core", "year": 2024})
        await ingested(client, handbook, documents / "ops", texts={"team": "ops", "year": "2026"})
        assert await texts(client, handbook, "word", filters={"team": ["core", "sales"]}) == ["The word of core."]
        assert await texts(client, handbook, "word", filters={"year": {"from": 2025}}) == ["The word of ops."]
        assert await texts(client, handbook, "word", texts={"year": "2024"}) == ["The word of core."]
        for wrong, words in (
            ({"fields": {"colour": "red"}}, "fields: there is no field 'colour'; there are: team, year"),
            ({"fields": {"year": "2024"}}, "fields: year: '2024' is not an integer"),
            ({"texts": {"year": "soon"}}, "fields: year: 'soon' is not of kind integer"),
            ({"tenant": "acme"}, "is not partitioned: it takes no tenant"),
        ):
            with pytest.raises(CollectionFailed, match=words):
                await ingested(client, handbook, documents, **wrong)
        with pytest.raises(CollectionFailed, match="filter: there is no field 'colour'; there are: team, year"):
            await client.search(handbook, "word", filters={"colour": "red"})


async def test_sources_that_are_none(serving: Served, handbook: Collection, documents: Path) -> None:
    async with serving(App(collections=[handbook])) as client:
        for source, words in (
            (documents / "nowhere", "there is no '.*nowhere' on the worker's machine"),
            (documents / "*.md", "nothing fits the pattern"),
        ):
            with pytest.raises(CollectionFailed, match=words):
                await ingested(client, handbook, source)
        with pytest.raises(SpecError, match=r"'ftp://x\.org/a' is an address that is not read"):
            await client.ingest(handbook, "ftp://x.org/a")
        with pytest.raises(SpecError, match="name at least one file"):
            await client.ingest(handbook, [])
        report = await ingested(client, handbook, "https://example.com/a.md", "http://169.254.169.254/latest/meta-data")
    assert counts(report) == (0, 0, 2, 0)
    assert all("is not allowed (allowed: 127.0.0.1, localhost)" in failure.reason for failure in report.failures)


async def test_one_ingest_of_a_collection_at_a_time(
    serving: Served, handbook: Collection, documents: Path, encoder: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (documents / "a.md").write_text("Alpha.")
    go_on = asyncio.Event()
    passages = encoder.passages

    async def slow(batch: list[str], charge: OnCharge) -> object:
        await go_on.wait()
        return await passages(batch, charge)

    monkeypatch.setattr(encoder, "passages", slow)
    async with serving(App(collections=[handbook])) as client:
        first = await client.ingest(handbook, documents)
        with pytest.raises(SpecError, match=f"an ingest of '{handbook.name}' is under way"):
            await client.ingest(handbook, documents)
        with pytest.raises(SpecError, match=f"an ingest of '{handbook.name}' is under way"):
            await client.drop_collection(handbook.name)
        go_on.set()
        assert counts(await first.result()) == (1, 0, 0, 0)


async def test_a_cancelled_ingest_can_be_gone_on_with(
    serving: Served, handbook: Collection, documents: Path, encoder: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (documents / "a.md").write_text("Alpha.")
    begun = asyncio.Event()
    passages = encoder.passages

    async def hangs(_: list[str], __: OnCharge) -> object:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with serving(App(collections=[handbook])) as client:
        monkeypatch.setattr(encoder, "passages", hangs)
        ingest = await client.ingest(handbook, documents)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await begun.wait()
        await ingest.cancel()
        with pytest.raises(CollectionFailed, match="was cancelled"):
            await ingest.result()
        assert await texts(client, handbook, "Alpha") == []
        monkeypatch.setattr(encoder, "passages", passages)
        assert counts(await ingested(client, handbook, documents)) == (1, 0, 0, 0)
        assert await texts(client, handbook, "Alpha") == ["Alpha."]


async def test_many_documents_continue_as_new(
    impatient: TemporalClient, serving: Served, handbook: Collection, documents: Path
) -> None:
    for number in range(230):
        (documents / f"{number:03}.md").write_text(f"Document {number}.")
    async with serving(App(collections=[handbook]), temporal=impatient) as client:
        ingest = await client.ingest(handbook, documents, concurrency=16)
        seen = [progress async for progress in ingest.follow()]
        report = await ingest.result()
        (summary,) = await client.collections()
        history = await impatient.get_workflow_handle(ingest.id).fetch_history()
    assert counts(report) == (230, 0, 0, 0)
    assert summary.documents == 230
    assert history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    assert "Document 7." not in str(history.events)
    done = [progress.done for progress in seen]
    assert done == sorted(done)


async def test_a_worker_without_the_collection_hands_its_steps_on(
    temporal: TemporalClient, serving: Served, handbook: Collection, documents: Path, task_queue: str, tmp_path: Path
) -> None:
    for number in range(8):
        (documents / f"{number}.md").write_text(f"Document {number}.")
    second = await connect(temporal.service_client.config.target_host)
    old = build_worker(second, App(), {}, lambda *_: 0.0, task_queue=task_queue)
    async with serving(App(collections=[handbook])) as client, old:
        assert counts(await ingested(client, handbook, documents)) == (8, 0, 0, 0)
        assert len(await texts(client, handbook, "Document")) == 8


async def test_two_workers_share_a_store(
    temporal: TemporalClient,
    serving: Served,
    handbook: Collection,
    documents: Path,
    task_queue: str,
    tmp_path: Path,
    encoder: WordEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first one has two documents at most, and waits with them until the second one has some, too."""
    for number in range(12):
        (documents / f"{number}.md").write_text(f"Document {number}.")
    second = await connect(temporal.service_client.config.target_host)
    app = App(collections=[handbook])
    theirs = WordEncoder()
    passages, their_passages, begun = encoder.passages, theirs.passages, asyncio.Event()

    async def patient(batch: list[str], charge: OnCharge) -> object:
        await begun.wait()
        return await passages(batch, charge)

    async def second_ones(batch: list[str], charge: OnCharge) -> object:
        begun.set()
        return await their_passages(batch, charge)

    monkeypatch.setattr(encoder, "passages", patient)
    monkeypatch.setattr(theirs, "passages", second_ones)
    async with (
        serving(app, max_concurrent_calls=2) as client,
        knowledge(tmp_path / "store", theirs) as services,
        build_worker(second, app, {}, lambda *_: 0.0, task_queue=task_queue, services=services),
    ):
        assert counts(await ingested(client, handbook, documents, concurrency=6)) == (12, 0, 0, 0)
        assert len(await texts(client, handbook, "Document")) == 12
    assert theirs.texts


async def test_many_that_are_gone_are_taken_out_page_by_page(
    serving: Served, handbook: Collection, documents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_workflow, "_VANISHED_PAGE", 2)
    for number in range(7):
        (documents / f"{number}.md").write_text(f"Document {number}.")
    async with serving(App(collections=[handbook])) as client:
        await (await client.ingest(handbook, documents)).result()
        for number in range(6):
            (documents / f"{number}.md").unlink()
        report = await (await client.ingest(handbook, documents, prune=True)).result()
        (summary,) = [one for one in await client.collections() if one.name == handbook.name]
    assert (report.removed, report.unchanged) == (6, 1)
    assert summary.documents == 1


async def test_a_document_of_which_something_else_is_known_is_brought_in_again(
    serving: Served, handbook: Collection, documents: Path
) -> None:
    (documents / "a.md").write_text("The plan.")
    async with serving(App(collections=[handbook])) as client:
        for team, year in (("everyone", 2026), ("board", 2026)):
            report = await (await client.ingest(handbook, documents, fields={"team": team, "year": year})).result()
            assert report.done == 1
        same = await (await client.ingest(handbook, documents, fields={"year": 2026, "team": "board"})).result()
        everyones = await client.search(handbook, "plan", filters={"team": "everyone"})
        boards = await client.search(handbook, "plan", filters={"team": "board"})
    assert (same.done, same.unchanged) == (0, 1)
    assert (len(everyones.passages), len(boards.passages)) == (0, 1)


async def test_what_holds_an_ingest_up_is_told(temporal: TemporalClient, handbook: Collection, documents: Path) -> None:
    (documents / "a.md").write_text("Text.")
    client = Client(temporal, task_queue=f"{handbook.name}-of-nobody")
    ingest = await client.ingest(handbook, documents)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := await ingest.hindrances()):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.2)
    await ingest.cancel()
    (hindrance,) = found
    assert hindrance.run_id == ingest.id
    assert hindrance.reason == f"no worker takes work from {client.task_queue!r}"
