"""How batches of spans leave: over HTTP, to a file, to the terminal."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import os
import ssl
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final, Protocol
from urllib.parse import urlsplit

import httpx
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from ....contracts.text import first_line, redacted
from .destinations import Destination

_RETRIED: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_OF_BATCH: Final = frozenset({400, 413, 422, 500})
"""What is answered to a batch that is too long, or of which something is not taken: 500 may be that or an outage."""
_MOST_FILE_BYTES: Final = 200_000_000
_IDS: Final = ("traceId", "spanId", "parentSpanId")


class Unsent(Exception):  # noqa: N818 - it is told, never raised to a user
    """A batch that was not taken; says why."""

    def __init__(self, why: str, *, again: bool, parts: bool = False) -> None:
        super().__init__(why)
        self.again = again
        """Whether it may be taken later."""
        self.parts = parts
        """Whether parts of it may be taken."""


class Sender(Protocol):
    """Sends batches somewhere."""

    async def send(self, batch: ExportTraceServiceRequest) -> None:
        """Send a batch.

        Raises:
            Unsent: It was not taken.
        """
        ...

    async def close(self) -> None:
        """Let go of what it holds."""
        ...


def shown_address(url: str) -> str:
    """Return an address as far as it may stand in a log."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def keys_in(to: Destination) -> tuple[str, ...]:
    """Return the keys that requests carry, in each form: no message may quote them."""
    words = [word for value in to.headers.values() for word in (value, *value.split())]
    with suppress(ValueError):
        basic = to.headers.get("authorization", "").partition("Basic ")[2]
        words += base64.b64decode(basic).decode().split(":")
    return tuple(words)


def unsent_by(response: httpx.Response, shown: str, secrets: Iterable[str]) -> Unsent:
    """Return what an answer that takes nothing means, to be raised.

    Args:
        response: The answer.
        shown: Address that was asked.
        secrets: What it may not quote.
    """
    said = first_line(redacted(response.text, secrets), 120)
    why = f"{shown} answers {response.status_code}" + (f" ({said})" if said else "")
    return Unsent(why, again=response.status_code in _RETRIED, parts=response.status_code in _OF_BATCH)


class HttpSender:
    """Posts batches."""

    def __init__(self, to: Destination) -> None:
        self._url = to.url
        self._shown = shown_address(to.url)
        self._secrets = keys_in(to)
        headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip", **to.headers}
        verify = ssl.create_default_context(cafile=to.certificate) if to.certificate else True
        self._client = httpx.AsyncClient(headers=headers, timeout=to.timeout_seconds, verify=verify)

    async def send(self, batch: ExportTraceServiceRequest) -> None:
        """Post a batch.

        Raises:
            Unsent: It was not taken.
        """
        body = await asyncio.to_thread(gzip.compress, batch.SerializeToString(), 1)
        try:
            response = await self._client.post(self._url, content=body)
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            raise Unsent(f"{self._shown} does not answer ({why})", again=True) from error
        if response.is_success:
            return
        raise unsent_by(response, self._shown, self._secrets)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


class FileSender:
    """Appends batches to a file, one a line, as the collector's file exporter does."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def send(self, batch: ExportTraceServiceRequest) -> None:
        """Append a batch.

        Raises:
            Unsent: The file cannot be written.
        """
        try:
            await asyncio.to_thread(self._append, batch)
        except OSError as error:
            raise Unsent(f"{self._path} cannot be written ({error.strerror})", again=True) from error

    def _append(self, batch: ExportTraceServiceRequest) -> None:
        said = _with_hex_ids(MessageToDict(batch, use_integers_for_enums=True))
        line = json.dumps(said, ensure_ascii=False)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._path.exists() and self._path.stat().st_size > _MOST_FILE_BYTES:
            self._path.replace(self._path.with_suffix(".old" + self._path.suffix))
        # Written at once: lines of several workers do not run into each other.
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, f"{line}\n".encode())
        finally:
            os.close(file)

    async def close(self) -> None:
        """Do nothing: each batch was written whole."""


class ConsoleSender:
    """Writes a line for each span."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    async def send(self, batch: ExportTraceServiceRequest) -> None:
        """Write a batch.

        Raises:
            Unsent: The terminal is gone.
        """
        try:
            self._write(batch)
        except (OSError, ValueError) as error:
            raise Unsent(f"the terminal cannot be written to ({error})", again=False) from error

    def _write(self, batch: ExportTraceServiceRequest) -> None:
        for resource_spans in batch.resource_spans:
            for scope_spans in resource_spans.scope_spans:
                for span in scope_spans.spans:
                    said = {one.key: _plain(one.value) for one in span.attributes}
                    seconds = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9
                    line = {"span": span.name, "trace": span.trace_id.hex(), "seconds": round(seconds, 3), **said}
                    self._stream.write(f"{json.dumps(line, ensure_ascii=True)}\n")
        self._stream.flush()

    async def close(self) -> None:
        """Do nothing: the stream is not its own."""


def _with_hex_ids(said: Any) -> Any:
    """Return a batch with its ids in hexadecimal, as OTLP has them in JSON.

    Protobuf's own form is base64.
    """
    if isinstance(said, list):
        return [_with_hex_ids(one) for one in said]
    if not isinstance(said, dict):
        return said
    return {key: base64.b64decode(one).hex() if key in _IDS else _with_hex_ids(one) for key, one in said.items()}


def _plain(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(one) for one in value.array_value.values]
    return getattr(value, kind) if kind else None


def sender_to(to: Destination, stream: IO[str]) -> Sender:
    """Return what sends to a destination.

    Args:
        to: Where.
        stream: The terminal.
    """
    if to.url:
        return HttpSender(to)
    return FileSender(to.path) if to.path else ConsoleSender(stream)
