"""What each tool is sent over OTLP: where to, by which headers, and what each span says there, field by field.

One worker sends the same runs to all of them at once; a server on loopback stands in for each.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from temporalio.testing import WorkflowEnvironment

from sostenuto import Client, Status
from tests.fakes.otlp_receiver import OtlpReceiver, attributes, otlp_receiver
from tests.integration.telemetry.shown import CREW, FLOW, PRICE_USD, TALKER, fill, showing

ALL = ("otlp", "phoenix", "langfuse", "langsmith", "file", "console")
PATHS = {
    "otlp": "/v1/traces",
    "phoenix": "/phoenix/v1/traces",
    "langfuse": "/api/public/otel/v1/traces",
    "langsmith": "/otel/v1/traces",
}
TOLD = "a secret of the worker"


@dataclass
class Seen:
    """What came of the runs."""

    receiver: OtlpReceiver
    file: Path
    console: str = ""
    results: dict[str, Any] = field(default_factory=dict)

    def spans(self, tool: str) -> list[Span]:
        """What a tool was sent, in order."""
        sent = (request.batch for request in self.receiver.requests if request.path == PATHS[tool])
        return [
            span
            for batch in sent
            for resource in batch.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def one(self, tool: str, name: str, run: str, index: int = 0) -> tuple[Span, dict[str, Any]]:
        """A span of a run, by its name, and what it says."""
        found = [span for span in self.spans(tool) if span.name == name]
        found = [span for span in found if attributes(span)["session.id"] == run]
        span = sorted(found, key=lambda span: span.start_time_unix_nano)[index]
        return span, attributes(span)

    def headers(self, tool: str) -> dict[str, str]:
        """What every request to a tool said of itself."""
        told = [dict(request.headers) for request in self.receiver.requests if request.path == PATHS[tool]]
        assert told
        return {name: value for name, value in told[0].items() if all(one.get(name) == value for one in told)}

    def resource(self, tool: str) -> dict[str, Any]:
        """What a tool was told of the process."""
        request = next(request for request in self.receiver.requests if request.path == PATHS[tool])
        return {one.key: one.value.string_value for one in request.batch.resource_spans[0].resource.attributes}


@pytest.fixture(scope="module")
def _environment_of_tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    file = tmp_path_factory.mktemp("telemetry") / "spans.jsonl"
    with otlp_receiver() as receiver, pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "x-team=desk%20one",
            "OTEL_RESOURCE_ATTRIBUTES": "service.name=desk,deployment.environment=test",
            "PHOENIX_COLLECTOR_ENDPOINT": f"{receiver.url}/phoenix",
            "PHOENIX_API_KEY": "px-key",
            "LANGFUSE_HOST": receiver.url,
            "LANGFUSE_PUBLIC_KEY": "pk-lf-1",
            "LANGFUSE_SECRET_KEY": "sk-lf-1",
            "LANGSMITH_ENDPOINT": receiver.url,
            "LANGSMITH_API_KEY": "ls-key",
            "LANGSMITH_PROJECT": "desk",
            "SOSTENUTO_TELEMETRY_FILE": str(file),
            "PLANTED_TOKEN": TOLD,
        }.items():
            patch.setenv(name, value)
        patch.setattr(sys, "stderr", io.StringIO())
        yield Seen(receiver, file)


@pytest.fixture(scope="module")
async def seen(
    _environment_of_tools: Seen, environment: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory
) -> Seen:
    """What all tools were sent of a chain, a team and a chat of two turns."""
    everything, folder = _environment_of_tools, tmp_path_factory.mktemp("worker")
    wanted = {"telemetry": ALL, "telemetry_content": "on"}
    async with showing(environment.client, "tools", folder, wanted) as client:
        await fill(client, folder)
        for runnable, run_id in ((FLOW, "tools-flow"), (CREW, "tools-crew")):
            run = await client.start(runnable, f"Where is the pump? I know {TOLD}.", id=run_id, tenant="acme")
            everything.results[run_id] = await run.result()
        chat = await client.chat(TALKER, id="tools-chat", tenant="acme")
        for text in ("First?", "Second?"):
            await chat.send(text)
    assert isinstance(sys.stderr, io.StringIO)
    everything.console = sys.stderr.getvalue()
    return everything


async def test_all_are_sent_the_same_spans(seen: Seen) -> None:
    told = [
        sorted((span.span_id, span.trace_id, span.name, span.parent_span_id) for span in seen.spans(tool))
        for tool in PATHS
    ]
    assert len(told[0]) > 20
    assert told[0] == told[1] == told[2] == told[3]
    assert all(result.status is Status.COMPLETED for result in seen.results.values())
    assert len({span_id for span_id, *_ in told[0]}) == len(told[0]), "each once"


async def test_no_tool_is_told_a_secret(seen: Seen) -> None:
    """Of the worker's own environment, though the run was told it."""
    for request in seen.receiver.requests:
        assert TOLD not in str(request.batch)
    assert "I know [secret]." in seen.one("otlp", "invoke_workflow flow", "tools-flow")[1]["input.value"]
    for written in (seen.console, seen.file.read_text()):
        assert TOLD not in written
        assert "[secret]" in written


