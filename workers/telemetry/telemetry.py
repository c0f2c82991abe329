"""Puts the parts of telemetry together, and takes them apart again."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from temporalio.client import Client
from temporalio.contrib.opentelemetry import MetricsExporter
from temporalio.runtime import MetricBuffer
from temporalio.worker import Interceptor

from ...activities.call.live import Live
from ...activities.transcript_cache import TranscriptCache
from ...contracts.errors import SetupError
from ..service_settings import split_address
from ..settings import Settings
from .disclosure import Disclosure
from .followed_run import ToldStep
from .follower import Follower
from .interceptors import Tracing
from .metrics import StepMetrics
from .positions import Positions
from .sending.destinations import destination
from .sending.otlp import resource_of
from .sending.senders import sender_to
from .sending.span_queue import SpanQueue
from .worker_figures import publish_figures

_LAST_SECONDS: Final = 5.0
"""How long what is left may take to leave when the worker stops."""

_SDK_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
_SDK_LATENCIES: Final = View(
    instrument_name="temporal_*_latency",
    instrument_unit="s",
    aggregation=ExplicitBucketHistogramAggregation(_SDK_SECONDS),
)
"""The Temporal SDK leaves the buckets of its histograms to whoever publishes them."""


@asynccontextmanager
async def telemetry_of(
    settings: Settings,
    client: Client,
    *,
    live: Live,
    cache: TranscriptCache,
    task_queue: str,
    buffer: MetricBuffer | None = None,
) -> AsyncIterator[Sequence[Interceptor]]:
    """Yield the interceptors of a worker that is watched.

    None where the settings want nothing.

    What is left when the block ends is sent, if that takes no longer than a few seconds.

    Args:
        settings: Say what is sent where.
        client: Where the runs are.
        live: What tells those who watch what calls say.
        cache: The worker's memory of transcripts.
        task_queue: What it polls.
        buffer: What the Temporal SDK of this process counts, durations in seconds. None: that is not published.

    Raises:
        SetupError: A destination lacks a setting, or the address for metrics is taken.
    """
    if not settings.telemetry and settings.metrics is None:
        yield ()
        return
    async with AsyncExitStack() as stack:
        meter = await _meter(settings, buffer, stack)
        metrics = StepMetrics(meter)
        positions = Positions(settings.redis_url.get_secret_value() if settings.redis_url else None)
        disclosure = Disclosure(settings.telemetry_content, settings.secrets())
        ears = _Ears(metrics)
        follower = Follower(client, positions, disclosure, ears)
        queues = [_queue(name, settings, follower.settle) for name in dict.fromkeys(settings.telemetry)]
        ears.queues = queues
        publish_figures(meter, cache=cache, live=live, follower=follower, queues=queues)
        live.on_first_delta = metrics.take_first_chunk if settings.publishes_metrics else None
        following = asyncio.create_task(follower.run(task_queue))
        sending = [asyncio.create_task(queue.run()) for queue in queues]
        try:
            yield (Tracing(follower.touch),)
        finally:
            live.on_first_delta = None
            await _end(following)
            await _send_last(follower, queues)
            await _end(*sending)
            await positions.close()


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _send_last(follower: Follower, queues: Sequence[SpanQueue]) -> None:
    await follower.finish(_LAST_SECONDS)
    await asyncio.gather(*(queue.close(_LAST_SECONDS) for queue in queues))
    await follower.settle()


@dataclass(slots=True)
class _Ears:
    """What is told of steps."""

    metrics: StepMetrics
    queues: Sequence[SpanQueue] = ()

    def take(self, told: Sequence[ToldStep]) -> None:
        spans = [step.span for step in told if step.span]
        for queue in self.queues:
            queue.add(spans)
        for step in told:
            if step.is_new:
                self.metrics.take(step)

    def mark(self) -> Sequence[int]:
        return tuple(queue.added for queue in self.queues)

    def has_sent(self, mark: Sequence[int]) -> bool:
        return all(queue.settled >= added for queue, added in zip(self.queues, mark, strict=True))


def _queue(name: str, settings: Settings, on_sent: Callable[[], Awaitable[None]]) -> SpanQueue:
    to = destination(name, settings.state_dir)
    return SpanQueue(to, sender_to(to, sys.stderr), on_sent)


async def _meter(settings: Settings, buffer: MetricBuffer | None, stack: AsyncExitStack) -> Meter:
    readers: list[MetricReader] = []
    if settings.metrics is not None:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        _serve(settings.metrics, registry, stack)
        readers.append(PrometheusMetricReader(scope_info_enabled=False, registry=registry))
    if "otlp" in settings.telemetry:
        # It logs each failure; that the same server does not take spans is told once.
        logging.getLogger("opentelemetry.exporter.otlp.proto.http.metric_exporter").setLevel(logging.CRITICAL)
        readers.append(PeriodicExportingMetricReader(OTLPMetricExporter()))
    provider = MeterProvider(readers, resource_of({}), shutdown_on_exit=False, views=[_SDK_LATENCIES])
    stack.push_async_callback(_shut_down, provider)
    if buffer:
        await stack.enter_async_context(MetricsExporter(buffer, provider))
    return provider.get_meter("sostenuto")


async def _shut_down(provider: MeterProvider) -> None:
    # One that does not answer would hold the worker's stop up.
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.to_thread(provider.shutdown), _LAST_SECONDS)


def _serve(address: str, registry: CollectorRegistry, stack: AsyncExitStack) -> None:
    host, port = split_address(address)
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise SetupError(
            f"SOSTENUTO_METRICS: nothing can listen at {host}:{port} ({error.strerror}): name another port"
        ) from error

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    stack.push_async_callback(asyncio.to_thread, stop)
