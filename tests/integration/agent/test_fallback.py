"""A model that fails for good is followed by the next; what the provider says about when is heeded."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sostenuto import Agent, App, Model, Status, tool
from sostenuto.activities.adapters.providers.scripted import ScriptedAdapter
from sostenuto.activities.model_adapter import Completion, ModelRequest, OnDelta
from sostenuto.contracts import names
from sostenuto.contracts.errors import MODEL_ERRORS, InvalidRequest
from tests.integration.agent.stage import calls

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Play, Serve

MODEL = Model("scripted/first", fallbacks=["scripted/second", "scripted/third"])

FATAL = sorted(name for name, error in MODEL_ERRORS.items() if not error.retryable)


@tool(effect="read")
async def look(at: str) -> str:
    """Look at a thing."""
    return f"a {at}"


def fails(error: str, **fields: Any) -> dict[str, Any]:
    """A step at which the model fails."""
    return {"error": error, **fields}


@pytest.mark.parametrize("error", FATAL)
async def test_a_fatal_error_falls_back_at_once(play: Play, error: str) -> None:
    outcome = await play({"first": [fails(error)], "second": ["Here."]}, model=MODEL)
    assert (outcome.result.status, outcome.result.output) == (Status.COMPLETED, "Here.")
    assert outcome.history.attempts == {"tester:turn-1": 1, "tester:turn-1-1": 1}
    assert [call.model for call in outcome.history.model_calls] == ["scripted/first", "scripted/second"]
    assert [call.choice for call in outcome.history.model_calls] == [0, 1]
    [failed] = outcome.history.attributes("activity_task_failed")
    assert failed.failure.application_failure_info.type == error


async def test_a_passing_error_is_tried_again_first(play: Play) -> None:
    script = {"first": [fails("ProviderUnavailable")], "second": ["Here."]}
    outcome = await play(script, model=MODEL)
    assert outcome.history.attempts == {"tester:turn-1": 2, "tester:turn-1-1": 1}


@pytest.mark.parametrize("error", ["RateLimited", "Overloaded", "ProviderUnavailable"])
@pytest.mark.parametrize(
    ("settings", "attempts"),
    [
        ({}, 2),
        ({"fallback_after": timedelta(0)}, 1),
        ({"fallback_after": timedelta(seconds=4)}, 3),
        ({"retries": 0}, 1),
        ({"retries": 1, "fallback_after": timedelta(seconds=30)}, 2),
    ],
)
async def test_who_is_busy_is_waited_for_as_long_as_the_model_says(
    play: Play, error: str, settings: dict[str, Any], attempts: int
) -> None:
    """Two seconds where it says nothing: by the server's clock the fallback is asked before the third has gone."""
    model = Model("scripted/first", fallbacks=["scripted/second"], **settings)
    outcome = await play({"first": [fails(error)], "second": ["Here."]}, model=model)
    assert outcome.result.output == "Here."
    assert outcome.history.attempts == {"tester:turn-1": attempts, "tester:turn-1-1": 1}


async def test_a_longer_pause_than_that_is_not_made(play: Play) -> None:
    script = {"first": [fails("RateLimited", retry_after_seconds=10)], "second": ["Here."]}
    outcome = await play(script, model=MODEL)
    assert outcome.history.attempts == {"tester:turn-1": 1, "tester:turn-1-1": 1}


async def test_without_a_fallback_retries_are_as_many_as_the_model_says(play: Play) -> None:
    outcome = await play([fails("ProviderUnavailable")], model=Model("scripted/model", retries=1))
    assert outcome.failed
    assert outcome.history.attempts == {"tester:turn-1": 2}


async def test_a_passing_error_passes(play: Play) -> None:
    outcome = await play({"first": [fails("Timeout", text="Here.", faulty_attempts=1)]}, model=MODEL)
    assert outcome.result.output == "Here."
    assert outcome.history.attempts == {"tester:turn-1": 2}


async def test_the_fallback_stays_for_the_rest_of_the_run(play: Play) -> None:
    script = {
        "first": [calls(("look", {"at": "cat"})), fails("QuotaExceeded")],
        "second": ["unused", calls(("look", {"at": "dog"})), fails("ContextOverflow")],
        "third": ["unused", "unused", calls(("look", {"at": "cow"})), "All three."],
    }
    outcome = await play(script, model=MODEL, tools=[look])
    assert outcome.result.output == "All three."
    assert [call.model.removeprefix("scripted/") for call in outcome.history.model_calls] == [
        *("first", "first", "second", "second", "third", "third")
    ]
    assert [i for i in outcome.history.activity_ids if "turn" in i] == [
        *("tester:turn-1", "tester:turn-2", "tester:turn-2-1", "tester:turn-3", "tester:turn-3-1", "tester:turn-4")
    ]


