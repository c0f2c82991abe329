"""The trace context, as it is passed on in Temporal's headers.

Where the SDK's own tracing has it: either goes on from the other. Source: W3C Trace Context, version 00,
https://www.w3.org/TR/trace-context/.

OpenTelemetry is not imported here: a process that has not done so has no span to pass on.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from temporalio.api.common.v1 import Payload
from temporalio.client import Interceptor, OutboundInterceptor, StartWorkflowInput, WorkflowHandle

TRACE_HEADER: Final = "_tracer-data"
_FIELD: Final = "traceparent"
_TRACEPARENT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


class SpanAddress(NamedTuple):
    """A span, by its ids."""

    trace_id: int
    """128 bits, never 0."""
    span_id: int
    """64 bits, never 0."""

    @property
    def traceparent(self) -> str:
        """The span as the parent of others, sampled."""
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-01"

    @classmethod
    def parse(cls, traceparent: object) -> SpanAddress | None:
        """Return the span that a `traceparent` names; None where it names none."""
        found = _TRACEPARENT.fullmatch(traceparent) if isinstance(traceparent, str) else None
        address = cls(int(found[1], 16), int(found[2], 16)) if found else None
        return address if address and all(address) else None


def header_of(span: SpanAddress) -> Payload:
    """Return the value of the header that names a span."""
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps({_FIELD: span.traceparent}).encode())


def span_of(header: Mapping[str, Payload]) -> SpanAddress | None:
    """Return the span that a header names; None where it names none."""
    payload = header.get(TRACE_HEADER)
    try:
        carried = json.loads(payload.data) if payload else None
    except ValueError:
        return None
    return SpanAddress.parse(carried.get(_FIELD)) if isinstance(carried, dict) else None


class CallersTrace(Interceptor):
    """Has runs begin in the trace of whoever starts them."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        """Return what each call of a client goes through."""
        return _Outbound(next)


class _Outbound(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        here = current_span()
        if here and TRACE_HEADER not in input.headers:
            input.headers = {**input.headers, TRACE_HEADER: header_of(here)}
        return await super().start_workflow(input)


def current_span() -> SpanAddress | None:
    """Return the span that is under way here; None where this process traces nothing."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    found = trace.get_current_span().get_span_context()
    return SpanAddress(found.trace_id, found.span_id) if found.is_valid and found.trace_flags.sampled else None
