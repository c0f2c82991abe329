"""A step of a run as a span, before any tool has its own form of it. Does no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ...connection.tracing import SpanAddress
from ...history.trace.step import StepKind

Attribute = str | bool | int | float | Sequence[str]


class FoundDocument(NamedTuple):
    """A passage that a search found."""

    id: str
    score: float
    source: str = ""
    """Where it is from, where that may be told."""


@dataclass(frozen=True, slots=True)
class StepSpan:
    """A finished span."""

    name: str
    address: SpanAddress
    kind: StepKind
    """What kind of step it is."""
    operation: str
    """`gen_ai.operation.name`, such as `chat`; empty where the conventions have none."""
    begin_ns: int
    """Nanoseconds since 1970, by the Temporal server's clock."""
    end_ns: int
    attributes: Mapping[str, Attribute]
    parent: SpanAddress | None = None
    links: tuple[SpanAddress, ...] = ()
    failed: bool = False
    failure: str = ""
    """Why, as far as that may be told."""
    is_call: bool = False
    """Whether it asks something outside of this process, such as a model."""
    documents: tuple[FoundDocument, ...] = ()
    """Of a search what was found, the best first."""
