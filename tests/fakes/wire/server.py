"""A model provider on loopback that speaks all three wire protocols, says what its script says, and fails on demand.

It refuses what the real ones refuse. Also a process: `python -m tests.fakes.wire.server SCRIPT.json` prints its address
and serves until its input ends.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gzip
import json
import struct
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET
from typing import Any, Literal, Self

from sostenuto.contracts.contract import Spec
from tests.fakes.loopback import LoopbackServer
from tests.fakes.wire.streams import WireStep, anthropic_events, chat_events, responses_events, sse
from tests.fakes.wire.strict import Refusal, note, refusal_body, refusals, warm_up

_PATHS = {
    "/v1/messages": "anthropic",
    "/v1/responses": "openai",
    "/v1/chat/completions": "compatible",
}


class Fault(Spec):
    """What goes wrong with one request."""

    kind: Literal["status", "hang", "reset", "die", "end", "error_event", "garbage", "stall", "bomb", "flood"]
    """Answer with `status`; never answer; reset the connection at once; break it off, or end it properly, in the
    middle of the stream; send `body` as an error event there; send no JSON there; say nothing more there; send a
    hundred megabytes that take a hundred kilobytes by gzip; or send for as long as the client listens."""
    status: int = 500
    headers: dict[str, str] = {}
    body: dict[str, Any] | list[Any] | str | None = None
    """None: an error of the protocol's own form."""


@dataclass(frozen=True)
class Received:
    """A request as it came over the wire."""

    protocol: str
    headers: dict[str, str]
    body: dict[str, Any]
    at: float = field(default_factory=time.time)


