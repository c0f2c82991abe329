"""The first decision that differs, and what came before it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sostenuto import Message
from sostenuto.history.trace.difference import first_difference
from sostenuto.history.trace.step import Trace, TraceStep

BEGIN = datetime(2026, 11, 29, tzinfo=UTC)


def step(kind: Any, name: str = "", path: str = "run", steps: tuple[TraceStep, ...] = (), **fields: Any) -> TraceStep:
    fields = {"status": "completed", "seconds": 1.0, **fields}
    return TraceStep(kind=kind, name=name, path=path, started_at=BEGIN, steps=steps, **fields)


def run(*steps: TraceStep, name: str = "run", **fields: Any) -> Trace:
    return Trace(run=step("run", name, name, steps, **fields))


def model(text: str, *told: str, path: str = "run/one") -> TraceStep:
    return step("model", "p/m", path, answered=text, told=tuple(map(Message.user, told)))


def test_the_same_decisions_at_other_times() -> None:
    one = run(model("Hi.", "Hello"), step("tool", "look", asked={"at": 1}, answered="ok"), run_id="a", cost_usd=1.0)
    later = [
        inner.model_copy(update={"started_at": BEGIN + timedelta(days=1), "attempt": 3, "seconds": 9.0})
        for inner in one.run.steps
    ]
    other = run(*later, run_id="b", cost_usd=2.0)
    assert first_difference(one, other) is None


def test_another_answer_and_what_was_told_before() -> None:
    one = run(model("Hi.", "Hello", "Be kind"), model("Yes.", "And?"))
    other = run(model("Hi.", "Hello", "Be kind"), model("No.", "But?"))
    found = first_difference(one, other)
    assert found is not None
    assert (found.same, found.what) == (2, ("answered",))
    assert found.left is not None
    assert found.left.answered == "Yes."
    assert [line for line in found.prompt if line[:2] in ("-u", "+u")] == ["-user: And?", "+user: But?"]


def test_another_argument_of_a_tool_is_told_with_the_prompt_of_who_asked() -> None:
    asked = model("", "Hello"), model("", "Hallo")
    one, other = (run(first, step("tool", "look", asked={"at": n})) for n, first in enumerate(asked))
    found = first_difference(one, other)
    assert found is not None
    assert found.what == ("asked",)
    assert found.prompt
    one, other = (run(model("", "Hello"), step("tool", "look", asked={"at": n})) for n in (1, 2))
    found = first_difference(one, other)
    assert found is not None
    assert found.prompt == ()


def test_what_each_did_from_then_on_stands_side_by_side() -> None:
    one = run(model("Hi."), model("Yes."), step("tool", "look", asked={"at": 1}), model("Done."))
    other = run(model("Hi."), model("No."))
    found = first_difference(one, other)
    assert found is not None
    pairs = [(pair.left and pair.left.answered, pair.right and pair.right.answered) for pair in found.following]
    assert pairs == [("Yes.", "No."), (None, None), ("Done.", None)]
    assert [pair.right for pair in found.following[1:]] == [None, None]


def test_one_that_ended_before() -> None:
    found = first_difference(run(model("Hi.")), run(model("Hi."), model("More.")))
    assert found is not None
    assert (found.same, found.left, found.what) == (2, None, ("whether there is one",))
    assert found.right is not None
    assert found.right.answered == "More."


def test_what_a_run_came_to_is_decided_in_it() -> None:
    inner = step("run", "clerk", "run/clerk", (model("A.", path="run/clerk"),), answered="A.", status="failed")
    other = step("run", "clerk", "run/clerk", (model("B.", path="run/clerk"),), answered="B.")
    found = first_difference(run(inner, name="run"), run(other, name="run"))
    assert found is not None
    assert found.left is not None
    assert (found.same, found.left.kind) == (2, "model")
    assert first_difference(run(model("A."), name="run"), run(model("A.", path="other/one"), name="other")) is None
