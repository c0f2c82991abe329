"""Batches leave whole, and what is not taken is told with whether it may be taken later, without any key."""

from __future__ import annotations

import base64
import io
import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sostenuto.workers.telemetry.disclosure import Disclosure
from sostenuto.workers.telemetry.sending.destinations import Destination
from sostenuto.workers.telemetry.sending.forms import plain_form
from sostenuto.workers.telemetry.sending.otlp import otlp_batch, resource_of
from sostenuto.workers.telemetry.sending.senders import ConsoleSender, FileSender, HttpSender, Unsent, sender_to
from tests.fakes.otlp_receiver import attributes, otlp_receiver
from tests.fakes.step_spans import failed_model_span, model_span, saying, sent

KEY = "key-that-nobody-sees"
SPANS = [
    model_span(Disclosure("on"), sent(), saying("Grüße 😀")),
    failed_model_span(Disclosure("on"), "QuotaExceeded: no more"),
]
BATCH = otlp_batch(SPANS, resource_of({}), plain_form)


@pytest.mark.parametrize(
    ("status", "again", "parts"),
    [(400, False, True), (413, False, True), (422, False, True), (401, False, False), (403, False, False)]
    + [(404, False, False), (301, False, False)]
    + [(status, True, False) for status in (408, 425, 429, 502, 503, 504)]
    + [(500, True, True)],
)
async def test_an_answer_says_whether_to_try_again(status: int, again: bool, parts: bool) -> None:
    with otlp_receiver() as receiver:
        receiver.status = status
        sender = HttpSender(Destination("otlp", f"{receiver.url}/v1/traces"))
        with pytest.raises(Unsent, match=f"/v1/traces answers {status}") as raised:
            await sender.send(BATCH)
        assert (raised.value.again, raised.value.parts) == (again, parts)
        receiver.status = 200
        await sender.send(BATCH)
        await sender.close()
    assert receiver.requests[0].batch == BATCH
    assert receiver.requests[0].headers["content-encoding"] == "gzip"


async def test_who_is_not_there_may_come() -> None:
    with otlp_receiver() as receiver:
        gone = receiver.url
    sender = HttpSender(Destination("otlp", f"{gone}/v1/traces"))
    with pytest.raises(Unsent, match="does not answer") as raised:
        await sender.send(BATCH)
    assert raised.value.again
    await sender.close()


@pytest.fixture
def tells_all() -> Iterator[str]:
    """A server that refuses, and says with which headers it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            said = str(dict(self.headers)).encode()
            self.send_response(401)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


async def test_no_key_is_told(tells_all: str) -> None:
    to = Destination("otlp", f"http://me:{KEY}@{tells_all}/v1/traces?key={KEY}", {"authorization": f"Bearer {KEY}"})
    sender = HttpSender(to)
    with pytest.raises(Unsent) as raised:
        await sender.send(BATCH)
    assert str(raised.value).startswith(f"http://{tells_all}/v1/traces answers 401 (")
    assert KEY not in str(raised.value)
    await sender.close()
    sender = HttpSender(Destination("otlp", f"http://me:{KEY}@127.0.0.1:1/v1/traces?key={KEY}"))
    with pytest.raises(Unsent) as raised:
        await sender.send(BATCH)
    assert KEY not in str(raised.value)
    await sender.close()


async def test_a_file_has_lines_of_otlp_json(tmp_path: Path) -> None:
    """As the protocol has it in JSON: ids in hexadecimal, enums as numbers; all else is the batch that was sent."""
    path = tmp_path / "inner" / "spans.jsonl"
    sender = sender_to(Destination("file", path=path), io.StringIO())
    assert isinstance(sender, FileSender)
    await sender.send(BATCH)
    await sender.send(BATCH)
    await sender.close()
    first, second = path.read_text().splitlines()
    assert first == second
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    said = json.loads(first)
    spans = said["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert [(span["kind"], span["status"].get("code")) for span in spans] == [(3, None), (3, 2)]
    for span, address in zip(spans, (one.address for one in SPANS), strict=True):
        assert (span["traceId"], span["spanId"]) == (f"{address.trace_id:032x}", f"{address.span_id:016x}")
        for name in ("traceId", "spanId", "parentSpanId"):
            # As Protobuf's own JSON has them, to read the rest back by it.
            span[name] = _base64(span[name])
    assert Parse(json.dumps(said), ExportTraceServiceRequest()) == BATCH


def _base64(text: str) -> str:
    return base64.b64encode(bytes.fromhex(text)).decode()


async def test_a_file_that_is_full_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sostenuto.workers.telemetry.sending.senders._MOST_FILE_BYTES", 10)
    path = tmp_path / "spans.jsonl"
    sender = FileSender(path)
    for _ in range(3):
        await sender.send(BATCH)
    assert [len(one.read_text().splitlines()) for one in (path, tmp_path / "spans.old.jsonl")] == [1, 1]


async def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unsent, match="cannot be written"):
        await FileSender(tmp_path).send(BATCH)


async def test_the_console_has_a_line_for_each_span() -> None:
    stream = io.StringIO()
    sender = sender_to(Destination("console"), stream)
    assert isinstance(sender, ConsoleSender)
    await sender.send(BATCH)
    await sender.close()
    assert stream.getvalue().isascii()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["span"] for line in lines] == ["chat openai/gpt-x"] * 2
    assert lines[0]["output.value"] == "Grüße 😀"
    assert lines[0]["gen_ai.response.finish_reasons"] == ["stop"]
    sending = BATCH.resource_spans[0].scope_spans[0].spans[0]
    assert {**lines[0]} == {
        **attributes(sending),
        "span": sending.name,
        "trace": sending.trace_id.hex(),
        "seconds": 1.0,
    }


async def test_a_console_that_is_gone_is_told() -> None:
    stream = io.StringIO()
    stream.close()
    with pytest.raises(Unsent, match="terminal") as raised:
        await ConsoleSender(stream).send(BATCH)
    assert not raised.value.again
