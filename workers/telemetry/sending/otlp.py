"""Spans as OTLP, the protocol of OpenTelemetry. Does no I/O."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from ....connection.tracing import SpanAddress
from ....contracts.text import encodable
from ..span import Attribute, StepSpan
from .forms import SpanForm

_SCOPE = InstrumentationScope("sostenuto", schema_url="https://opentelemetry.io/schemas/gen-ai/1.42.0")


def resource_of(more: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> Resource:
    """Return what is told of this process.

    Its name, what `OTEL_RESOURCE_ATTRIBUTES` says, and more.
    """
    is_named = "OTEL_SERVICE_NAME" in environ or "service.name=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return Resource.create({**({} if is_named else {"service.name": "sostenuto"}), **more})


def otlp_batch(spans: Iterable[StepSpan], resource: Resource, form: SpanForm) -> ExportTraceServiceRequest:
    """Return what is posted for some spans."""
    return encode_spans([_readable(span, resource, form) for span in spans])


def _readable(span: StepSpan, resource: Resource, form: SpanForm) -> ReadableSpan:
    return ReadableSpan(
        name=encodable(span.name),
        context=_context(span.address),
        parent=_context(span.parent) if span.parent else None,
        resource=resource,
        attributes={name: _sendable(value) for name, value in form(span).items()},
        events=[_exception(span)] if span.failed else (),
        links=[Link(_context(link)) for link in span.links],
        kind=SpanKind.CLIENT if span.is_call else SpanKind.INTERNAL,
        status=Status(StatusCode.ERROR, span.failure) if span.failed else Status(StatusCode.UNSET),
        start_time=span.begin_ns,
        end_time=span.end_ns,
        instrumentation_scope=_SCOPE,
    )


def _exception(span: StepSpan) -> Event:
    """Return a failure as OpenTelemetry has exceptions.

    Not every tool reads the status of a span.
    """
    told = {"exception.type": str(span.attributes.get("error.type", "error"))}
    if span.failure:
        told["exception.message"] = span.failure
    return Event("exception", told, span.end_ns)


def _sendable(value: Attribute) -> Attribute:
    return encodable(value) if isinstance(value, str) else value


def _context(address: SpanAddress) -> SpanContext:
    return SpanContext(*address, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
