"""Timeouts and retries: what each kind of call may cost in time and attempts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from temporalio.workflow import ActivityCancellationType

from sostenuto import Effect, Model
from sostenuto.activities.call.heartbeat import INTERVAL_SECONDS
from sostenuto.contracts.collection import patience
from sostenuto.contracts.tool import ToolSpec
from sostenuto.workflows import policy


def spec(effect: Effect, retries: int = 0) -> ToolSpec:
    """A tool of that effect."""
    return ToolSpec(name="t", parameters={}, effect=effect, retries=retries, timeout=timedelta(seconds=30))


def test_a_once_tool_has_one_attempt_whose_end_is_awaited() -> None:
    found = policy.tool_policy(spec(Effect.ONCE))
    assert found["retry_policy"].maximum_attempts == 1
    assert found["cancellation_type"] is ActivityCancellationType.WAIT_CANCELLATION_COMPLETED


@pytest.mark.parametrize("effect", [Effect.READ, Effect.IDEMPOTENT])
def test_other_tools_survive_dead_workers(effect: Effect) -> None:
    few, more = policy.tool_policy(spec(effect)), policy.tool_policy(spec(effect, retries=3))
    assert few["retry_policy"].maximum_attempts > 5
    assert more["retry_policy"].maximum_attempts == few["retry_policy"].maximum_attempts + 3
    assert few["cancellation_type"] is ActivityCancellationType.TRY_CANCEL


def test_the_tool_and_the_adapter_time_out_before_the_server_does() -> None:
    assert policy.tool_policy(spec(Effect.READ))["start_to_close_timeout"] > timedelta(seconds=30)
    assert policy.fast_tool_policy(spec(Effect.READ))["start_to_close_timeout"] > timedelta(seconds=30)
    model = Model("a/b", timeout=timedelta(seconds=20))
    assert policy.model_policy(model, fallback_left=False)["start_to_close_timeout"] > timedelta(seconds=20)


def test_a_model_with_a_fallback_is_given_up_sooner() -> None:
    last = policy.model_policy(Model("a/b"), fallback_left=False)["retry_policy"]
    first = policy.model_policy(Model("a/b"), fallback_left=True)["retry_policy"]
    assert 1 < first.maximum_attempts < last.maximum_attempts


def test_a_dead_worker_is_noticed_within_seconds() -> None:
    for found in (policy.tool_policy(spec(Effect.READ)), policy.model_policy(Model("a/b"), fallback_left=False)):
        heartbeat = found["heartbeat_timeout"]
        assert timedelta(seconds=2 * INTERVAL_SECONDS) < heartbeat <= timedelta(seconds=5)


def test_what_is_tried_again_and_the_policy_by_which_it_is_say_the_same() -> None:
    for found, by in ((policy.retrieve_policy(), patience.SEARCH), (policy.ingest_policy(), patience.INGEST)):
        retry = found["retry_policy"]
        # Attempts of workers that died come on top.
        assert by.attempts < retry.maximum_attempts
        assert (retry.initial_interval, retry.maximum_interval) == (by.first_pause, by.longest_pause)
        assert found["start_to_close_timeout"] > by.attempt


def test_an_ingest_outlasts_a_store_that_is_started_anew() -> None:
    by = patience.INGEST
    pauses = [min(by.first_pause * 2.0**n, by.longest_pause) for n in range(by.attempts - 1)]
    assert sum(pauses, timedelta()) > timedelta(minutes=4)
    assert [by.busy_pause(attempt).seconds for attempt in (1, 2, 5, 6, 10_000)] == [2, 4, 32, 60, 60]
