"""What is too large for the server ends with a clear reason, and never in a workflow task that is tried for ever."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from sostenuto import Chain, Parallel, Status, Step
from sostenuto.contracts.runnable import Runnable
from sostenuto.workers.worker import replayer
from tests.integration.patterns.conftest import agent, prompt

if TYPE_CHECKING:
    from tests.integration.patterns.conftest import Play

LARGE = "y" * 300_000
ITEMS = Parallel(name="m", each=prompt("x"))


def _items(count: int) -> str:
    return json.dumps(list(range(count)))


async def test_the_output_of_a_map(play: Play) -> None:
    """Ten outputs of 300 KB: each fits its own event, all of them together no event."""
    outcome = await play(ITEMS, {"x": LARGE}, _items(10))
    assert outcome.failed
    assert outcome.result.reason.startswith("the output has 3,000,031 bytes, and at most 2,000,000 can be sent: pass")
    assert (outcome.result.turns, outcome.result.output) == (10, None)
    assert outcome.history.counts["workflow_task_failed"] == 0


async def test_the_steps_before_are_kept_as_far_as_they_fit(play: Play) -> None:
    chain = Chain(name="c", steps=[prompt("p"), Parallel(name="m", each=prompt("x"), over="p"), prompt("q", "{p}")])
    outcome = await play(chain, {"p": _items(10), "x": LARGE, "q": "short"}, "go")
    result = outcome.result
    assert (result.status, result.output) == (Status.COMPLETED, "short")
    assert {name: step.output for name, step in result.steps.items()} == {"p": _items(10), "m": None, "q": "short"}
    assert result.steps["m"].reason == "left out here, having 3,000,063 bytes: it stands in the history"


@pytest.mark.parametrize(
    ("last", "what"),
    [(prompt("q", "{m}{m}"), "the prompt"), (Step(agent("q"), input="{m}{m}"), "what it is asked")],
    ids=["prompt", "nested run"],
)
async def test_what_is_asked(play: Play, last: Step, what: str) -> None:
    outcome = await play(Chain(name="c", steps=[ITEMS, last]), {"x": LARGE}, _items(4))
    result = outcome.result
    assert outcome.failed
    assert result.reason.startswith(f"step 'q': {what} has 2,4")
    assert [len(output) for output in result.steps["m"].output] == [300_000] * 4
    assert outcome.history.counts["workflow_task_failed"] == 0


MANY = Parallel(name="m", each=prompt("w"))


@pytest.mark.parametrize(
    "runnable",
    [
        Parallel(name="p", each=prompt("x", f"{{input}} {LARGE}")),
        Chain(name="c", steps=[MANY, Parallel(name="n", each=agent("x"), over="m")]),
    ],
    ids=["prompts", "nested runs"],
)
async def test_many_at_once(play: Play, runnable: Runnable) -> None:
    """Fifteen of 300 KB, which each fit: all of them in one workflow task would be the end of the run."""
    outcome = await play(runnable, {"w": LARGE, "x": "ok"}, _items(15))
    assert outcome.result.output == ["ok"] * 15
    assert outcome.history.counts["timer_started"] == 1
    replayed = await replayer().replay_workflow(outcome.history.history)
    assert replayed.replay_failure is None
