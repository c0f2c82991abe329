"""What the adapter of a Qdrant server sends, over a real connection, and what it makes of every answer.

No server is to be had without docker: `server_requests.json` has the requests that its REST API describes, and the
server here knows no more than their answers. `test_vector_store.py` runs the same adapter on its client's local mode.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from qdrant_client import AsyncQdrantClient

from sostenuto.activities.adapters.qdrant.server import QdrantStore
from sostenuto.activities.knowledge.store.vector_store import (
    Hit,
    Layout,
    Leg,
    Point,
    Record,
    SparseVector,
    StoreError,
    StoreUnavailable,
    VectorStore,
    Where,
)
from sostenuto.activities.knowledge.store.vectors import vector_text
from sostenuto.workers import knowledge
from sostenuto.workers.settings import Settings
from tests.fakes.http_server import Answer, Asked, HttpServer, of_json
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")

GOLDEN: dict[str, list[list[Any]]] = json.loads((Path(__file__).parent / "server_requests.json").read_text())

A, B = (f"00000000-0000-0000-0000-{number:012}" for number in (1, 2))
KINDS = Where(key="kind", any_of=("a", "b"))
SEEN = (Where(key="from", at_most=3), Where(key="until", above=3))
FIELDS = (Where(key="fields.due", at_least="2024-01-01"), Where(key="fields.rate", any_of=(1.5,)))
SPARSE = SparseVector(indices=(3, 5), values=(0.5, 1.0))
LAYOUT = Layout(dimensions=2, indexes={"kind": "text", "from": "integer", "fields.rate": "number", "due": "date"})

CALLS: dict[str, Callable[[VectorStore], Awaitable[Any]]] = {
    "sets": lambda store: store.sets(),
    "create": lambda store: store.create("b.1", LAYOUT),
    "create without vectors": lambda store: store.create("catalogue", Layout(dimensions=0)),
    "drop": lambda store: store.drop("b.1"),
    "upsert": lambda store: store.upsert(
        "b.1", [Point(id=A, payload={"kind": "a"}, dense=vector_text([1, 0]), sparse=SPARSE), Point(id=B)]
    ),
    "set_payload": lambda store: store.set_payload("b.1", [KINDS, *SEEN], {"from": 3}),
    "delete": lambda store: store.delete("b.1", [*FIELDS]),
    "read": lambda store: store.read("b.1", [A]),
    "scroll": lambda store: store.scroll("b.1", [KINDS], limit=1, after=A, keys=["a"]),
    "scroll from the first": lambda store: store.scroll("b.1", (), limit=2),
    "count": lambda store: store.count("b.1", [KINDS]),
    "search": lambda store: store.search(
        "b.1", [Leg(dense=vector_text([1, 0]), limit=40), Leg(sparse=SPARSE, limit=40)], SEEN
    ),
}
"""Every method of the port but `optimize`, which a server does by itself."""

RETURNED: dict[str, Any] = {
    "sets": ["b.1", "catalogue"],
    "read": [Record(id=A, payload={"a": 1})],
    "scroll": [Record(id=B, payload={"a": 2})],
    "scroll from the first": [Record(id=A, payload={"a": 1}), Record(id=B, payload={"a": 2})],
    "count": 7,
    "search": [[Hit(id=A, score=0.5, payload={"a": 1})], []],
}


def result(asked: Asked) -> Any:
    """What a server answers."""
    path = asked.path.partition("?")[0]
    points = [{"id": A, "payload": {"a": 1}}, {"id": B, "payload": {"a": 2}}]
    match asked.method, path.removeprefix("/collections").removeprefix("/sostenuto-b.1"):
        case "GET", "":
            names = ("sostenuto-catalogue", "other", "sostenuto-b.1")
            return {"collections": [{"name": name} for name in names]}
        case "GET", _:
            return {"exists": False}
        case "POST", "/points":
            return points[:1]
        case "POST", "/points/scroll":
            return {"points": points, "next_page_offset": None}
        case "POST", "/points/count":
            return {"count": 7}
        case "POST", "/points/query/batch":
            return [{"points": [points[0] | {"version": 1, "score": 0.5}]}, {"points": []}]
        case _ if "/points" in path or path.endswith("/index"):
            return {"operation_id": 1, "status": "completed"}
    return True


def right(asked: Asked) -> Answer:
    return of_json({"result": result(asked), "status": "ok", "time": 0.001})


@asynccontextmanager
async def served(
    answer: Callable[[Asked], Answer] = right, seconds: int = PATIENCE_SECONDS
) -> AsyncIterator[tuple[QdrantStore, HttpServer]]:
    """A server that answers so, and a store on it that waits so long."""
    async with HttpServer(answer) as server:
        store = QdrantStore(AsyncQdrantClient(server.url, timeout=seconds, check_compatibility=False))
        yield store, server
        await store.close()


@pytest.mark.parametrize("name", CALLS)
async def test_what_is_sent(name: str) -> None:
    async with served() as (store, server):
        returned = await CALLS[name](store)
    assert [[asked.method, asked.path, asked.json] for asked in server.asked] == GOLDEN[name]
    assert returned == RETURNED.get(name)


async def test_every_method_is_among_them() -> None:
    methods = {name for name in vars(VectorStore) if not name.startswith("_")} - {"close", "optimize"}
    assert methods == {name.partition(" ")[0] for name in CALLS}
    async with served() as (store, server):
        await store.optimize("b.1")
    assert server.asked == []


async def test_the_key_is_sent_with_every_request_and_told_to_nobody() -> None:
    async with HttpServer(right) as server:
        settings = Settings(qdrant_url=server.url, qdrant_api_key=SecretStr("planted-key"))
        store = knowledge._store(settings)
        await store.sets()
        await store.count("b.1", ())
        await store.close()
    assert [one.headers.get("api-key") for one in server.asked] == ["planted-key", "planted-key"]
    assert "planted-key" not in repr(settings)


def says(status: int, **headers: str) -> Answer:
    answer = of_json({"status": {"error": f"scripted {status}"}, "time": 0.0}, status)
    return Answer(status, answer.body, answer.headers | headers)


HTML = Answer(body=b"<html>Log in first</html>", headers={"content-type": "text/html"})
OTHER = of_json({"result": {"count": "many"}, "status": "ok", "time": 0.0})
ERRORS: dict[str, tuple[Answer, type[Exception], str]] = {
    "no key": (says(401), StoreError, r"answered 401: .*scripted 401.*: check SOSTENUTO_QDRANT_API_KEY"),
    "a wrong key": (says(403), StoreError, r"answered 403: .*: check SOSTENUTO_QDRANT_API_KEY"),
    "no such set": (says(404), StoreError, "answered 404: .*scripted 404"),
    "a bad request": (says(400), StoreError, "answered 400: .*scripted 400"),
    "too many": (says(429), StoreUnavailable, "answered 429: .*scripted 429"),
    "too many, and how long": (says(429, **{"retry-after": "7"}), StoreUnavailable, "answered 429: scripted 429"),
    "too many, until a date": (
        says(429, **{"retry-after": "Fri, 27 Nov 2026 10:00:00 GMT"}),
        StoreUnavailable,
        r"the Qdrant client gave up \(QdrantException\): Retry-After .*27 Nov 2026",
    ),
    "broken": (says(500), StoreUnavailable, "answered 500"),
    "overloaded": (says(503), StoreUnavailable, "answered 503: .*scripted 503"),
    "a gateway without words": (Answer(502), StoreUnavailable, "answered 502: Scripted"),
    "never": (Answer(fault="hang"), StoreUnavailable, r"cannot be reached \(ReadTimeout.*: check SOSTENUTO_QDRANT_URL"),
    "half": (Answer(fault="reset"), StoreUnavailable, r"cannot be reached \(RemoteProtocolError: .*"),
    "elsewhere": (Answer(307, headers={"location": "http://10.0.0.1/"}), StoreError, "answered 307"),
    "a page": (HTML, StoreError, "answer is none of Qdrant's: (?s:.*): check SOSTENUTO_QDRANT_URL"),
    "nothing": (Answer(), StoreError, "answer is none of Qdrant's: (?s:.*): check SOSTENUTO_QDRANT_URL"),
    "another form": (OTHER, StoreError, "answer is none of Qdrant's: (?s:.*): check SOSTENUTO_QDRANT_URL"),
}


@pytest.mark.parametrize("name", ERRORS)
async def test_what_is_made_of_an_error(name: str) -> None:
    answer, kind, words = ERRORS[name]
    async with served(lambda _: answer, seconds=1 if answer.fault == "hang" else PATIENCE_SECONDS) as (store, server):
        with pytest.raises(kind, match=words) as raised:
            await store.count("b.1", ())
    assert len(str(raised.value)) < 1_000
    assert len(server.asked) == 1, "who tries again is Temporal, and nobody follows a redirect"


async def test_a_long_error_is_cut() -> None:
    async with served(lambda _: Answer(500, b"x" * 20_000_000)) as (store, _):
        with pytest.raises(StoreUnavailable, match=r"answered 500: x{100}") as raised:
            await store.count("b.1", ())
    assert len(str(raised.value)) < 1_000


async def test_a_server_that_is_not_there() -> None:
    async with served() as (_, server):
        pass
    store = QdrantStore(AsyncQdrantClient(server.url, check_compatibility=False))
    with pytest.raises(StoreUnavailable, match=r"cannot be reached \(ConnectError: .*\): check SOSTENUTO_QDRANT_URL"):
        await store.sets()
    await store.close()


async def test_a_set_that_another_worker_has_made_meanwhile() -> None:
    """Both find that it is not there, and one of them comes too late."""
    made = False

    def answer(asked: Asked) -> Answer:
        nonlocal made
        if asked.path.endswith("/exists"):
            return of_json({"result": {"exists": made}, "status": "ok", "time": 0.0})
        made = True
        return says(409)

    async with served(answer) as (store, server):
        await store.create("b.1", Layout(dimensions=0))
    assert [asked.method for asked in server.asked] == ["GET", "PUT", "GET"]


async def test_a_set_that_cannot_be_made() -> None:
    def answer(asked: Asked) -> Answer:
        exists = of_json({"result": {"exists": False}, "status": "ok", "time": 0.0})
        return exists if asked.path.endswith("/exists") else says(409)

    async with served(answer) as (store, _):
        with pytest.raises(StoreError, match="answered 409"):
            await store.create("b.1", Layout(dimensions=0))


async def test_many_calls_at_once() -> None:
    async with served() as (store, server):
        counts = await asyncio.gather(*(store.count("b.1", ()) for _ in range(50)))
    assert counts == [7] * 50
    assert len(server.asked) == 50
