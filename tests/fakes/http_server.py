"""An HTTP server on loopback that records what it is asked, and answers as its test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.fakes.loopback import LoopbackServer


@dataclass(frozen=True)
class Asked:
    """A request as it came over the wire."""

    method: str
    path: str
    """With its query."""
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON; None where there is none."""
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True)
class Answer:
    """What it answers."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    fault: Literal["", "hang", "endless", "reset"] = ""
    """Never answer; send a body without an end; or break the connection off in the middle of it."""


def of_json(value: Any, status: int = 200) -> Answer:
    """An answer of JSON."""
    return Answer(status, json.dumps(value).encode(), {"content-type": "application/json"})


class HttpServer(LoopbackServer):
    """The server. An async context manager.

    Args:
        answer: Returns the answer to a request.
    """

    def __init__(self, answer: Callable[[Asked], Answer]) -> None:
        super().__init__()
        self.asked: list[Asked] = []
        self._answer = answer

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return self.address

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        method, path, _ = first.split(" ")
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        asked = Asked(method, path, headers, body)
        self.asked.append(asked)
        answer = self._answer(asked)
        if answer.fault == "hang":
            await reader.read()  # until the client gives up
            return False
        ends = not answer.fault
        length = {"content-length": str(len(answer.body))} if ends else {"transfer-encoding": "chunked"}
        writer.write(f"HTTP/1.1 {answer.status} Scripted\r\n{_lines(answer.headers | length)}\r\n".encode())
        if ends and method != "HEAD":
            writer.write(answer.body)
        while answer.fault == "endless" and not writer.is_closing():
            piece = answer.body or b"x" * 65_536
            writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            await writer.drain()
        await writer.drain()
        return ends


def _lines(headers: dict[str, str]) -> str:
    named: Iterable[str] = (f"{name}: {value}\r\n" for name, value in headers.items())
    return "".join(named)
