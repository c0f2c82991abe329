"""What is too large for the server ends with a clear reason, and never in a workflow task that is tried for ever."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sostenuto import Chain, Parallel, Status, Step, Team, tool
from sostenuto.activities.model_adapter import ModelRequest
from sostenuto.workers.worker import replayer
from tests.fakes.cast import Cast, turn
from tests.integration.agent.recorded import Recorded
from tests.integration.agent.stage import calls
from tests.integration.patterns.conftest import agent, prompt

if TYPE_CHECKING:
    from tests.integration.patterns.conftest import Play


@tool(effect="read")
async def look(at: int) -> str:
    """Look at a thing."""
    return f"a {at}"


LARGE = "y" * 300_000
ITEMS = Parallel(name="m", each=prompt("x"))


def _items(count: int) -> str:
    return json.dumps(list(range(count)))


def _refused(history: Recorded) -> list[str]:
    """What workflow tasks failed by. The server itself drops one, without a word, where much comes in meanwhile."""
    return [failed.failure.message for failed in history.failed_tasks if failed.failure.message]


async def test_the_output_of_a_map(play: Play) -> None:
    """Ten outputs of 300 KB: each fits its own event, all of them together no event."""
    outcome = await play(ITEMS, {"x": LARGE}, _items(10))
    assert outcome.failed
    assert outcome.result.reason.startswith("the output has 3,000,031 bytes and the limit is 2,000,000: pass")
    assert (outcome.result.turns, outcome.result.output) == (10, None)
    assert _refused(outcome.history) == []


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
    assert _refused(outcome.history) == []


async def test_many_at_once(play: Play) -> None:
    """Fifteen of 300 KB, which each fit: all of them in one workflow task would be the end of the run."""
    each = prompt("x", f"{{input}} {LARGE}")
    outcome = await play(Parallel(name="p", each=each), {"x": "ok"}, _items(15))
    assert outcome.result.output == ["ok"] * 15
    assert outcome.history.counts["timer_started"] == 1
    replayed = await replayer().replay_workflow(outcome.history.history)
    assert replayed.replay_failure is None


async def test_an_answer(play: Play) -> None:
    """It is paid for once: a second one would not fit either."""
    cast = Cast({"x": "y" * 2_100_000})
    outcome = await play(Chain(name="c", steps=[prompt("p"), agent("x")]), cast)
    assert outcome.result.reason.startswith("step 'x': InvalidRequest: scripted/x: the answer has 2,100,")
    assert outcome.result.steps["p"].output == "p<go>"
    assert len(cast.asked("x")) == 1


async def test_a_conversation_that_is_handed_over(play: Play) -> None:
    def talks(request: ModelRequest) -> Any:
        if turn(request) < 8:
            return calls(("look", {"at": turn(request)}), text="z" * 290_000)
        return calls(("transfer_to_b", {}))

    team = Team(name="t", members=[agent("a", tools=[look]), agent("b")], style="handoff")
    outcome = await play(team, {"a": talks})
    reason = "member 'b': the conversation cannot be taken over: it has 2,32"
    assert outcome.result.reason.startswith(reason)
    assert "SOSTENUTO_PAYLOAD_DIR" in outcome.result.reason
    assert outcome.result.steps["a"].status is Status.COMPLETED
    assert outcome.result.turns == 9
