"""Parallel work: every join, lists and their limits, and what is left where some of it fails."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Literal

import pytest
from temporalio.client import Client as TemporalClient

from sostenuto import App, Chain, Parallel, Status, Step, tool
from sostenuto.contracts import limits
from tests.fakes.cast import Cast, last_told, turn
from tests.integration.agent.stage import calls, eventually
from tests.integration.patterns.conftest import agent, prompt
from tests.integration.patterns.nested import at_work, children, most_at_once

if TYPE_CHECKING:
    from tests.integration.patterns.conftest import Play, Serve

FAILS = {"error": "QuotaExceeded"}
ENDED: list[str] = []


@tool(effect="read")
async def wait() -> str:
    """Wait for somebody to say stop."""
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        ENDED.append("wait")
        raise
    return "never"


async def test_the_first_cancels_the_others_down_to_their_tools(serve: Serve, temporal: TemporalClient) -> None:
    ENDED.clear()
    branches = [agent("slow", tools=[wait]), agent("quick", tools=[agent("asked")])]
    race = Parallel(name="race", branches=branches, join="first")
    go = asyncio.Event()

    class Waits(Cast):
        async def complete(self, request: Any, on_delta: Any = None) -> Any:
            if request.model.model == "asked":
                await go.wait()
            return await super().complete(request, on_delta)

    cast = Waits(
        {
            "slow": calls(("wait", {})),
            "quick": lambda r: calls(("asked", {"task": "?"})) if turn(r) == 0 else "first",
        }
    )
    async with serve(App(race), cast) as stage:
        run = await stage.start(race)
        await at_work(temporal, f"{run.id}/slow", activities=2)
        go.set()
        outcome = await stage.outcome(run)

        async def tool_ended() -> bool:
            return ENDED == ["wait"]

        await eventually(tool_ended)
        loser = await temporal.get_workflow_handle(f"{run.id}/slow").result()
    result = outcome.result
    assert (result.status, result.output) == (Status.COMPLETED, "first")
    assert loser["status"] == "cancelled"
    assert {name: step.status for name, step in result.steps.items()} == {
        "slow": Status.CANCELLED,
        "quick": Status.COMPLETED,
    }
    # What the loser had used by then counts too.
    assert result.turns == 1 + 3


async def test_the_first_is_the_first_that_completes(play: Play) -> None:
    race = Parallel(name="race", branches=[prompt("bad"), agent("worse"), prompt("good")], join="first")
    outcome = await play(race, {"bad": FAILS, "worse": FAILS, "good": {"text": "done", "delay_seconds": 0.2}})
    assert outcome.result.output == "done"
    outcome = await play(race, dict.fromkeys(("bad", "worse", "good"), FAILS))
    assert outcome.failed
    assert outcome.result.reason.startswith("3 of 3 did not complete: bad: failed: QuotaExceeded")


@pytest.mark.parametrize(
    ("answers", "status", "output", "reason"),
    [
        (["yes", "no", " YES "], Status.COMPLETED, "yes", "2 for yes, 1 for no"),
        (["yes", "no", "maybe"], Status.FAILED, None, "the vote is tied (1 for yes, 1 for no, 1 for maybe): add a"),
        (["yes", "yes", FAILS], Status.FAILED, {"a": "yes", "b": "yes"}, "1 of 3 did not complete: c: failed: Quota"),
    ],
    ids=["majority", "tie", "one failed"],
)
async def test_a_vote(play: Play, answers: list[Any], status: Status, output: Any, reason: str) -> None:
    vote = Parallel(name="v", branches=[prompt("a"), prompt("b"), prompt("c")], join="vote")
    outcome = await play(vote, dict(zip("abc", answers, strict=True)))
    assert (outcome.result.status, outcome.result.output) == (status, output)
    assert outcome.result.reason.startswith(reason)
    assert list(outcome.result.steps) == ["a", "b", "c"]


async def test_a_vote_of_those_that_completed(play: Play) -> None:
    branches = [prompt("a", output=dict[str, int]), prompt("b", output=dict[str, int]), prompt("c")]
    vote = Parallel(name="v", branches=branches, join="vote", min_completed=0)
    # Fields in another order are the same answer.
    outcome = await play(vote, {"a": '{"x": 1, "y": 2}', "b": '{"y": 2, "x": 1}', "c": FAILS})
    assert outcome.result.output == {"x": 1, "y": 2}
    outcome = await play(vote, dict.fromkeys("abc", FAILS))
    assert outcome.result.reason == "nobody voted: no branch completed"


@pytest.mark.parametrize(
    ("said", "output", "reason"),
    [("b", "B!", "judge chose 'b'"), ("neither, but C", "neither, but C", "")],
    ids=["by name", "of its own"],
)
async def test_a_judge(play: Play, said: str, output: str, reason: str) -> None:
    judge = prompt("judge", "Judge {input}")
    vote = Parallel(name="v", branches=[prompt("a"), prompt("b")], join="vote", judge=judge)
    cast = Cast({"a": "A!", "b": "B!", "judge": said})
    outcome = await play(vote, cast)
    assert (outcome.result.output, outcome.result.reason) == (output, reason)
    told = json.loads(last_told(cast.asked("judge")[0]).removeprefix("Judge "))
    assert told == {"input": "go", "outputs": {"a": "A!", "b": "B!"}}


async def test_one_that_fails_keeps_the_others(play: Play) -> None:
    branches = [prompt("a"), prompt("bad"), agent("worse")]
    cast = {"bad": FAILS, "worse": FAILS}
    outcome = await play(Parallel(name="p", branches=branches), cast)
    assert outcome.failed
    assert outcome.result.output == {"a": "a<go>"}
    assert outcome.result.reason.startswith("2 of 3 did not complete: bad: failed: QuotaExceeded: ")
    assert list(outcome.result.steps) == ["bad", "worse"]
    enough = Parallel(name="p", branches=branches, min_completed=1, reducer=prompt("sum"))
    outcome = await play(enough, cast)
    assert outcome.result.output == 'sum<{"a": "a<go>"}>'
    assert {name: step.status for name, step in outcome.result.steps.items()} == {
        "a": Status.COMPLETED,
        "bad": Status.FAILED,
        "worse": Status.FAILED,
        "sum": Status.COMPLETED,
    }


async def test_a_reducer_that_fails_keeps_what_it_was_told(play: Play) -> None:
    reduced = Parallel(name="p", branches=[prompt("a"), agent("b")], reducer=agent("sum"))
    outcome = await play(reduced, {"sum": FAILS})
    assert outcome.result.reason.startswith("sum: QuotaExceeded")
    assert {name: step.output for name, step in outcome.result.steps.items()} == {
        "a": "a<go>",
        "b": "b<go>",
        "sum": None,
    }


@pytest.mark.parametrize(
    ("message", "over"),
    [("[1, 2]", "input"), ({"pages": [1, 2], "x": 3}, "pages"), ({"pages": "[1, 2]"}, "pages")],
    ids=["input", "field", "text of a field"],
)
async def test_where_the_list_comes_from(play: Play, message: Any, over: str) -> None:
    outcome = await play(Parallel(name="m", each=prompt("x"), over=over), {}, message)
    assert outcome.result.output == ["x<1>", "x<2>"]


async def test_the_list_of_an_earlier_step(play: Play) -> None:
    found = prompt("found", output=list[str])
    mapped = Parallel(name="m", each=agent("x"), over="found")
    chain = Chain(name="c", steps=[found, prompt("between"), mapped])
    outcome = await play(chain, {"found": '{"value": ["a", "b"]}'})
    assert outcome.result.output == ["x<a>", "x<b>"]


@pytest.mark.parametrize("message", ["no list", '{"a": 1}', "7", "[1, 2"])
async def test_what_is_no_list(play: Play, message: str) -> None:
    outcome = await play(Parallel(name="m", each=prompt("x")), {}, message)
    assert outcome.failed
    assert outcome.result.reason == "over: {input} is not a list of items"


async def test_an_empty_list(play: Play) -> None:
    outcome = await play(Parallel(name="m", each=prompt("x")), {}, "[]")
    assert (outcome.result.status, outcome.result.output, outcome.result.turns) == (Status.COMPLETED, [], 0)


async def test_lists_in_lists(play: Play, temporal: TemporalClient) -> None:
    """Each item of the outer list is a run of its own, so that the history grows by the same for each."""
    outer = Parallel(name="outer", each=Parallel(name="inner", each=prompt("x", "{input} {item}")))
    outcome = await play(outer, {}, "[[1, 2], [], [3]]")
    assert outcome.result.output == [["x<1 1>", "x<2 2>"], [], ["x<3 3>"]]
    assert await children(temporal, outcome.run.id) == [f"{outcome.run.id}/inner[{n}]" for n in range(3)]


@pytest.mark.parametrize("each", [prompt("x"), agent("x")], ids=["prompts", "runs"])
async def test_the_limit_holds(play: Play, each: Any) -> None:
    cast = Cast({"x": {"text": "ok", "delay_seconds": 0.01}})
    outcome = await play(Parallel(name="m", each=each, limit=3), cast, json.dumps([*range(9)]))
    assert outcome.result.output == ["ok"] * 9
    assert cast.most_at_once <= 3
    assert most_at_once(outcome.history) == 3


@pytest.mark.parametrize("each", [prompt("x"), agent("x")], ids=["prompts", "runs"])
async def test_no_limit_is_more_than_the_server_takes(play: Play, each: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workflow task with more than it takes would be tried for ever, whatever asked for them."""
    monkeypatch.setattr(limits, "AT_ONCE", 3)
    cast = Cast({"x": {"text": "ok", "delay_seconds": 0.01}})
    both = [Parallel(name=name, each=each, limit=100) for name in ("m", "n")]
    outcome = await play(Parallel(name="p", branches=both), cast, json.dumps([*range(4)]))
    assert outcome.result.output == {"m": ["ok"] * 4, "n": ["ok"] * 4}
    assert cast.most_at_once <= 3
    assert most_at_once(outcome.history) == 3


