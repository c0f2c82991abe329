"""Addresses: what is fetched, and what is refused before anything is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from sostenuto.activities.adapters.documents.web import WebSource
from sostenuto.activities.knowledge.sources.source import MAX_DOCUMENT_BYTES, SourceError
from tests.fakes.http_server import Answer, Asked, HttpServer

Site = Callable[..., AbstractAsyncContextManager[tuple[WebSource, HttpServer]]]


@asynccontextmanager
async def site(answers: dict[str, Answer], *hosts: str) -> AsyncIterator[tuple[WebSource, HttpServer]]:
    """A server that answers by path, and what fetches from it; `127.0.0.1` is allowed."""

    def answer(asked: Asked) -> Answer:
        return answers.get(asked.path, Answer(404))

    async with HttpServer(answer) as server:
        web = WebSource(["127.0.0.1", *hosts])
        try:
            yield web, server
        finally:
            await web.close()


def to(location: str, status: int = 302) -> Answer:
    return Answer(status, headers={"location": location})


async def test_a_document_and_a_redirect_on_the_same_host() -> None:
    async with site({"/a": to("/b", 301), "/b": Answer(body=b"Text.")}) as (web, server):
        assert await web.fetch(f"{server.url}/a") == b"Text."
    assert [asked.path for asked in server.asked] == ["/a", "/b"]
    assert {asked.headers["host"] for asked in server.asked} == {f"127.0.0.1:{server.port}"}


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://169.254.169.254/latest/meta-data", "the host '169.254.169.254' is not allowed"),
        ("http://10.0.0.1/", "the host '10.0.0.1' is not allowed"),
        ("http://[fe80::1]/", "the host 'fe80::1' is not allowed"),
        ("//192.168.1.1/x", "the host '192.168.1.1' is not allowed"),
        ("http://127.1/", "the host '127.1' is not allowed"),
        ("http://2130706433/", "the host '2130706433' is not allowed"),
        ("http://127.0.0.1@10.0.0.1/", "the host '10.0.0.1' is not allowed"),
        ("file:///etc/passwd", "'file:///etc/passwd' is no https:// address"),
        ("gopher://127.0.0.1/", "'gopher://127.0.0.1/' is no https:// address"),
    ],
)
async def test_a_redirect_to_a_place_that_nobody_allowed(location: str, why: str) -> None:
    async with site({"/a": to(location)}) as (web, server):
        with pytest.raises(SourceError, match=why.replace("[", r"\[")):
            await web.fetch(f"{server.url}/a")
    assert [asked.path for asked in server.asked] == ["/a"]


async def test_a_redirect_to_an_allowed_name_that_leads_to_a_private_address() -> None:
    """The name is allowed as one of a public host; where it leads decides."""
    async with HttpServer(lambda _: Answer(body=b"A secret.")) as within:
        async with site({"/a": to(f"http://localhost:{within.port}/secret")}, "localhost") as (web, server):
            with pytest.raises(SourceError, match=r"the host 'localhost' is at (127\.0\.0\.1|::1), which is no public"):
                await web.fetch(f"{server.url}/a")
        assert within.asked == []


async def test_redirects_without_an_end() -> None:
    async with site({"/a": to("/a")}) as (web, server):
        with pytest.raises(SourceError, match="it redirects more than 5 times"):
            await web.fetch(f"{server.url}/a")
    assert len(server.asked) == 6


async def test_what_the_host_answers_otherwise() -> None:
    async with site({"/endless": Answer(fault="endless"), "/broken": Answer(fault="reset")}) as (web, server):
        with pytest.raises(SourceError, match="its host answers 404"):
            await web.fetch(f"{server.url}/nowhere")
        with pytest.raises(SourceError, match=f"the limit is {MAX_DOCUMENT_BYTES:,}"):
            await web.fetch(f"{server.url}/endless")
        with pytest.raises(SourceError, match="it cannot be fetched"):
            await web.fetch(f"{server.url}/broken")
    with pytest.raises(SourceError, match="it cannot be fetched"):
        await WebSource(["127.0.0.1"]).fetch(f"{server.url}/gone")
