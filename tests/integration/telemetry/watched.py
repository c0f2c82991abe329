"""A worker that sends spans to a receiver of the test, and what they tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from temporalio.client import Client as TemporalClient
from temporalio.runtime import MetricBuffer

from sostenuto import App, Client
from sostenuto.activities.adapters.providers.scripted import Script, ScriptedAdapter
from sostenuto.activities.call.live import Live
from sostenuto.activities.model_adapter import ModelAdapter
from sostenuto.activities.prices.price import PriceList
from sostenuto.history.trace.step import Trace, TraceStep
from sostenuto.workers.served.activities import Services
from sostenuto.workers.settings import Settings
from sostenuto.workers.telemetry.telemetry import telemetry_of
from sostenuto.workers.worker import build_worker
from tests.fakes.otlp_receiver import OtlpReceiver, attributes
from tests.integration.agent.stage import eventually

PRICE_USD = 0.001


@asynccontextmanager
async def watched(
    temporal: TemporalClient,
    app: App,
    script: Script | ModelAdapter,
    task_queue: str,
    *,
    settings: Mapping[str, Any] | None = None,
    buffer: MetricBuffer | None = None,
    services: Services | None = None,
    price: PriceList = lambda *_: PRICE_USD,
    **options: Any,
) -> AsyncIterator[Client]:
    """Serve an app, and send spans by OTLP."""
    adapter = ScriptedAdapter(script) if isinstance(script, Sequence | Mapping) else script
    services = replace(services or Services(), live=Live())
    assert services.live
    wanted = Settings(**{"telemetry": ("otlp",), "telemetry_content": "on", **(settings or {})})
    async with telemetry_of(
        wanted, temporal, task_queue=task_queue, live=services.live, cache=services.cache, buffer=buffer
    ) as interceptors:
        worker = build_worker(
            temporal,
            app,
            {"scripted": adapter},
            price,
            task_queue=task_queue,
            services=services,
            interceptors=interceptors,
            **options,
        )
        async with worker:
            yield Client(temporal, task_queue=task_queue, redis_url="")


def received(receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have spans sent to a receiver."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)


async def until_sent(receiver: OtlpReceiver, name: str, count: int = 1) -> None:
    """Wait until spans of a name have come."""

    async def have_come() -> bool:
        return sum(span.name == name for span in receiver.spans) >= count

    await eventually(have_come)


def assert_spans_of(spans: list[Span], trace: Trace) -> None:
    """Assert that a run's spans are its steps: each once, in one trace, under the same parents, with the same sums."""
    assert [found for found, count in Counter(span.span_id for span in spans).items() if count > 1] == []
    assert len({span.trace_id for span in spans}) == 1
    by_id = {span.span_id: span for span in spans}
    names = {span.span_id: _told(span) for span in spans}
    tree = Counter((names[span.span_id], names.get(span.parent_span_id, "")) for span in spans)
    steps = Counter(_steps(trace.run, ""))
    assert tree == steps, f"spans without a step: {tree - steps}; steps without a span: {steps - tree}"
    told = [attributes(span) for span in spans]
    assert sum(said.get("gen_ai.usage.input_tokens", 0) for said in told) == trace.run.usage.input_tokens
    assert sum(said.get("gen_ai.usage.output_tokens", 0) for said in told) == trace.run.usage.output_tokens
    assert sum(said.get("sostenuto.cost_usd", 0) for said in told) == pytest.approx(trace.run.cost_usd)
    for span in spans:
        above = by_id.get(span.parent_span_id)
        assert span.start_time_unix_nano <= span.end_time_unix_nano
        if above:
            assert above.start_time_unix_nano <= span.start_time_unix_nano, (span.name, above.name)
            assert span.end_time_unix_nano <= above.end_time_unix_nano, (span.name, above.name)


def _told(span: Span) -> str:
    said, operation = attributes(span), span.name.partition(" ")[0]
    return f"{said['sostenuto.path']} {operation} {said['sostenuto.status']} {said.get('sostenuto.turn', '')}"


def _steps(step: TraceStep, above: str) -> Any:
    operation = {"model": "chat", "tool": "execute_tool"}.get(step.kind, step.kind)
    if step.kind == "run":
        operation = "invoke_agent" if step.runnable_kind in ("agent", "prompt") else "invoke_workflow"
    here = f"{step.path} {operation} {step.status} {step.turn if step.kind == 'model' else ''}"
    yield here, above
    for inner in step.steps:
        yield from _steps(inner, here)
