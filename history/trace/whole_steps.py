"""Steps that are told of once, when they have ended.

Searches, documents of an ingest, and the stages of both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from ...contracts.text import file_name
from ...contracts.wire.event import RetrievalResponded
from ...contracts.wire.ingest.ingest_event import DocumentFailed, DocumentIngested
from ...contracts.wire.places import Place
from ...contracts.wire.run import Status
from ...contracts.wire.totals import Charged

WholeStep = RetrievalResponded | DocumentIngested | DocumentFailed


def step_fields(event: WholeStep) -> dict[str, Any]:
    """Return the fields of the step that an event tells."""
    status = Status.FAILED if isinstance(event, DocumentFailed) else Status.COMPLETED
    return {
        "started_at": event.at - timedelta(seconds=event.seconds),
        "seconds": event.seconds,
        "status": status.value,
        **_costs(event),
        **(_search(event) if isinstance(event, RetrievalResponded) else _document(event)),
    }


def _costs(charged: Charged) -> dict[str, Any]:
    # Where nothing is known it is not nothing.
    cost = charged.cost_usd if charged.cost_usd or not charged.unpriced_calls else None
    return {"usage": charged.usage, "cost_usd": cost, "unpriced_calls": charged.unpriced_calls}


def _search(event: RetrievalResponded) -> dict[str, Any]:
    return {
        "kind": "retrieval",
        "id": Place(event.path).search(event.call_id),
        "name": event.collection,
        "attempt": event.attempt,
        "reason": event.note,
        "asked": event.query,
        "answered": [passage.model_dump(mode="json") for passage in event.passages],
    }


def _document(event: DocumentIngested | DocumentFailed) -> dict[str, Any]:
    said = {
        "kind": "document",
        "id": Place(event.path).ingest_step(event.step),
        "name": file_name(event.uri),
        "asked": event.uri,
        "attempt": event.attempt,
        "waited_seconds": event.waited_seconds,
    }
    if isinstance(event, DocumentIngested):
        return {**said, "answered": {"passages": event.passages, "characters": event.characters}}
    # A step that lists finds many that cannot be read.
    listed = {} if event.seconds else {"id": Place(event.path).ingest_step(f"{event.step}-{event.id}")}
    return {**said, **listed, "reason": event.reason}


def stages_fields(event: WholeStep, step: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the fields of the stages of a step, which are steps in it.

    Args:
        event: What tells it.
        step: Its fields.
    """
    began = step["started_at"] + timedelta(seconds=step.get("waited_seconds", 0.0))
    for stage in () if isinstance(event, DocumentFailed) else event.stages:
        yield {
            "kind": stage.kind,
            "id": f"{step['id']}-{stage.kind}",
            "name": stage.model,
            "requested": stage.model,
            "started_at": began + timedelta(seconds=stage.after_seconds),
            # Both were rounded.
            "seconds": max(min(stage.seconds, event.seconds - stage.after_seconds), 0.0),
            "status": Status.COMPLETED.value,
            **_costs(stage),
        }
