"""Teams, in every style: who is told what by whom, and what becomes of members that fail and plans that do not work."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel
from temporalio.client import Client as TemporalClient

from sostenuto import App, Chain, Status, Team, tool
from sostenuto.activities.model_adapter import ModelRequest
from tests.fakes.cast import Cast, last_told, turn
from tests.integration.agent.listener import contents, said
from tests.integration.agent.recorded import Recorded
from tests.integration.agent.stage import calls
from tests.integration.patterns.conftest import agent, prompt
from tests.integration.patterns.nested import children, most_at_once

if TYPE_CHECKING:
    from tests.integration.patterns.conftest import Play, Serve

FAILS = {"error": "QuotaExceeded"}


class Verdict(BaseModel):
    """A decision."""

    winner: str


@tool(effect="read")
async def look(at: str) -> str:
    """Look at a thing."""
    return f"a {at}"


def _once(*wanted: tuple[str, dict[str, Any]], text: str = "done") -> Any:
    """Asks for these tools, and then answers."""
    return lambda request: calls(*wanted) if turn(request) == 0 else text


async def test_a_leader_asks_members_at_once_and_is_told_of_each(play: Play) -> None:
    broken = Chain(name="broken", steps=[prompt("one"), agent("bad")])
    cast = Cast(
        {
            "lead": _once(("a", {"task": "1"}), ("broken", {"task": "2"}), ("b", {"task": "3"}), ("a", {"what": "4"})),
            "a": {"text": "from a"},
            "b": {"text": "from b"},
            "bad": FAILS,
        }
    )
    team = Team(name="desk", members=[agent("a", description="Knows all."), agent("b"), broken], model="scripted/lead")
    outcome = await play(team, cast)
    first, second = cast.asked("lead")
    assert {tool.name: tool.description for tool in first.tools}["a"] == "Knows all."
    one, two, three, four = [
        part for message in second.messages for part in message.parts if part.kind == "tool_result"
    ]
    assert (one.content, one.is_error) == ("from a", False)
    assert two.content.startswith("broken ended as failed: step 'bad': QuotaExceeded")
    assert two.is_error
    assert three.content == "from b"
    assert four.content.startswith("The call lacks task and has no use for what. Valid arguments follow this JSON")
    # The fourth call was none that a member could be asked.
    assert most_at_once(outcome.history) == 3
    assert (outcome.result.status, outcome.result.turns) == (Status.COMPLETED, 5)


async def test_the_transcripts_of_members_stay_in_their_own_histories(serve: Serve, temporal: TemporalClient) -> None:
    """What a member says and looks up on the way is nowhere in the leader's history: only its answer is."""
    team = Team(name="desk", members=[agent("a", tools=[look])], model="scripted/lead")
    secret = {"text": "thinking aloud " * 500, **calls(("look", {"at": "private thing"}))} | {"text": "aloud " * 500}
    cast = {"lead": _once(("a", {"task": "t"})), "a": lambda r: secret if turn(r) == 0 else "short"}
    async with serve(App(team), cast) as stage:
        outcome = await stage.ask(team)
        (member,) = await children(temporal, outcome.run.id)
        own = (await Recorded.of(temporal, member)).history.to_json()
    written = [event.SerializeToString() for event in outcome.history.events]
    assert sum(map(len, written)) < 12_000
    assert not [event for event in written if b"private thing" in event or b"aloud " in event]
    assert len(own) > 3_000


async def test_what_a_member_came_to_on_the_way_stays_in_its_own_history(play: Play) -> None:
    steps = [prompt("long"), prompt("longer", "{long}", model="scripted/long"), prompt("short")]
    team = Team(name="t", members=[Chain(name="c", steps=steps)], style="debate", judge=prompt("j"), max_rounds=1)
    outcome = await play(team, {"long": "y" * 50_000, "short": "in short"})
    assert outcome.result.steps["c"].output == "in short"
    assert sum(event.ByteSize() for event in outcome.history.events) < 10_000


async def test_a_leader_with_a_form_and_a_limit(play: Play) -> None:
    team = Team(name="t", members=[agent("a")], model="scripted/lead", output=Verdict)
    outcome = await play(team, {"lead": _once(("a", {"task": "t"}), text='{"winner": "a"}')})
    assert outcome.result.output == {"winner": "a"}
    short = Team(name="t", members=[agent("a")], model="scripted/lead", max_rounds=1)
    outcome = await play(short, {"lead": _once(("a", {"task": "t"}))})
    assert (outcome.result.status, outcome.result.turns) == (Status.EXHAUSTED, 2)