async def test_otlp(seen: Seen) -> None:
    """The conventions alone, to where OpenTelemetry's own variables say."""
    headers = seen.headers("otlp")
    assert (headers["x-team"], headers["content-type"]) == ("desk one", "application/x-protobuf")
    resource = seen.resource("otlp")
    assert (resource["service.name"], resource["deployment.environment"]) == ("desk", "test")
    root, said = seen.one("otlp", "invoke_workflow flow", "tools-flow")
    assert (root.parent_span_id, said["gen_ai.operation.name"], said["gen_ai.workflow.name"]) == (
        b"",
        "invoke_workflow",
        "flow",
    )
    assert (said["session.id"], said["user.id"], said["output.value"]) == ("tools-flow", "acme", "Fine.")
    assert (said["sostenuto.total.cost_usd"], said["sostenuto.total.model_calls"]) == (3 * PRICE_USD, 3)
    one, chat = seen.one("otlp", "chat scripted/one", "tools-flow")
    assert (one.parent_span_id, one.kind) == (root.span_id, Span.SPAN_KIND_CLIENT)
    assert {name: chat[name] for name in chat if name.startswith(("gen_ai.usage", "gen_ai.re"))} == {
        "gen_ai.request.model": "one",
        "gen_ai.response.model": "one",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.cache_read.input_tokens": 40,
        "gen_ai.usage.cache_creation.input_tokens": 10,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.reasoning.output_tokens": 5,
    }
    assert len(chat["sostenuto.prompt_hash"]) == 64
    search, found = seen.one("otlp", "retrieval shown-handbook", "tools-flow")
    assert (search.parent_span_id, found["gen_ai.data_source.id"]) == (root.span_id, "shown-handbook")
    assert found["gen_ai.retrieval.query.text"] == "Where is the pump? I know [secret]."
    assert not [name for name in found if name.startswith("gen_ai.usage")]
    assert not [name for name in chat if name.startswith(("langfuse", "langsmith", "openinference", "llm."))]


async def test_what_failed(seen: Seen) -> None:
    for tool in PATHS:
        away, said = seen.one(tool, "chat scripted/away", "tools-flow")
        assert (away.status.code, said["error.type"]) == (2, "QuotaExceeded")
        assert "QuotaExceeded" in away.status.message
        [event] = away.events
        told = {one.key: one.value.string_value for one in event.attributes}
        assert (event.name, told["exception.type"]) == ("exception", "QuotaExceeded")
        assert told["exception.message"] == away.status.message
        lift, said = seen.one(tool, "execute_tool lift", "tools-flow")
        assert (lift.status.code, lift.status.message) == (2, "ValueError: 90.5 kg is too much")
        assert said["error.type"] == "tool_failed"


