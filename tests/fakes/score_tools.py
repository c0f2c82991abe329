"""Langfuse, LangSmith and Phoenix on loopback, as far as they take spans and scores."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.fakes.http_server import Answer, Asked, HttpServer, of_json

TOOLS = ("langfuse", "langsmith", "phoenix")
KEY = "key-that-nobody-sees"
PROJECT_ID = "0b6a5b35-2d2c-4c55-9f3c-5a4c3d1b7a11"


class ScoreTools:
    """What they were sent, and what they have. An async context manager."""

    def __init__(self) -> None:
        self.server = HttpServer(self._answer)
        self.scores: dict[str, dict[str, Any]] = {tool: {} for tool in TOOLS}
        """What each has, by id."""
        self.spans: list[Span] = []
        self.answers: dict[str, Answer] = {}
        """What a tool answers to scores in place of what it would."""

    async def __aenter__(self) -> ScoreTools:
        await self.server.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.server.__aexit__(*error)

    def name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have workers send here."""
        for name, value in {
            "LANGFUSE_HOST": f"{self.server.url}/langfuse",
            "LANGFUSE_PUBLIC_KEY": "pk",
            "LANGFUSE_SECRET_KEY": KEY,
            "LANGSMITH_ENDPOINT": f"{self.server.url}/langsmith",
            "LANGSMITH_API_KEY": KEY,
            "PHOENIX_COLLECTOR_ENDPOINT": f"{self.server.url}/phoenix",
            "PHOENIX_API_KEY": KEY,
        }.items():
            monkeypatch.setenv(name, value)

    def all(self, tool: str) -> list[Any]:
        """All scores that a tool has, in the order in which they came."""
        return list(self.scores[tool].values())

    def asked(self, tool: str) -> list[Asked]:
        """What a tool was asked, but for spans."""
        paths = (one for one in self.server.asked if not one.path.endswith("/v1/traces"))
        return [one for one in paths if one.path.startswith(f"/{tool}/")]

    def span(self, name: str, index: int = 0) -> Span:
        """A span that came, by its name."""
        found = {span.span_id: span for span in self.spans if span.name == name}
        return sorted(found.values(), key=lambda span: span.start_time_unix_nano)[index]

    def _knows(self, span_id: str) -> bool:
        return span_id in {span.span_id.hex() for span in self.spans}

    def _answer(self, asked: Asked) -> Answer:
        tool = asked.path.split("/")[1]
        if asked.path.endswith("/v1/traces"):
            self.spans += _spans(asked.body)
            return Answer()
        if tool in self.answers:
            return self.answers[tool]
        return {"langfuse": self._langfuse, "langsmith": self._langsmith, "phoenix": self._phoenix}[tool](asked)

    def _langfuse(self, asked: Asked) -> Answer:
        assert (asked.method, asked.path) == ("POST", "/langfuse/api/public/scores")
        self.scores["langfuse"][asked.json["id"]] = asked.json
        return of_json({"id": asked.json["id"]})

    def _langsmith(self, asked: Asked) -> Answer:
        kept = self.scores["langsmith"]
        match asked.method:
            case "GET":
                assert asked.path == "/langsmith/sessions?name=default&limit=1"
                return of_json([{"id": PROJECT_ID, "name": "default"}])
            case "PATCH":
                feedback = kept.get(asked.path.removeprefix("/langsmith/feedback/"))
                if feedback is None:
                    return of_json({"detail": "Resource not found"}, 404)
                feedback.update(asked.json)
                return of_json({})
        assert asked.path == "/langsmith/feedback"
        if not self._knows(asked.json["run_id"].replace("-", "").removeprefix("0" * 16)):
            return of_json({"detail": "Run not found"}, 404)
        if asked.json["id"] in kept:
            return of_json({"detail": "Conflict"}, 409)
        kept[asked.json["id"]] = asked.json
        return of_json({})

    def _phoenix(self, asked: Asked) -> Answer:
        assert (asked.method, asked.path) == ("POST", "/phoenix/v1/span_annotations?sync=true")
        [annotation] = asked.json["data"]
        if not self._knows(annotation["span_id"]):
            return Answer(404, b"Spans with IDs do not exist.")
        key = json.dumps([annotation[name] for name in ("name", "span_id", "identifier")])
        self.scores["phoenix"][key] = annotation
        return of_json({"data": [{"id": "1"}]})


def _spans(body: bytes) -> Iterator[Span]:
    batch = ExportTraceServiceRequest.FromString(gzip.decompress(body))
    for resource in batch.resource_spans:
        for scope in resource.scope_spans:
            yield from scope.spans