def _desk(**fields: Any) -> Team:
    return Team(name="desk", members=[agent("triage", tools=[look]), agent("billing")], style="handoff", **fields)


async def test_a_conversation_goes_over_and_back_again(play: Play, temporal: TemporalClient) -> None:
    """Each sees all of it, in one order, and only who hands it over may do so: not to itself."""

    def triage(request: ModelRequest) -> Any:
        if turn(request) == 0:
            return calls(("look", {"at": "bill"}), ("transfer_to_billing", {"reason": "money"}), text="Let me see.")
        return "closed"

    cast = Cast({"triage": triage, "billing": calls(("transfer_to_triage", {}), text="Paid.")})
    outcome = await play(_desk(), cast, "My bill!")
    billing, (_, again) = cast.asked("billing"), cast.asked("triage")
    whole = [
        "user My bill!",
        "assistant Let me see.",
        "assistant call_1_0=look",
        "assistant call_1_1=transfer_to_billing",
        "tool call_1_0:a bill",
        "tool call_1_1:The conversation is handed over to billing.",
        "assistant Paid.",
        "assistant call_4_0=transfer_to_triage",
        "tool call_4_0:The conversation is handed over to triage.",
    ]
    assert said(billing[0].messages) == whole[:6]
    assert said(again.messages) == whole
    assert [tool.name for tool in billing[0].tools] == ["transfer_to_triage"]
    assert outcome.result.output == "closed"
    assert list(outcome.result.steps) == ["triage", "billing", "triage#2"]
    assert outcome.result.turns == 3
    written = outcome.history.history.to_json()
    assert "a bill" not in written
    nested = await children(temporal, outcome.run.id)
    assert nested == [f"{outcome.run.id}/{name}" for name in ("triage", "billing", "triage#2")]


async def test_the_last_to_have_it_answers(play: Play) -> None:
    def billing(request: ModelRequest) -> Any:
        told = contents(request.messages)[-1]
        return "I answer" if told.startswith("There is no") else calls(("transfer_to_triage", {}))

    cast = Cast({"triage": calls(("transfer_to_billing", {})), "billing": billing})
    outcome = await play(_desk(max_rounds=1), cast)
    assert outcome.result.output == "I answer"
    assert cast.asked("billing")[0].tools == ()


async def test_two_transfers_in_one_reply(play: Play) -> None:
    team = Team(name="desk", members=[agent("a"), agent("b"), agent("c")], style="handoff", entry="b")
    both = calls(("transfer_to_c", {}), ("transfer_to_a", {}))
    cast = Cast({"b": both, "c": "c it is"})
    outcome = await play(team, cast)
    assert outcome.result.output == "c it is"
    assert contents(cast.asked("c")[0].messages) == [
        "The conversation is handed over to c.",
        "Not done: the conversation goes to c.",
    ]


async def test_a_member_that_fails_ends_the_conversation_with_what_there_is(play: Play) -> None:
    outcome = await play(_desk(), {"triage": calls(("transfer_to_billing", {}), text="One moment."), "billing": FAILS})
    result = outcome.result
    assert result.reason.startswith("member 'billing': QuotaExceeded")
    assert {name: step.status for name, step in result.steps.items()} == {
        "triage": Status.COMPLETED,
        "billing": Status.FAILED,
    }


async def test_a_debate_in_which_each_goes_on_with_its_own_conversation(play: Play) -> None:
    cast = Cast(
        {
            "x": ["x begins", "x insists", "x ends"],
            "y": ["y begins", FAILS],
            "talk": [FAILS],
            "judge": '{"winner": "x"}',
        }
    )
    team = Team(
        name="debate",
        members=[agent("x"), agent("y"), prompt("z", "Z of {input}"), agent("talk")],
        style="debate",
        model="scripted/judge",
        max_rounds=3,
        output=Verdict,
    )
    outcome = await play(team, cast, "which?")
    result = outcome.result
    assert (result.status, result.output) == (Status.COMPLETED, {"winner": "x"})
    last = cast.asked("x")[2].messages
    assert [message.text for message in last][::2][0] == "which?"
    assert [message.text for message in last][1::2] == ["x begins", "x insists"]
    assert "## y\n\ny begins" in last[2].text
    assert "## x" not in last[2].text
    # It has no conversation to go on with, so it is asked anew, with what was said.
    assert "which?\n\nThe others said" in cast.asked("z")[1].messages[0].text
    assert {name: step.status for name, step in result.steps.items() if step.status is not Status.COMPLETED} == {
        "talk": Status.FAILED,
        "y#2": Status.FAILED,
    }
    judged = last_told(cast.asked("judge")[0])
    assert judged.startswith("which?\n\nWhat was said last:\n\n## x\n\nx ends\n\n## y\n\ny begins")


