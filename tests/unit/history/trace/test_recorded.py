"""Every recorded run is explained: no step is lost, and every prompt that a model saw is proven."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sostenuto.clients.cli.trace.lines import TraceLines
from sostenuto.connection.converter import data_converter
from sostenuto.contracts.wire.event import ModelResponded, ToolRequested, ToolResponded
from sostenuto.history.events.projection import Projection
from sostenuto.history.trace.building import TraceBuilder
from sostenuto.history.trace.shares import shares_of
from sostenuto.history.trace.step import Trace
from tests.unit.history.events.test_projection import FILES, read

ROOTS = [path for path in FILES if "-" not in path.stem]


@pytest.mark.parametrize("path", ROOTS, ids=[f"{path.parent.name}-{path.stem}" for path in ROOTS])
def test_a_recorded_run(path) -> None:  # type: ignore[no-untyped-def]
    builder, projection = TraceBuilder(), Projection(data_converter())
    events = [event for recorded, execution in read(path) for event in projection.feed(recorded, execution)]
    for event in events:
        builder.take(event, projection)
    run = builder.root()
    assert run is not None
    steps = [*run.walk()]
    assert len({step.id for step in steps}) == len(steps), "two steps have one id"
    answered = [event for event in events if isinstance(event, ModelResponded)]
    models = [step for step in steps if step.kind == "model" and step.status == "completed"]
    assert sorted(step.prompt_hash for step in models) == sorted(event.prompt_hash for event in answered)
    assert all(step.proven for step in models)
    calls = {(event.path, event.call_id) for event in events if isinstance(event, ToolRequested | ToolResponded)}
    assert sum(step.kind == "tool" for step in steps) == len(calls)
    assert run.seconds is not None
    assert run.status != ""
    trace = Trace(run=run, shares=shares_of(run))
    assert sum(share.seconds for share in trace.shares) == pytest.approx(run.seconds, abs=0.01)
    assert all(share.seconds >= 0 for share in trace.shares)
    for whole in (False, True):
        lines = [*TraceLines(trace, datetime.now(UTC), whole=whole).lines()]
        assert sum("●" in line for line in lines) >= len(models)
    assert Trace.model_validate_json(trace.model_dump_json()) == trace
