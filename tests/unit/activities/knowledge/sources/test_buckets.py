"""Which objects are found for sources in buckets, and in what order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from sostenuto.activities.knowledge.sources.buckets import BucketObject, BucketSource, check_bucket_source
from sostenuto.activities.knowledge.sources.source import MAX_DOCUMENT_BYTES, SourceError

KEYS = (
    *("x", "x.md", "docs", "docs/a.md", "docs/b/c.md", "docs/b/d.txt", "docs-x/e.md", "docs.md", "docs/.h/f.md"),
    *("notes[1].md", "notes1.md", "notes/a/b/g.md", "notes/h.md", "notes/.i.md", "q?.md", "ü/é #1.md", "p%20q.md"),
)


class ListedBuckets:
    """Buckets that have objects of one byte each. May refuse to tell of an object, or to list."""

    def __init__(self, keys: Sequence[str] = KEYS, refusing: Sequence[str] = ()) -> None:
        self._objects = {key: BucketObject(key, 1, "tag") for key in sorted(keys, key=str.encode)}
        self._refusing = refusing
        self.sizes: dict[str, int] = {}

    async def found(self, bucket: str, key: str) -> BucketObject | None:
        if "found" in self._refusing:
            raise SourceError("may not read it")
        return self._objects.get(key)

    async def below(self, bucket: str, folder: str, after: str = "") -> AsyncIterator[BucketObject]:
        if "below" in self._refusing:
            raise SourceError("may not list it")
        start = f"{folder}/" if folder else ""
        for key in self._objects:
            if key.startswith(start) and key.encode() > after.encode():
                yield BucketObject(key, self.sizes.get(key, 1), "tag")

    async def fetch(self, bucket: str, key: str) -> tuple[BucketObject, bytes]:
        return self._objects[key], b"x"


async def listed(*sources: str, limit: int = 1_000, buckets: ListedBuckets | None = None) -> list[str]:
    """Everything that is found, page by page."""
    source = BucketSource(buckets or ListedBuckets())
    found: list[str] = []
    cursor, is_first = "", True
    while cursor or is_first:
        is_first = False
        page = await source.after(cursor, sources, limit)
        assert len(page.documents) + len(page.failures) <= limit
        found += [one.uri for one in page.documents]
        cursor = page.cursor
    return found


SHAPED = (
    *("s3://b", "s3://b/", "s3://b/docs", "s3://b/docs/", "s3://b/docs.md", "s3://b/docs/b", "s3://b/*", "s3://b/**"),
    *("s3://b/**/*.md", "s3://b/*/*.md", "s3://b/docs/**", "s3://b/docs*/", "s3://b/notes/**/*.md", "s3://b/notes?.md"),
    *("s3://b/notes[[]1].md", "s3://b/q[?].md", "s3://b/docs/.h/f.md", "s3://b/ü/é #1.md", "s3://b/p%20q.md"),
)


@pytest.mark.parametrize("shape", SHAPED)
async def test_what_is_covered_is_what_is_listed_on_any_page(shape: str) -> None:
    whole = await listed(shape)
    assert whole
    covers = BucketSource(ListedBuckets()).covering([shape])
    assert whole == [uri for uri in whole if covers(uri)]
    assert sorted(whole) == sorted(f"s3://b/{key}" for key in KEYS if covers(f"s3://b/{key}"))
    for limit in (1, 2, 3):
        assert await listed(shape, limit=limit) == whole


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("s3://b/docs", ["docs", "docs/a.md", "docs/b/c.md", "docs/b/d.txt"]),
        ("s3://b/docs/", ["docs/a.md", "docs/b/c.md", "docs/b/d.txt"]),
        ("s3://b/notes/**/*.md", ["notes/a/b/g.md", "notes/h.md"]),
        ("s3://b/notes[[]1].md", ["notes[1].md"]),
        ("s3://b/notes[1].md", ["notes1.md"]),
        ("s3://b/p%20q.md", ["p%20q.md"]),
        ("s3://b/**/.i.md", ["notes/.i.md"]),
    ],
)
async def test_what_a_source_means(source: str, found: list[str]) -> None:
    assert await listed(source) == [f"s3://b/{key}" for key in found]


@pytest.mark.parametrize("limit", [1, 2, 3, 1_000])
async def test_overlapping_sources_give_each_object_once(limit: int) -> None:
    sources = ("s3://b/docs/b/c.md", "s3://b/docs", "s3://b/docs", "s3://b/**/*.md", "s3://a/docs-x", "s3://a/docs/")
    found = await listed(*sources, limit=limit)
    assert len(found) == len(set(found))
    assert found[:4] == ["s3://a/docs/a.md", "s3://a/docs/b/c.md", "s3://a/docs/b/d.txt", "s3://a/docs-x/e.md"]
    assert {uri for uri in found if uri.startswith("s3://b/")} == {
        f"s3://b/{key}" for key in KEYS if key.endswith((".md", "docs", "d.txt")) and "/." not in key
    }


async def test_a_source_that_has_no_object() -> None:
    for source, words in (
        ("s3://b/nowhere", "no object is at or below 's3://b/nowhere': check the name"),
        ("s3://b/nowhere/", "no object is at or below"),
        ("s3://b/*.pdf", "no object fits the pattern"),
    ):
        with pytest.raises(SourceError, match=words.replace("*", r"\*")):
            await listed("s3://b/docs/", source)


async def test_an_object_may_be_read_by_who_may_not_list_and_the_other_way_round() -> None:
    assert await listed("s3://b/x.md", buckets=ListedBuckets(refusing=["below"])) == ["s3://b/x.md"]
    assert await listed("s3://b/notes", buckets=ListedBuckets(refusing=["found"]))
    with pytest.raises(SourceError, match="may not read it"):
        await listed("s3://b/x.md", buckets=ListedBuckets(refusing=["found", "below"]))
    with pytest.raises(SourceError, match="may not read it"):
        await listed("s3://b/x.md", buckets=ListedBuckets(refusing=["found"]))
    with pytest.raises(SourceError, match="may not list it"):
        await listed("s3://b/docs/", buckets=ListedBuckets(refusing=["below"]))


async def test_what_is_too_large_is_told_and_not_fetched() -> None:
    buckets = ListedBuckets()
    buckets.sizes["docs/a.md"] = MAX_DOCUMENT_BYTES + 1
    page = await BucketSource(buckets).after("", ["s3://b/docs/"], 100)
    assert [(one.uri, one.reason) for one in page.failures] == [
        ("s3://b/docs/a.md", "it has 50,000,001 bytes and the limit is 50,000,000: split it")
    ]
    assert len(page.documents) == 2


async def test_what_is_listed_and_what_is_fetched_have_one_hash() -> None:
    source = BucketSource(ListedBuckets())
    (found,) = (await source.after("", ["s3://b/x.md"], 100)).documents
    assert (await source.content(found.uri)).hash == found.hash


@pytest.mark.parametrize(
    "source",
    [
        "s3://",
        "s3:///x",
        "s3://b*/x",
        "s3://b/a//x",
        "s3://b/../x",
        "s3://b/./x",
        "s3://b/a\nb",
        "s3://b//",
        "s3://b/\udce9",
    ],
)
def test_a_source_that_is_none(source: str) -> None:
    with pytest.raises(SourceError, match=r"names no bucket|has a name that cannot be asked for"):
        check_bucket_source(source)