class ProviderServer(LoopbackServer):
    """The server. An async context manager.

    The step is chosen by the turns that stand in the request, so clients may come and go. Faults are used up one
    by one, a None for a request that is to go well; after the last all requests do.

    Args:
        script: The steps.
        faults: What happens to the first requests.
        log: File that gets a line for each request: time, turn, protocol.
        dialect: Whose rules hold where Chat Completions is spoken.
        lenient: Whether everything is taken, as by a server of one's own.
        refused: Whether requests may be refused. Otherwise a refusal is a fault of the test that sent it.
    """

    def __init__(
        self,
        script: Sequence[WireStep],
        faults: Sequence[Fault | None] = (),
        *,
        log: Path | None = None,
        dialect: str = "chat",
        lenient: bool = False,
        refused: bool = False,
    ) -> None:
        super().__init__()
        self.script = list(script)
        self.faults = list(faults)
        self.dialect = dialect
        self.refusals: list[Refusal] = []
        self._lenient = lenient
        self._may_refuse = refused
        self.requests: list[Received] = []
        self._log = log

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return self.address

    def base_url(self, protocol: str) -> str:
        """The base URL for the SDK of a protocol."""
        return self.url if protocol == "anthropic" else f"{self.url}/v1"

    async def __aenter__(self) -> Self:
        warm_up()
        return await super().__aenter__()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether another may come on the connection."""
        request = await _read(reader)
        if request is None:
            return False
        self.requests.append(request)
        if request.protocol not in _PATHS.values():
            # Named wrongly by a test: no rule and no answer is for it.
            await _respond(writer, Fault(kind="status", status=404, body="no such path"), "compatible")
            return True
        turn = _turn(request)
        if self._log:
            with self._log.open("a") as file:
                file.write(json.dumps({"time": request.at, "turn": turn, "protocol": request.protocol}) + "\n")
        fault = self.faults.pop(0) if self.faults else None
        if fault is None and (refusal := self._refused(request)):
            body = refusal_body(refusal, request.protocol, self.dialect)
            await _respond(writer, Fault(kind="status", status=refusal.status, body=body), request.protocol)
            return True
        if fault and fault.kind == "status":
            await _respond(writer, fault, request.protocol)
            return True
        if fault and fault.kind in ("hang", "reset"):
            await self._fail(fault, reader, writer)
            return False
        if turn >= len(self.script):
            await _respond(writer, Fault(kind="status", status=400, body=f"no step {turn}"), request.protocol)
            return True
        return await self._stream(turn, request, fault, reader, writer)

    def _refused(self, request: Received) -> Refusal | None:
        found = [] if self._lenient else list(refusals(request.protocol, self.dialect, request.body))
        self.refusals += found
        note(request.protocol, self.dialect, request.body, [] if self._may_refuse else found)
        return next(iter(found), None)

    async def _stream(
        self,
        turn: int,
        request: Received,
        fault: Fault | None,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        step = self.script[turn]
        if step.delay_seconds:
            await asyncio.sleep(step.delay_seconds)
        if fault and fault.kind == "bomb":
            return await _bomb(writer, request.protocol)
        writer.write(_stream_head(request.protocol))
        if fault and fault.kind == "flood":
            return await _flood(writer)
        pieces = list(_pieces(step, request, turn))
        for piece in pieces[: len(pieces) // 2] if fault else pieces:
            writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            await writer.drain()
        if fault and fault.kind in ("error_event", "garbage"):
            piece = _error_event(fault, request.protocol)
            writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        elif fault and fault.kind != "end":
            await self._fail(fault, reader, writer)
            return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _fail(self, fault: Fault, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if fault.kind in ("hang", "stall"):
            await reader.read()  # until the client gives up
            self.disconnects += 1
        elif fault.kind == "reset":
            # With no time to linger, closing sends a reset in the place of an orderly end.
            writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        else:
            await writer.drain()


async def _bomb(writer: asyncio.StreamWriter, protocol: str) -> bool:
    head = _stream_head(protocol).replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n")
    packed = gzip.compress(b" " * 100_000_000, compresslevel=1)
    writer.write(head + f"{len(packed):x}\r\n".encode() + packed + b"\r\n0\r\n\r\n")
    await writer.drain()
    return False


async def _flood(writer: asyncio.StreamWriter) -> bool:
    piece = b"x" * 65_536
    with contextlib.suppress(ConnectionError):
        while not writer.is_closing():
            writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            await writer.drain()
    return False


async def _read(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None  # the client closed a connection that it kept alive
    request_line, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    path = request_line.split(" ")[1].partition("?")[0]
    return Received(_PATHS.get(path, path), headers, json.loads(body or b"{}"))


def _turn(request: Received) -> int:
    """How many answers stand in the prompt."""
    if request.protocol != "openai":
        return sum(message["role"] == "assistant" for message in request.body.get("messages", ()))
    answers, before = 0, False
    for item in request.body.get("input", ()):
        ours = item.get("role") in ("user", "developer") or item.get("type") == "function_call_output"
        answers += not ours and not before
        before = not ours
    return answers


def _pieces(step: WireStep, request: Received, turn: int) -> Iterator[bytes]:
    model = request.body["model"]
    if request.protocol == "anthropic":
        yield from sse(anthropic_events(step, model), named=True)
    elif request.protocol == "openai":
        yield from sse(responses_events(step, model, turn), named=True)
    else:
        yield from sse(chat_events(step, model), named=False)
        yield b"data: [DONE]\n\n"


def _stream_head(protocol: str) -> bytes:
    request_id = "request-id" if protocol == "anthropic" else "x-request-id"
    return (
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n"
        f"{request_id}: req_1\r\n\r\n"
    ).encode()


def _error_body(fault: Fault, protocol: str) -> dict[str, Any] | list[Any] | str:
    if fault.body is not None:
        return fault.body
    error = {"type": "api_error", "message": f"scripted {fault.status}"}
    return {"type": "error", "error": error} if protocol == "anthropic" else {"error": error | {"code": None}}


def _error_event(fault: Fault, protocol: str) -> bytes:
    if fault.kind == "garbage":
        return b"event: message_delta\ndata: {not json\n\n"
    body = json.dumps(_error_body(fault, protocol))
    return (f"event: error\ndata: {body}\n\n" if protocol == "anthropic" else f"data: {body}\n\n").encode()


async def _respond(writer: asyncio.StreamWriter, fault: Fault, protocol: str) -> None:
    body = _error_body(fault, protocol)
    text = body if isinstance(body, str) else json.dumps(body)
    headers = {
        "content-type": "text/plain" if isinstance(body, str) else "application/json",
        "content-length": str(len(text.encode())),
        "request-id": "req_1",
        "x-request-id": "req_1",
        **fault.headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {fault.status} Scripted\r\n{lines}\r\n{text}".encode())
    await writer.drain()


@asynccontextmanager
async def provider_server(*script: WireStep, faults: Sequence[Fault | None] = ()) -> AsyncIterator[ProviderServer]:
    """A running server."""
    async with ProviderServer(script, faults) as server:
        yield server


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("script", type=Path, help='JSON file: {"steps": [...], "faults": [...]}')
    parser.add_argument("--log", type=Path, help="file that gets a line for each request")
    arguments = parser.parse_args()
    given = json.loads(arguments.script.read_text())
    steps = [WireStep(**step) for step in given["steps"]]
    faults = [fault and Fault(**fault) for fault in given.get("faults", ())]
    async with ProviderServer(steps, faults, log=arguments.log) as server:
        sys.stdout.write(json.dumps({"url": server.url}) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.buffer.read)  # an end of input means that whoever started us is gone


if __name__ == "__main__":
    asyncio.run(_main())