async def test_a_member_of_a_team_is_in_its_trace(seen: Seen) -> None:
    root, _ = seen.one("otlp", "invoke_workflow crew", "tools-crew")
    asked, _ = seen.one("otlp", "execute_tool clerk", "tools-crew")
    clerk, said = seen.one("otlp", "invoke_agent clerk", "tools-crew")
    assert (asked.trace_id, asked.parent_span_id) == (root.trace_id, root.span_id)
    assert (clerk.trace_id, clerk.parent_span_id) == (root.trace_id, asked.span_id)
    assert (said["sostenuto.run.id"].startswith("tools-crew/"), said["session.id"]) == (True, "tools-crew")
    look, said = seen.one("otlp", "execute_tool look", "tools-crew")
    assert (look.parent_span_id, said["gen_ai.tool.call.id"]) == (clerk.span_id, "call_1_0")
    assert (said["gen_ai.tool.call.arguments"], said["output.value"]) == (
        '{"at":"the house"}',
        '{"at":"the house","is":"fine"}',
    )


async def test_langfuse(seen: Seen) -> None:
    headers = seen.headers("langfuse")
    assert base64.b64decode(headers["authorization"].removeprefix("Basic ")) == b"pk-lf-1:sk-lf-1"
    assert headers["x-langfuse-ingestion-version"] == "4"
    _, root = seen.one("langfuse", "invoke_workflow flow", "tools-flow")
    assert root["langfuse.observation.type"] == "chain"
    assert (root["langfuse.trace.name"], root["session.id"], root["user.id"]) == ("flow", "tools-flow", "acme")
    assert root["langfuse.trace.input"] == root["langfuse.observation.input"] == "Where is the pump? I know [secret]."
    assert root["langfuse.trace.output"] == root["langfuse.observation.output"] == "Fine."
    _, one = seen.one("langfuse", "chat scripted/one", "tools-flow")
    assert one["langfuse.observation.type"] == "generation"
    assert json.loads(one["langfuse.observation.cost_details"]) == {"total": PRICE_USD}
    assert json.loads(one["langfuse.observation.usage_details"])["input_cached_tokens"] == 40
    _, asked = seen.one("langfuse", "chat scripted/clerk", "tools-flow", 1)
    told = json.loads(asked["langfuse.observation.input"])
    assert [message["role"] for message in told] == ["system", "user", "assistant", "tool", "tool"]
    assert [call["function"]["name"] for call in told[2]["tool_calls"]] == ["look", "lift"]
    assert json.loads(asked["langfuse.observation.output"]) == [{"role": "assistant", "content": "Fine."}]
    kinds = {attributes(span)["langfuse.observation.type"] for span in seen.spans("langfuse")}
    assert kinds == {"chain", "agent", "generation", "tool", "retriever", "embedding"}
    _, away = seen.one("langfuse", "chat scripted/away", "tools-flow")
    assert away["langfuse.observation.level"] == "ERROR"
    assert "QuotaExceeded" in away["langfuse.observation.status_message"]
    _, look = seen.one("langfuse", "execute_tool look", "tools-flow")
    assert json.loads(look["langfuse.observation.input"]) == {"at": "the house"}
    assert look["langfuse.observation.metadata.path"] == "flow/clerk"
    turns = [seen.one("langfuse", "invoke_agent talker", "tools-chat", index) for index in (0, 1)]
    assert [said["langfuse.trace.name"] for _, said in turns] == ["talker", "talker"]
    assert len({span.trace_id for span, _ in turns}) == 2


