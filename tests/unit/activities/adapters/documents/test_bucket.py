"""Objects of a bucket: what the real client lists and fetches, and what each of its refusals becomes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sostenuto.activities.adapters.documents.bucket import S3Buckets
from sostenuto.activities.knowledge.sources.buckets import BucketObject
from sostenuto.activities.knowledge.sources.source import MAX_DOCUMENT_BYTES, SourceError, SourceUnavailable
from tests.fakes.bucket_server import BucketServer, error, etag
from tests.fakes.http_server import Answer, Asked

SPELLED = (
    *("a b/x.md", "p%20q.md", "100%.md", "h#sh.md", "q?x.md", "p+q.md", "ü/é.md", "e\u0301.md", "st*r[1].md", "{}.md"),
    *(
        "back\\slash.md",
        "tilde~.md",
        "quote\"'<&>.md",
        "|^`.md",
        "a:b@c=d;e,f.md",
        "...",
        ".hidden",
        "日本語.md",
        "%25.md",
    ),
)


@asynccontextmanager
async def serving(monkeypatch: pytest.MonkeyPatch, **buckets: dict[str, bytes]) -> AsyncIterator[BucketServer]:
    """A server to which the environment leads."""
    async with BucketServer(**buckets) as server:
        server.lead_here(monkeypatch)
        yield server


async def keys(buckets: S3Buckets, bucket: str, folder: str = "", after: str = "") -> list[str]:
    return [found.key async for found in buckets.below(bucket, folder, after)]


async def test_every_key_is_listed_and_fetched_letter_by_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {key: key.encode() for key in SPELLED}
    async with serving(monkeypatch, docs=made) as server:
        buckets = S3Buckets(["s3://docs"])
        listed = [found async for found in buckets.below("docs", "")]
        assert [found.key for found in listed] == sorted(made, key=str.encode)
        for at, found in enumerate(listed):
            assert found == BucketObject(found.key, len(made[found.key]), etag(made[found.key]).strip('"'))
            assert await buckets.found("docs", found.key) == found
            assert await buckets.fetch("docs", found.key) == (found, made[found.key])
            assert await keys(buckets, "docs", after=found.key) == [one.key for one in listed[at + 1 :]]
    assert set(server.named("GET")) == set(server.named("HEAD")) == set(made)


async def test_a_folder_is_listed_without_its_neighbours_and_markers(monkeypatch: pytest.MonkeyPatch) -> None:
    made = dict.fromkeys(("docs-x.md", "docs.md", "docs/a.md", "docs/b/c.md", "docs/d.md"), b"x")
    made |= dict.fromkeys(("docs/", "docs/b/", "docs/nobody/", "docs/empty.md"), b"")
    async with serving(monkeypatch, docs=made):
        buckets = S3Buckets(["s3://docs"])
        assert await keys(buckets, "docs", "docs") == ["docs/a.md", "docs/b/c.md", "docs/d.md", "docs/empty.md"]
        assert await keys(buckets, "docs", "nowhere") == []
        assert await buckets.found("docs", "docs") is None


async def test_a_large_bucket_is_listed_as_far_as_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {f"{number:06}.md": b"x" for number in range(5_000)}
    async with serving(monkeypatch, docs=made) as server:
        buckets = S3Buckets(["s3://docs"])
        listing = buckets.below("docs", "", "002499.md")
        assert (await anext(listing)).key == "002500.md"
        assert 1 <= len(server.lists) <= 2
        assert "start-after=002499.md" in server.lists[0].path
        assert await keys(buckets, "docs") == list(made)


async def test_what_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    large = {"etag": '"x"', "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
    async with serving(monkeypatch, docs={}) as server:
        server.instead = lambda _: Answer(body=bytes(MAX_DOCUMENT_BYTES + 1), headers=large)
        with pytest.raises(SourceError, match="the limit is 50,000,000: split it"):
            await S3Buckets(["s3://docs"]).fetch("docs", "large.bin")


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "AccessDenied", r"may not list it \(s3:ListBucket\) of the bucket 'docs' \(403 AccessDenied\)"),
        (403, "InvalidAccessKeyId", r"refuses this worker's credentials \(403 InvalidAccessKeyId\): renew"),
        (403, "SignatureDoesNotMatch", r"refuses this worker's credentials"),
        (401, "Unauthorized", r"refuses this worker's credentials"),
        (400, "ExpiredToken", r"refuses this worker's credentials"),
        (400, "AuthorizationHeaderMalformed", "is not in the region that AWS_REGION of this worker says"),
        (301, "PermanentRedirect", "is not in the region that AWS_REGION of this worker says"),
        (404, "NoSuchBucket", "there is no bucket 'docs'"),
        (400, "InvalidRequest", r"refuses what it is asked \(400 InvalidRequest\)"),
    ],
)
async def test_what_is_refused_says_what_to_do_and_tells_no_secret(
    monkeypatch: pytest.MonkeyPatch, status: int, code: str, words: str
) -> None:
    async with serving(monkeypatch, docs={}) as server:
        answer = error(status, code)
        server.instead = lambda _: Answer(status, answer.body.replace(b"Scripted.", b"AKIATESTER planted-secret-key"))
        with pytest.raises(SourceError, match=words) as raised:
            await keys(S3Buckets(["s3://docs"]), "docs")
        assert len(server.asked) == 1
    assert "AKIATESTER" not in str(raised.value)
    assert "planted" not in str(raised.value)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 408])
async def test_an_outage_is_no_refusal(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    async with serving(monkeypatch, docs={"a.md": b"x"}) as server:
        server.instead = lambda _: error(status, "SlowDown")
        buckets = S3Buckets(["s3://docs"])
        for asking in (keys(buckets, "docs"), buckets.found("docs", "a.md"), buckets.fetch("docs", "a.md")):
            with pytest.raises(SourceUnavailable, match=f"'docs' cannot be reached now \\({status}"):
                await asking
        # What is tried again is seen in the history.
        assert len(server.asked) == 3


async def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(monkeypatch, docs={"a.md": b"x"}) as server:
        server.instead = lambda asked: Answer(fault="reset") if asked.method == "GET" else None
        with pytest.raises(SourceUnavailable, match="cannot be reached now"):
            await S3Buckets(["s3://docs"]).fetch("docs", "a.md")
    with pytest.raises(SourceUnavailable, match=r"cannot be reached now \(no answer\)"):
        await keys(S3Buckets(["s3://docs"]), "docs")


async def test_who_is_held_up_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(monkeypatch, docs={}) as server:
        asked = asyncio.Event()

        def hold(_: Asked) -> Answer:
            asked.set()
            return Answer(fault="hang")

        server.instead = hold
        listing = asyncio.create_task(keys(S3Buckets(["s3://docs"]), "docs"))
        await asked.wait()
        listing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listing


async def test_a_worker_without_credentials_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(monkeypatch, docs={}) as server:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_METADATA_ENDPOINT", server.url)
        with pytest.raises(SourceError, match="this worker has no credentials for the bucket 'docs': give it AWS_ACC"):
            await keys(S3Buckets(["s3://docs"]), "docs")
        assert all("/latest/" in asked.path for asked in server.asked)


@pytest.mark.parametrize(("name", "value"), [("AWS_ALLOW_HTTP", "false"), ("AWS_ALLOW_HTTP", "perhaps")])
async def test_an_environment_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    async with serving(monkeypatch, docs={}):
        monkeypatch.setenv(name, value)
        with pytest.raises(SourceError, match="cannot ask the bucket 'docs' by its AWS_"):
            await keys(S3Buckets(["s3://docs"]), "docs")


async def test_what_is_not_allowed_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(monkeypatch, docs={}, other={"a.md": b"x"}) as server:
        buckets = S3Buckets(["docs.example.com", " s3://docs/ "])
        for asking in (keys(buckets, "other"), buckets.found("other", "a.md"), buckets.fetch("other", "a.md")):
            with pytest.raises(
                SourceError,
                match=r"'other' is not allowed \(allowed: s3://docs\): name it as s3://other in SOSTENUTO_IN",
            ):
                await asking
        assert server.asked == []


@pytest.mark.parametrize("key", ["a//b.md", "a/../b.md", "new\nline.md", "tab\t.md", "\x7f.md"])
async def test_a_key_that_the_client_cannot_read_is_told(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    async with serving(monkeypatch, docs={key: b"x", "z.md": b"x"}):
        with pytest.raises(SourceError, match="has an object whose key cannot be read") as raised:
            await keys(S3Buckets(["s3://docs"]), "docs")
    assert "\n" not in str(raised.value)
