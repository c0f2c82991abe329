"""Loaders of people's own: what they read, and what becomes of one that fails."""

from __future__ import annotations

import asyncio
from email import message_from_bytes
from pathlib import Path
from typing import TYPE_CHECKING

from sostenuto import App, Collection, Document, DocumentFailed
from sostenuto.activities.call import own_loader
from sostenuto.contracts.collection.document import Loader
from tests.fakes.knowledge import WORDS

if TYPE_CHECKING:
    import pytest

    from tests.integration.knowledge.conftest import Served

MAIL = b"Subject: The probe\nFrom: desk@example.com\n\nStore it lying flat.\x00\n"


def read_mail(data: bytes, uri: str) -> Document:
    """Read a mail."""
    assert uri.startswith("file:///")
    mail = message_from_bytes(data)
    return Document(f"# {mail['subject']}\n\n{mail.get_payload()}", form="markdown", title=mail["subject"])


async def read_slowly(data: bytes, uri: str) -> str:
    """Read a log."""
    await asyncio.sleep(0.01)
    return f"The log of {Path(uri).stem}: {data.decode()}"


def read_badly(data: bytes, uri: str) -> str:
    """Raise what it reads."""
    raise KeyboardInterrupt(data.decode())


def read_nothing(data: bytes, uri: str) -> str:
    """Give back something else."""
    return 7  # type: ignore[return-value]


async def test_documents_are_read_by_them(serving: Served, task_queue: str, documents: Path) -> None:
    loaders: dict[str, Loader] = {".eml": read_mail, ".log": read_slowly, ".bad": read_badly, ".none": read_nothing}
    collection = Collection(task_queue, embedding=WORDS, loaders=loaders)
    (documents / "a.EML").write_bytes(MAIL)
    (documents / "b.log").write_text("pump started")
    (documents / "c.bad").write_text("there is no \x1b[31m header")
    (documents / "d.none").write_text("x")
    (documents / "e.md").write_text("Plain.")
    async with serving(App(collections=[collection])) as client:
        report = await (await client.ingest(collection, documents)).result()
        found = await client.search(collection, "the probe stored lying flat", limit=1)
        log = await client.search(collection, "log of b pump started", limit=1)
    assert (report.done, report.failed) == (3, 2)
    assert found.passages[0].title == "The probe"
    assert "\x00" not in "".join(passage.text for passage in found.passages)
    assert log.passages[0].text == "The log of b: pump started"
    assert {Path(failure.uri).name: failure.reason for failure in report.failures} == {
        "c.bad": "c.bad: its loader read_badly says: KeyboardInterrupt: there is no \x1b[31m header",
        "d.none": "d.none: by its loader read_nothing: it gives back 7, and not a text or a Document",
    }


class Unreadable(str):
    """A text that tells nobody how long it is."""

    __slots__ = ()

    def __len__(self) -> int:
        raise SystemExit("no length")


class Unasked:
    """What cannot even be asked what it is."""

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        raise OSError("no class")


def read_oddly(data: bytes, uri: str) -> str:
    """Give back a text of a class of its own."""
    return Unreadable(data.decode())


def read_secretly(data: bytes, uri: str) -> str:
    """Give back what raises when it is looked at."""
    return Unasked()  # type: ignore[return-value]


async def read_until_cancelled(data: bytes, uri: str) -> str:
    """Cancel itself."""
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(1)
    return ""


async def test_whatever_one_raises_is_the_reason(serving: Served, task_queue: str, documents: Path) -> None:
    loaders: dict[str, Loader] = {".odd": read_oddly, ".own": read_secretly, ".end": read_until_cancelled}
    collection = Collection(task_queue, embedding=WORDS, loaders=loaders)
    for suffix in loaders:
        (documents / f"a{suffix}").write_text("x")
    async with serving(App(collections=[collection])) as client:
        report = await (await client.ingest(collection, documents)).result()
    assert {Path(failure.uri).name: failure.reason for failure in report.failures} == {
        "a.odd": "a.odd: by its loader read_oddly: what it gives back cannot be read: SystemExit: no length",
        "a.own": "a.own: its loader read_secretly says: OSError: no class",
        "a.end": "a.end: its loader read_until_cancelled cancels itself",
    }


async def test_one_that_does_not_end_is_cut_off(
    serving: Served, task_queue: str, documents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read_never(data: bytes, uri: str) -> str:
        await asyncio.sleep(3600)
        return ""

    monkeypatch.setattr(own_loader, "LOADER_SECONDS", 0.2)
    collection = Collection(task_queue, embedding=WORDS, loaders={".log": read_never})
    (documents / "b.log").write_text("x")
    (documents / "e.md").write_text("Plain.")
    async with serving(App(collections=[collection])) as client:
        report = await (await client.ingest(collection, documents)).result()
    assert (report.done, report.failed) == (1, 1)
    assert report.failures[0].reason == "b.log: its loader read_never did not end within 0.2 s"


async def test_a_loader_that_this_worker_lacks_is_another_workers(
    serving: Served, task_queue: str, documents: Path
) -> None:
    mine = Collection(task_queue, embedding=WORDS, loaders={".eml": read_mail})
    (documents / "a.eml").write_bytes(MAIL)
    read_back = Collection.model_validate_json(mine.model_dump_json())
    assert read_back == mine
    async with serving(App(collections=[read_back])) as client:
        ingest = await client.ingest(mine, documents)
        report = await ingest.result()
        events = [event async for event in (await client.get(ingest.id)).events()]
    assert report.failed == 1
    assert "of this worker's app has no loader 'read_mail'" in report.failures[0].reason
    (failed,) = (event for event in events if isinstance(event, DocumentFailed))
    assert (failed.uri, failed.reason) == (report.failures[0].uri, report.failures[0].reason)