async def test_a_debate_with_a_judge_of_its_own(play: Play) -> None:
    judge = Chain(name="bench", steps=[agent("clerk"), prompt("say", "{clerk}!")])
    team = Team(name="debate", members=[agent("judge"), agent("y")], style="debate", judge=judge, max_rounds=1)
    outcome = await play(team, {"clerk": "noted"})
    assert outcome.result.output == "say<noted!>"
    assert list(outcome.result.steps) == ["judge", "y", "bench"]


async def test_a_member_called_judge_is_not_the_judge(play: Play) -> None:
    team = Team(name="debate", members=[agent("judge")], style="debate", model="scripted/decides", max_rounds=1)
    outcome = await play(team, {"judge": "the member", "decides": "the decision"})
    assert [step.output for step in outcome.result.steps.values()] == ["the member", "the decision"]


async def test_a_debate_that_nobody_survives(play: Play) -> None:
    team = Team(name="debate", members=[agent("x"), agent("y")], style="debate", model="scripted/judge")
    outcome = await play(team, {"x": ["good", FAILS], "y": ["bad", FAILS]})
    assert outcome.failed
    assert outcome.result.reason.startswith("nobody is left to debate: x ended as failed: QuotaExceeded")
    assert outcome.result.output == {"x": "good", "y": "bad"}


async def test_the_last_one_left_talks_to_nobody(play: Play) -> None:
    team = Team(name="debate", members=[agent("x"), agent("y")], style="debate", model="scripted/judge")
    outcome = await play(team, {"x": "good", "y": FAILS, "judge": "x wins"})
    assert outcome.result.output == "x wins"
    assert list(outcome.result.steps) == ["x", "y", "judge"]


def _plan(*tasks: tuple[str, str, list[int]], answer: str = "") -> str:
    return json.dumps({"tasks": [{"member": m, "task": t, "needs": n} for m, t, n in tasks], "answer": answer})


def _planning(**fields: Any) -> Team:
    members = [agent("a"), agent("b"), agent("c")]
    return Team(name="team", members=members, style="plan", model="scripted/plan", **fields)


async def test_a_plan_is_done_as_its_dependencies_allow(play: Play) -> None:
    plan = _plan(("a", "one", []), ("b", "two", []), ("c", "three", [1, 2]), ("a", "four", [3]))
    slow: dict[str, Any] = {name: {"text": f"by {name}", "delay_seconds": 0.01} for name in "abc"}
    cast = Cast({**slow, "plan": [plan, _plan(answer="42")]})
    outcome = await play(_planning(), cast, "what?")
    assert (outcome.result.output, outcome.result.turns) == ("42", 6)
    assert list(outcome.result.steps) == ["a", "b", "c", "a#2"]
    assert most_at_once(outcome.history) == 2
    told = cast.asked("c")[0].messages[0].text
    assert told == "three\n\nWhat this builds on:\n\n## Task 1, a: one\n\nby a\n\n## Task 2, b: two\n\nby b"
    assert cast.asked("a")[0].messages[0].text == "one"
    results = cast.asked("plan")[1].messages[2].text
    assert [line for line in results.splitlines() if line.startswith("## ")] == [
        "## Task 1, a: one",
        "## Task 2, b: two",
        "## Task 3, c: three",
        "## Task 4, a: four",
    ]


@pytest.mark.parametrize("limit", [1, 2])
async def test_members_at_work_at_once(play: Play, limit: int) -> None:
    plan = _plan(("a", "1", []), ("b", "2", []), ("c", "3", []))
    slow: dict[str, Any] = {name: {"text": "ok", "delay_seconds": 0.01} for name in "abc"}
    cast = Cast({**slow, "plan": [plan, _plan(answer="42")]})
    outcome = await play(_planning(limit=limit), cast)
    assert outcome.result.output == "42"
    assert cast.most_at_once <= limit
    assert most_at_once(outcome.history) == limit


