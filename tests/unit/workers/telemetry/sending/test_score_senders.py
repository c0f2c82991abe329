"""What tools answer to a score: whether it may be taken later, and that nothing is told of a key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sostenuto import Score
from sostenuto.connection.tracing import SpanAddress
from sostenuto.workers.telemetry.sending.destinations import destination
from sostenuto.workers.telemetry.sending.score_senders import ScoreSender, score_sender_to
from sostenuto.workers.telemetry.sending.senders import Unsent
from tests.fakes.http_server import Answer, Asked, HttpServer, of_json

KEY = "key-that-nobody-sees"
SPAN = SpanAddress(0x0AF7651916CD43DD8448EB211C80319C, 0x00F067AA0BA902B7)
SCORE = Score(name="helpful", value=1.0, at=datetime(2026, 11, 29, tzinfo=UTC))
PROJECT = of_json([{"id": "p-1"}])


def _sender(name: str, url: str) -> ScoreSender:
    environ = {
        "LANGFUSE_HOST": url,
        "LANGFUSE_PUBLIC_KEY": "pk",
        "LANGFUSE_SECRET_KEY": KEY,
        "LANGSMITH_ENDPOINT": f"{url}/api/v1",
        "LANGSMITH_API_KEY": KEY,
        "LANGSMITH_PROJECT": "desk one",
        "PHOENIX_COLLECTOR_ENDPOINT": f"{url}/s/team/v1/traces",
        "PHOENIX_API_KEY": KEY,
    }
    sender = score_sender_to(destination(name, Path(), environ))
    assert sender
    return sender


def _in_turn(*answers: Answer) -> Callable[[Asked], Answer]:
    left: Iterator[Answer] = iter(answers)
    return lambda _: next(left)


async def _sent(name: str, *answers: Answer) -> list[Asked]:
    async with HttpServer(_in_turn(*answers)) as server:
        sender = _sender(name, server.url)
        try:
            await sender.send(SCORE, SPAN, "score-1")
        finally:
            await sender.close()
    return server.asked


@pytest.mark.parametrize("name", ["otlp", "file", "console"])
def test_who_takes_none(name: str) -> None:
    assert score_sender_to(destination(name, Path(), {})) is None


async def test_where_each_takes_them() -> None:
    [langfuse] = await _sent("langfuse", of_json({"id": "1"}))
    assert (langfuse.method, langfuse.path) == ("POST", "/api/public/scores")
    assert langfuse.headers["authorization"].startswith("Basic ")
    assert langfuse.json == {
        "id": "score-1",
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "observationId": "00f067aa0ba902b7",
        "name": "helpful",
        "value": 1.0,
        "dataType": "NUMERIC",
    }
    [phoenix] = await _sent("phoenix", of_json({"data": []}))
    assert (phoenix.path, phoenix.headers["authorization"]) == (
        "/s/team/v1/span_annotations?sync=true",
        f"Bearer {KEY}",
    )
    [annotation] = phoenix.json["data"]
    assert annotation == {
        "span_id": "00f067aa0ba902b7",
        "name": "helpful",
        "annotator_kind": "HUMAN",
        "result": {"score": 1.0},
        "identifier": "score-1",
    }
    change, project, create = await _sent("langsmith", Answer(404), PROJECT, of_json({}))
    assert (change.method, project.method, create.method) == ("PATCH", "GET", "POST")
    assert project.path == "/api/v1/sessions?name=desk+one&limit=1"
    assert (create.path, create.headers["x-api-key"]) == ("/api/v1/feedback", KEY)
    assert change.path == f"/api/v1/feedback/{create.json['id']}"
    assert change.json == {"score": 1.0, "value": None, "comment": ""}
    assert (create.json["run_id"], create.json["session_id"], create.json["key"]) == (
        "00000000-0000-0000-00f0-67aa0ba902b7",
        "p-1",
        "helpful",
    )
    assert "comment" not in create.json


@pytest.mark.parametrize(
    ("name", "answers", "why"),
    [
        ("langfuse", [Answer(503, b"no")], r"/api/public/scores answers 503 \(no\)"),
        ("langfuse", [Answer(429)], "answers 429"),
        ("langfuse", [Answer(fault="reset")], "does not answer"),
        ("phoenix", [Answer(404)], "Phoenix does not know the span yet"),
        ("langsmith", [Answer(500)], "answers 500"),
        ("langsmith", [Answer(404), of_json([])], "LangSmith does not know the project 'desk one' yet"),
        ("langsmith", [Answer(404), Answer(404)], "LangSmith does not know the project 'desk one' yet"),
        ("langsmith", [Answer(404), PROJECT, Answer(404)], "LangSmith does not know the run yet"),
        ("langsmith", [Answer(404), PROJECT, Answer(409)], "LangSmith was sent it just before"),
    ],
)
async def test_what_may_be_taken_later(name: str, answers: list[Answer], why: str) -> None:
    with pytest.raises(Unsent, match=why) as raised:
        await _sent(name, *answers)
    assert raised.value.again


@pytest.mark.parametrize(
    ("name", "answers", "status"),
    [
        ("langfuse", [Answer(400, f"no {KEY}".encode())], 400),
        ("langfuse", [Answer(404)], 404),
        ("langfuse", [Answer(301, headers={"location": "http://127.0.0.1:1/"})], 301),
        ("phoenix", [Answer(422)], 422),
        ("langsmith", [Answer(401)], 401),
        ("langsmith", [Answer(404), Answer(403)], 403),
        ("langsmith", [Answer(404), PROJECT, Answer(422)], 422),
    ],
)
async def test_what_is_refused(name: str, answers: list[Answer], status: int) -> None:
    with pytest.raises(Unsent, match=f"answers {status}") as raised:
        await _sent(name, *answers)
    assert not raised.value.again
    assert KEY not in str(raised.value)


async def test_who_is_not_there_may_come() -> None:
    async with HttpServer(_in_turn()) as server:
        gone = server.url
    sender = _sender("phoenix", gone)
    with pytest.raises(Unsent, match=r"/v1/span_annotations does not answer") as raised:
        await sender.send(SCORE, SPAN, "score-1")
    assert raised.value.again
    await sender.close()


async def test_a_project_is_looked_for_once_and_again_when_it_may_be_another() -> None:
    answers = [Answer(404), PROJECT, Answer(404), Answer(404), PROJECT, of_json({}), Answer(404), of_json({})]
    async with HttpServer(_in_turn(*answers)) as server:
        sender = _sender("langsmith", server.url)
        with pytest.raises(Unsent, match="does not know the run yet"):
            await sender.send(SCORE, SPAN, "score-1")
        await sender.send(SCORE, SPAN, "score-1")
        await sender.send(SCORE, SPAN, "score-2")
        await sender.close()
    methods = [asked.method for asked in server.asked]
    assert methods == ["PATCH", "GET", "POST", "PATCH", "GET", "POST", "PATCH", "POST"]
