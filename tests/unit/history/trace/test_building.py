"""What a trace tells of calls that have no answer, and what it tells once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sostenuto.connection.converter import data_converter
from sostenuto.contracts.wire.ingest.ingest_event import DocumentIngested
from sostenuto.contracts.wire.totals import StepStage, Totals
from sostenuto.history.events.projection import Projection
from sostenuto.history.trace.building import TraceBuilder
from sostenuto.history.trace.step import TraceStep
from sostenuto.history.trace.whole_steps import stages_fields, step_fields
from tests.unit.history.events.test_projection import HISTORIES, read


def built(name: str, untold: dict[str, str] | None = None) -> TraceStep:
    builder, projection = TraceBuilder(), Projection(data_converter())
    events = [event for recorded in read(HISTORIES / "v0.3.0" / f"{name}.json") for event in projection.feed(*recorded)]
    for event in events:
        builder.take(event, projection)
    run = builder.root(untold)
    assert run is not None
    return run


def models(run: TraceStep) -> list[TraceStep]:
    return [step for step in run.walk() if step.kind == "model"]


def test_a_call_that_failed_for_good_tells_why_and_what_it_was_told() -> None:
    run = built("failed")
    answered, failed = models(run)
    assert (failed.status, failed.reason) == ("failed", run.reason)
    assert "AuthenticationFailed" in failed.reason
    assert failed.seconds is not None
    assert (failed.messages, failed.proven) == (answered.messages + len(failed.told), None)


def test_a_call_that_another_model_took_over_says_nothing_twice() -> None:
    _, failed, after = models(built("fallback"))
    assert (failed.status, failed.told, failed.messages) == ("failed", (), 0)
    assert (after.status, after.proven, after.messages) == ("completed", True, 3)


@pytest.mark.parametrize(("name", "kind"), [("cancelled_in_tool", "tool"), ("cancelled_in_model", "model")])
def test_a_call_that_the_end_of_the_run_cut_off(name: str, kind: str) -> None:
    cut = [step for step in built(name).walk() if step.status == "cancelled" and step.kind == kind]
    assert [(step.reason, step.seconds is None) for step in cut] == [("it had no outcome when the run ended", False)]


@pytest.mark.parametrize("name", ["tool_loop", "continued_as_new_1", "chatted_1", "mcp", "repaired_output"])
def test_prompts_are_put_together_from_what_is_told_once(name: str) -> None:
    """As the page does: the first messages of the call before, and then what is new."""
    calls = [step for step in models(built(name)) if step.messages]
    prompt: list[object] = []
    for call in calls:
        begin = call.messages - len(call.told)
        assert begin <= len(prompt)
        prompt = [*prompt[:begin], *call.told]
        assert len(prompt) == call.messages
    assert calls[0].head is not None
    assert [call.head for call in calls[1:]] == [None] * (len(calls) - 1)


def test_calls_that_undo_others_and_wait_for_a_person() -> None:
    """Of four one is approved, one denied, one edited and one answered: two are made."""
    undone = [step for step in built("compensated").walk() if step.undoes]
    assert [(step.id, step.undoes, step.status) for step in undone] == [
        ("recorded:call_undo", "recorded/booker:call_7_0", "completed"),
        ("recorded:call_undo_2", "recorded/booker:call_5_0", "failed"),
        ("recorded:call_undo_3", "recorded/booker:call_3_0", "completed"),
        ("recorded:call_undo_4", "recorded/booker:call_1_0", "completed"),
    ]
    assert all(0 < step.person_seconds <= step.waited_seconds <= (step.seconds or 0) for step in undone)


def test_why_nothing_is_told_of_a_nested_run() -> None:
    run = built("nested", {"nested/crew": "it is away", "nobody": "it never was"})
    assert [(step.run_id, step.untold) for step in run.walk() if step.untold] == [("nested/crew", "it is away")]


def test_a_stage_of_which_a_part_has_no_price_tells_what_is_known() -> None:
    known = StepStage(kind="rerank", model="model:acme/m", cost_usd=0.25, unpriced_calls=1)
    unknown = StepStage(kind="embeddings", model="acme/e", unpriced_calls=2)
    free = StepStage(kind="embeddings", model="local/minilm")
    event = DocumentIngested(
        id="e/1/0",
        at=datetime(2026, 11, 30, tzinfo=UTC),
        path="handbook",
        step="document-1",
        uri="file:///a.md",
        passages=1,
        characters=1,
        seconds=1.0,
        cost_usd=0.25,
        unpriced_calls=3,
        stages=(known, unknown, free),
    )
    fields = step_fields(event)
    assert [one["cost_usd"] for one in stages_fields(event, fields)] == [0.25, None, 0.0]
    assert (fields["cost_usd"], fields["unpriced_calls"]) == (0.25, 3)
    assert event.beside_stages == Totals()