async def test_a_plan_that_does_not_work_is_asked_for_again(play: Play) -> None:
    cast = Cast({"plan": [_plan(("a", "1", [2]), ("b", "2", [7])), _plan(), _plan(("b", "x", [])), _plan(answer="42")]})
    outcome = await play(_planning(), cast)
    assert (outcome.result.output, list(outcome.result.steps)) == ("42", ["b"])
    told = [last_told(request) for request in cast.asked("plan")]
    assert told[1] == (
        "That plan does not work. task 1 needs 2, and may need only tasks of smaller numbers; task 2 needs 7, and may "
        "need only tasks of smaller numbers. Write it again, all of it, corrected."
    )
    assert told[2].startswith("That plan does not work. there are neither tasks nor an answer.")
    hopeless = await play(_planning(), {"plan": _plan()})
    assert hopeless.result.reason == "planner: the plan does not work: there are neither tasks nor an answer"


async def test_a_task_that_fails_is_told_and_planned_around(play: Play) -> None:
    plans = [_plan(("a", "1", []), ("b", "2", []), ("c", "3", [1])), _plan(("c", "4", [2])), _plan(answer="42")]
    cast = Cast({"a": FAILS, "plan": plans})
    outcome = await play(_planning(), cast)
    result = outcome.result
    assert result.output == "42"
    _, second, third = (last_told(request) for request in cast.asked("plan"))
    assert "## Task 1, a: 1\n\nThis ended as failed: QuotaExceeded" in second
    assert "## Task 3, c: 3\n\nThis ended as failed: not begun, because task 1 did not complete" in second
    assert second.endswith("Write further tasks, or no tasks and the answer.")
    assert cast.asked("c")[0].messages[0].text.startswith("4\n\nWhat this builds on:\n\n## Task 2, b: 2")
    # What it was told before is in its conversation: it is told only what is new.
    assert third.startswith("## Task 4, c: 4\n\nc<4")
    assert {name: step.status for name, step in result.steps.items()} == {
        "a": Status.FAILED,
        "b": Status.COMPLETED,
        "c": Status.COMPLETED,
    }


async def test_more_plans_than_allowed(play: Play) -> None:
    cast = Cast({"plan": _plan(("a", "more", []), answer="half of it")})
    outcome = await play(_planning(max_rounds=2), cast)
    result = outcome.result
    assert (result.status, result.reason) == (Status.EXHAUSTED, "the planner wanted more than 2 plans")
    assert result.output == "half of it"
    assert list(result.steps) == ["a", "a#2"]
    assert last_told(cast.asked("plan")[2]).endswith("There is no further plan: write no tasks, and the answer.")


async def test_a_writer_writes_from_all_results(play: Play) -> None:
    plans = [_plan(("a", "1", [])), _plan(("b", "2", [])), _plan(answer="so")]
    cast = Cast({"plan": plans})
    outcome = await play(_planning(writer=agent("writer")), cast, "what?")
    assert cast.asked("writer")[0].messages[0].text == (
        "what?\n\n## Task 1, a: 1\n\na<1>\n\n## Task 2, b: 2\n\nb<2>\n\nso"
    )
    assert outcome.result.output.startswith("writer<what?")
    assert list(outcome.result.steps) == ["a", "b", "writer"]


async def test_the_model_itself_writes_an_answer_of_a_form(play: Play) -> None:
    def plan(request: ModelRequest) -> str:
        if "planner" not in (request.output.name if request.output else ""):
            return '{"winner": "a"}' if request.output and request.output.name == "Verdict" else _plan(("a", "1", []))
        raise AssertionError("unreachable")

    outcome = await play(_planning(output=Verdict, max_rounds=1), {"plan": plan})
    assert outcome.result.output == {"winner": "a"}
    assert list(outcome.result.steps) == ["a", "writer"]


async def test_a_member_called_planner_or_writer_is_a_member(play: Play) -> None:
    members = [agent("planner"), agent("writer")]
    team = Team(name="team", members=members, style="plan", model="scripted/plan", output=Verdict, max_rounds=1)
    tasks = _plan(("planner", "1", []), ("writer", "2", []))
    cast = {"plan": lambda r: tasks if r.output.name == "plan" else '{"winner": "a"}'}
    outcome = await play(team, cast)
    assert outcome.result.output == {"winner": "a"}
    assert [step.output for step in outcome.result.steps.values()] == ["planner<1>", "writer<2>", {"winner": "a"}]


async def test_a_planner_that_fails_keeps_what_was_done(play: Play) -> None:
    outcome = await play(_planning(), {"plan": [_plan(("a", "1", [])), FAILS]})
    assert outcome.failed
    assert outcome.result.reason.startswith("planner: QuotaExceeded")
    assert outcome.result.steps["a"].output == "a<1>"