async def test_fewer_items_than_have_to_complete(play: Play) -> None:
    outcome = await play(Parallel(name="m", each=prompt("x"), min_completed=3), {}, "[1, 2]")
    assert outcome.result.reason == "3 have to complete, of 2 items"
    assert outcome.result.output == ["x<1>", "x<2>"]


async def test_failed_items_are_null_and_named(play: Play) -> None:
    cast = {"x": lambda r: FAILS if last_told(r) == "2" else "ok"}
    outcome = await play(Parallel(name="m", each=agent("x"), min_completed=2), cast, "[1, 2, 3]")
    assert outcome.result.output == ["ok", None, "ok"]
    assert list(outcome.result.steps) == ["1"]


async def test_choices_of_items_have_their_type(play: Play) -> None:
    each = prompt("x", output=Literal["good", "bad"])
    outcome = await play(Parallel(name="m", each=each), {"x": '{"value": "bad"}'}, "[1, 2]")
    assert outcome.result.output == ["bad", "bad"]


async def test_a_full_history_ends_a_list_with_what_it_has(
    serve: Serve, temporal: TemporalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the server would end the run, and lose it all."""
    monkeypatch.setattr(limits, "HARD_HISTORY_EVENTS", 40)
    mapped = Parallel(name="m", each=agent("x"), limit=1)
    chain = Chain(name="c", steps=[mapped, Step(agent("never"), name="last")])
    async with serve(App(), {}) as stage:
        outcome = await stage.ask(mapped, json.dumps([*range(20)]))
        stopped = await stage.ask(chain, json.dumps([*range(20)]))
    result = outcome.result
    done = [item for item in result.output if item is not None]
    assert 1 < len(done) < 20
    assert result.steps["19"].status is Status.EXHAUSTED
    assert result.steps["19"].reason.startswith("the history is full (")
    assert stopped.result.reason.startswith("step 'm': ")
    assert await children(temporal, stopped.run.id) != []