async def test_langsmith(seen: Seen) -> None:
    headers = seen.headers("langsmith")
    assert (headers["x-api-key"], headers["langsmith-project"]) == ("ls-key", "desk")
    _, asked = seen.one("langsmith", "chat scripted/clerk", "tools-flow", 1)
    assert (asked["langsmith.span.kind"], asked["gen_ai.system"]) == ("llm", "scripted")
    numbered = [(asked[f"gen_ai.prompt.{n}.role"], asked[f"gen_ai.prompt.{n}.content"]) for n in range(5)]
    assert numbered == [
        ("system", "Be kind."),
        ("user", "hi"),
        ("assistant", "I look."),
        ("tool", '{"at":"the house","is":"fine"}'),
        ("tool", "ValueError: 90.5 kg is too much"),
    ]
    assert "gen_ai.prompt.5.role" not in asked
    assert (asked["gen_ai.completion.0.role"], asked["gen_ai.completion.0.content"]) == ("assistant", "Fine.")
    told = json.loads(asked["gen_ai.input.messages"])
    assert [call["function"]["name"] for call in told[2]["tool_calls"]] == ["look", "lift"]
    assert [message["tool_call_id"] for message in told[3:]] == ["call_1_0", "call_1_1"]
    _, one = seen.one("langsmith", "chat scripted/one", "tools-flow")
    usage = json.loads(one["langsmith.usage_metadata"])
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_cost"]) == (100, 20, PRICE_USD)
    for span in seen.spans("langsmith"):
        said = attributes(span)
        assert said["langsmith.metadata.session_id"] == said["session.id"], "a thread needs it on every span"
    assert {attributes(span)["langsmith.span.kind"] for span in seen.spans("langsmith")} == {
        "chain",
        "llm",
        "tool",
        "retriever",
        "embedding",
    }
    _, look = seen.one("langsmith", "execute_tool look", "tools-flow")
    assert (look["input.value"], look["gen_ai.tool.name"]) == ('{"at":"the house"}', "look")


async def test_phoenix(seen: Seen) -> None:
    """What a real one shows of it, `test_phoenix.py` tells."""
    assert seen.headers("phoenix")["authorization"] == "Bearer px-key"
    assert seen.resource("phoenix")["openinference.project.name"] == "sostenuto"
    kinds = {attributes(span)["openinference.span.kind"] for span in seen.spans("phoenix")}
    assert kinds == {"CHAIN", "AGENT", "LLM", "TOOL", "RETRIEVER", "EMBEDDING"}
    _, embedded = seen.one("phoenix", "embeddings fake/words", "tools-flow")
    assert embedded["embedding.model_name"] == "words"


async def test_a_file_can_be_read_back(seen: Seen) -> None:
    spans = [
        span
        for line in seen.file.read_text().splitlines()
        for resource in json.loads(line)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    sent = {
        (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(), span.name) for span in seen.spans("otlp")
    }
    assert {(one["traceId"], one["spanId"], one.get("parentSpanId", ""), one["name"]) for one in spans} == sent
    assert len(spans) == len(sent)


async def test_the_console_has_a_line_for_each_span(seen: Seen) -> None:
    lines = [json.loads(line) for line in seen.console.splitlines() if line.startswith('{"span"')]
    assert sorted((line["trace"], line["span"]) for line in lines) == sorted(
        (span.trace_id.hex(), span.name) for span in seen.spans("otlp")
    )


@contextmanager
def _deaf() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("how", ["down", "slow"])
async def test_runs_do_not_wait_for_a_tool(
    how: str,
    environment: WorkflowEnvironment,
    task_queue: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with _deaf() as deaf:
        monkeypatch.setenv(
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", deaf if how == "slow" else "http://127.0.0.1:1/v1/traces"
        )
        monkeypatch.setenv("SOSTENUTO_TELEMETRY_FILE", str(tmp_path / "spans.jsonl"))
        wanted = {"telemetry": ("otlp", "file"), "telemetry_content": "off"}
        async with showing(environment.client, task_queue, tmp_path, wanted) as client:
            results = await asyncio.gather(*(_asked(client, f"{task_queue}-{number}") for number in range(5)))
    assert all(result.status is Status.COMPLETED for result in results)
    ours = [
        record for record in caplog.records if record.name.startswith("sostenuto") and "telemetry" in record.message
    ]
    told = [
        record.getMessage() for record in ours if record.levelno >= logging.WARNING and "metrics" not in record.message
    ]
    assert len([one for one in told if "does not take spans" in one]) <= 1
    assert len([one for one in told if one.startswith("telemetry: otlp did not take")]) == 1
    lines = (tmp_path / "spans.jsonl").read_text().splitlines()
    assert lines, "the other tool has them all the same"


async def _asked(client: Client, run_id: str) -> Any:
    return await (await client.start(TALKER, "Hello", id=run_id)).result()
