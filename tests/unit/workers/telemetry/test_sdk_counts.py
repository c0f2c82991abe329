"""What the Temporal SDK counts is published under its own labels, also after others were there and went."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, Sum
from temporalio.contrib.opentelemetry import MetricsExporter
from temporalio.runtime import MetricBuffer, Runtime, TelemetryConfig

from sostenuto.workers.telemetry.metrics import OTHER
from sostenuto.workers.telemetry.sdk_counts import SdkCounts

REQUESTS = 200


async def _published(buffer: MetricBuffer, label: str = "request", requests: int = REQUESTS) -> dict[str, float]:
    """What is published of a counter that each of many requests adds one to, under labels of its own."""
    reader = InMemoryMetricReader()
    meter = Runtime(telemetry=TelemetryConfig(metrics=buffer)).metric_meter
    counter = meter.create_counter("requests")
    async with MetricsExporter(buffer, MeterProvider([reader]), poll_interval=timedelta(milliseconds=1)):
        for number in range(requests):
            counter.with_additional_attributes({label: str(number)}).add(1)
            # Taken up, and the labels freed, before the next one comes.
            await asyncio.sleep(0.003)
    data = reader.get_metrics_data()
    assert data
    (found,) = [
        metric.data
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name.endswith("requests")
    ]
    assert isinstance(found, Sum)
    return {str((point.attributes or {})[label]): point.value for point in found.data_points}


async def test_each_has_its_own() -> None:
    assert await _published(SdkCounts()) == {str(number): 1 for number in range(REQUESTS)}


async def test_types_of_workflows_beyond_the_first_ones_count_as_another() -> None:
    published = await _published(SdkCounts(), "workflow_type", REQUESTS + 20)
    assert published == {**{str(number): 1 for number in range(REQUESTS)}, OTHER: 20}