async def test_the_fallback_gets_the_whole_conversation(play: Play) -> None:
    script = {"first": [calls(("look", {"at": "cat"})), fails("QuotaExceeded")], "second": ["unused", "A cat."]}
    outcome = await play(script, model=MODEL, tools=[look])
    failed, taken_over = outcome.history.model_calls[1:]
    assert (failed.base, failed.tail, failed.after) == (taken_over.base, taken_over.tail, taken_over.after)
    assert outcome.tool_results == [("a cat", False)] * 2
    assert [call.id for call in outcome.history.replies[0].message.tool_calls] == ["call_1_0"]


async def test_when_all_fail_the_run_fails_with_what_it_has(play: Play) -> None:
    script = {
        "first": [calls(("look", {"at": "cat"}), text="Let me look."), fails("QuotaExceeded")],
        "second": ["unused", fails("AuthenticationFailed")],
        "third": ["unused", fails("InvalidRequest", text="too old")],
    }
    outcome = await play(script, model=MODEL, tools=[look])
    assert outcome.failed
    result = outcome.result
    assert (result.status, result.output, result.turns) == (Status.FAILED, "Let me look.", 1)
    assert result.reason == "InvalidRequest: scripted/third: scripted InvalidRequest: too old"
    assert result.usage.total_tokens == 15
    [failed] = outcome.history.attributes("workflow_execution_failed")
    assert failed.failure.application_failure_info.type == names.RUN_FAILED
    assert failed.failure.application_failure_info.non_retryable


async def test_a_provider_that_the_worker_lacks_is_named(play: Play) -> None:
    outcome = await play(["unused"], model="elsewhere/model")
    assert outcome.failed
    assert "this worker has no provider 'elsewhere' (it has: scripted)" in outcome.result.reason


@pytest.mark.parametrize("error", ["RateLimited", "Overloaded"])
async def test_the_delay_that_the_provider_names_is_kept(play: Play, error: str) -> None:
    """By the server's clock."""
    step = fails(error, text="Here.", retry_after_seconds=1.2, faulty_attempts=1)
    outcome = await play([step])
    assert outcome.history.attempts == {"tester:turn-1": 2}
    [started] = outcome.history.attributes("activity_task_started")
    assert started.last_failure.application_failure_info.next_retry_delay.ToTimedelta() == timedelta(seconds=1.2)
    assert outcome.history.seconds("activity_task_scheduled", "activity_task_started") >= 1.2


async def test_without_a_named_delay_a_rate_limit_waits_longer_than_other_errors(play: Play) -> None:
    outcome = await play([fails("RateLimited", text="Here.", faulty_attempts=1)])
    [started] = outcome.history.attributes("activity_task_started")
    assert started.last_failure.application_failure_info.next_retry_delay.ToTimedelta() == timedelta(seconds=2)


class Raising(ScriptedAdapter):
    """An adapter that raises what it is told to."""

    def __init__(self, error: Exception) -> None:
        super().__init__(["unused"])
        self.error = error
        self.asked = 0

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        """Raise it."""
        self.asked += 1
        raise self.error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (InvalidRequest("x" * 5_000_000), "InvalidRequest: scripted/model: xxx"),
        (InvalidRequest("bad \udc80 text"), "InvalidRequest: scripted/model: bad ? text"),
        (ZeroDivisionError("a bug"), "ZeroDivisionError: scripted/model: a bug"),
    ],
    ids=["long", "surrogate", "bug"],
)
async def test_an_error_of_any_text_reaches_the_run(serve: Serve, error: Exception, words: str) -> None:
    agent, adapter = Agent(name="tester", model="scripted/model"), Raising(error)
    async with serve(App(agent), adapter) as stage:
        outcome = await stage.ask(agent)
    assert (outcome.result.status, adapter.asked) == (Status.FAILED, 1)
    assert outcome.result.reason.startswith(words)
    assert len(outcome.result.reason) < 11_000
