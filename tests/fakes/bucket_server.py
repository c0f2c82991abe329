"""An S3 server on loopback: lists, tells and gives what is in its buckets, and counts what it is asked."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest

from tests.fakes.http_server import Answer, Asked, HttpServer

_MODIFIED = "2026-01-01T00:00:00.000Z"


def error(status: int, code: str) -> Answer:
    """What S3 answers where something is wrong."""
    body = f"<Error><Code>{code}</Code><Message>Scripted.</Message></Error>"
    return Answer(status, body.encode(), {"content-type": "application/xml"})


class BucketServer(HttpServer):
    """The server. An async context manager.

    Args:
        buckets: The objects of each bucket, by key.
    """

    def __init__(self, **buckets: dict[str, bytes]) -> None:
        super().__init__(self._answered)
        self.buckets = buckets
        self.instead: Callable[[Asked], Answer | None] = lambda _: None
        """Returns what to answer in place of what there is; None where it is to be answered."""
        self.page = 1_000
        """Most keys of one list."""

    @property
    def lists(self) -> list[Asked]:
        """What it was asked to list."""
        return [asked for asked in self.asked if "list-type=2" in asked.path]

    def named(self, method: str) -> list[str]:
        """The keys that a method was asked for."""
        found = [asked for asked in self.asked if asked.method == method and "list-type=2" not in asked.path]
        paths = (unquote(urlsplit(asked.path).path).split("/", 2) for asked in found)
        # Whoever looked for another server at this port is not meant.
        return [key for _, bucket, key in (path for path in paths if len(path) == 3) if bucket in self.buckets]

    def lead_here(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the environment lead to it, and nothing else."""
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in self._environment.items():
            monkeypatch.setenv(name, value)

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "AKIATESTER",
            "AWS_SECRET_ACCESS_KEY": "planted-secret-key",
            "AWS_REGION": "eu-central-1",
        }

    def _answered(self, asked: Asked) -> Answer:
        scripted = self.instead(asked)
        if scripted is not None:
            return scripted
        parts = urlsplit(asked.path)
        bucket, _, key = unquote(parts.path).removeprefix("/").partition("/")
        if bucket not in self.buckets:
            return error(404, "NoSuchBucket")
        objects = self.buckets[bucket]
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if query.get("list-type") == "2" and not key:
            return self._listed(objects, query)
        if key not in objects:
            return error(404, "NoSuchKey")
        headers = {"etag": etag(objects[key]), "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        return Answer(body=objects[key], headers=headers)

    def _listed(self, objects: dict[str, bytes], query: dict[str, str]) -> Answer:
        after = query.get("continuation-token") or query.get("start-after", "")
        later = sorted(
            (key for key in objects if key.startswith(query.get("prefix", "")) and key.encode() > after.encode()),
            key=str.encode,
        )
        most = min(int(query.get("max-keys", "1000")), self.page)
        shown, is_cut = later[:most], len(later) > most
        contents = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>{_MODIFIED}</LastModified>"
            f"<ETag>{escape(etag(objects[key]))}</ETag><Size>{len(objects[key])}</Size></Contents>"
            for key in shown
        )
        further = f"<NextContinuationToken>{escape(shown[-1])}</NextContinuationToken>" if is_cut else ""
        body = (
            f'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><IsTruncated>{str(is_cut).lower()}</IsTruncated>'
            f"{further}{contents}</ListBucketResult>"
        )
        return Answer(body=body.encode(), headers={"content-type": "application/xml"})


def etag(content: bytes) -> str:
    """What S3 calls a content."""
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
