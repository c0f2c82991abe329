"""A provider of embeddings and a reranking service on loopback, which fail on demand.

They speak the protocols of OpenAI, and of Cohere, Jina and Voyage, and answer by the words that texts have.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.fakes.loopback import LoopbackServer

Change = Callable[[dict[str, Any]], Any]
"""Makes another answer of the one that is right."""


@dataclass(frozen=True)
class Response:
    """What one request gets in place of the right answer."""

    status: int = 200
    body: Any = None
    """As JSON; None for the right answer. Bytes are sent as they are."""
    headers: tuple[tuple[str, str], ...] = ()
    change: Change | None = None
    """What becomes of the right answer."""
    resets: bool = False
    """Breaks the connection off."""
    hangs: bool = False
    """Never answers."""
    floods: bool = False
    """Sends for as long as the client listens."""


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class VectorServer(LoopbackServer):
    """The server. An async context manager.

    Args:
        responses: What happens to the first requests, None for one that is to go well; after the last all do.
        dimensions: Length of the vectors.
        most_texts: Most texts at once; more are refused.
        key: What the requests are to carry. Empty: whatever they do.
        results: What an answer of the reranker calls its results.
    """

    def __init__(
        self,
        responses: Sequence[Response | None] = (),
        *,
        dimensions: int = 16,
        most_texts: int = 1_000,
        key: str = "",
        results: str = "results",
    ) -> None:
        super().__init__()
        self.responses = list(responses)
        self.dimensions = dimensions
        self.most_texts = most_texts
        self.key = key
        self.results = results
        self.asked: list[Asked] = []
        self.sent = 0

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT/v1`."""
        return f"{self.address}/v1"

    @property
    def texts(self) -> list[list[str]]:
        """The texts of each request for vectors."""
        return [asked.body["input"] for asked in self.asked if asked.path.endswith("/embeddings")]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = json.loads(await reader.readexactly(int(headers["content-length"])))
        asked = Asked(head[0].split(" ")[1], headers, body)
        self.asked.append(asked)
        response = (self.responses.pop(0) if self.responses else None) or self._refused(asked) or Response()
        if response.resets:
            writer.transport.abort()
            return False
        if response.hangs:
            await asyncio.Event().wait()
        if response.floods:
            return await self._flood(writer)
        right = (
            _vectors(asked.body, self.dimensions) if asked.path.endswith("/embeddings") else self._ranked(asked.body)
        )
        answer = response.change(right) if response.change else right
        said = answer if response.body is None else response.body
        await _respond(writer, response, said if isinstance(said, bytes) else json.dumps(said).encode())
        return True

    def _refused(self, asked: Asked) -> Response | None:
        if self.key and asked.headers.get("authorization") != f"Bearer {self.key}":
            said = f"Incorrect API key provided: {asked.headers.get('authorization', '')}."
            return Response(401, {"error": {"message": said, "code": "invalid_api_key"}})
        if len(asked.body.get("input", ())) > self.most_texts:
            count = len(asked.body["input"])
            return Response(422, {"error": f"batch size {count} > maximum allowed batch size {self.most_texts}"})
        return None

    def _ranked(self, body: dict[str, Any]) -> dict[str, Any]:
        """The most words of the query first."""
        words = set(re.findall(r"\w+", body["query"].lower()))
        scores = [len(words & set(re.findall(r"\w+", text.lower()))) / max(len(words), 1) for text in body["documents"]]
        entries = [{"index": index, "relevance_score": score} for index, score in enumerate(scores)]
        entries.sort(key=lambda entry: -entry["relevance_score"])
        tokens = sum(len(text.split()) for text in body["documents"])
        return {self.results: entries, "usage": {"total_tokens": tokens}}

    async def _flood(self, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n[")
        while True:
            writer.write(b"1," * 50_000)
            await writer.drain()
            self.sent += 100_000


def _vectors(body: dict[str, Any], dimensions: int) -> dict[str, Any]:
    texts = body["input"]
    entries = [
        {"object": "embedding", "index": index, "embedding": _vector(text, dimensions)}
        for index, text in enumerate(texts)
    ]
    tokens = sum(len(text.split()) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": body["model"], "data": entries, "usage": usage}


def _vector(text: str, dimensions: int) -> list[float]:
    """Not of length 1: that is the client's to see to."""
    numbers = [0.0] * dimensions
    for word in re.findall(r"\w+", text.lower()):
        numbers[int(hashlib.sha256(word.encode()).hexdigest(), 16) % dimensions] += 1.0
    return numbers


async def _respond(writer: asyncio.StreamWriter, response: Response, body: bytes) -> None:
    lines = [
        f"HTTP/1.1 {response.status} Status",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in response.headers),
    ]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    await writer.drain()
