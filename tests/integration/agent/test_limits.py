"""Every way to end that is not a plain answer, each with what there is so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from sostenuto import Agent, App, Model, Status, tool
from sostenuto.activities.adapters.providers.compatible.adapter import CompatibleAdapter
from sostenuto.activities.adapters.providers.profiles.known import UNKNOWN, ProfileChange, Profiles
from sostenuto.contracts.control.usage import Usage
from sostenuto.contracts.wire.model_call import StopReason
from tests.fakes.wire.server import provider_server
from tests.fakes.wire.streams import WireStep
from tests.integration.agent.stage import calls

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Play, Serve


class City(BaseModel):
    city: str


@tool(effect="read")
async def look(at: str) -> str:
    """Look at a thing."""
    return f"a {at}"


async def test_the_turns_are_used_up(play: Play) -> None:
    script = [calls(("look", {"at": str(n)}), text=f"Turn {n}.") for n in range(5)]
    outcome = await play(script, tools=[look], max_turns=3)
    result = outcome.result
    assert (result.status, result.output, result.turns) == (Status.EXHAUSTED, "Turn 2.", 3)
    assert result.reason == "the agent used all of its 3 turns"
    assert result.usage == Usage(input_tokens=30, output_tokens=15)
    assert not outcome.failed


async def test_the_same_calls_again_and_again(play: Play) -> None:
    """They run twice, are answered with an error twice, and then the run ends."""
    ran: list[str] = []

    @tool(effect="read")
    async def probe(at: str, deep: bool = False) -> str:
        ran.append(at)
        return "nothing"

    script = [calls(("probe", {"at": "x", "deep": True}), text=f"Turn {n}.") for n in range(9)]
    outcome = await play(script, tools=[probe], max_repeats=3)
    assert (outcome.result.status, outcome.result.turns, ran) == (Status.EXHAUSTED, 5, ["x", "x"])
    assert outcome.result.reason == "the model asked for the same calls 5 times in a row: probe"
    assert [is_error for _, is_error in outcome.tool_results] == [False, False, True, True]
    assert "the same call 3 times in a row" in outcome.tool_results[2][0]


async def test_a_model_that_heeds_the_warning_goes_on(play: Play) -> None:
    same = calls(("look", {"at": "x"}))
    other = calls(("look", {"at": "y"}))
    outcome = await play([same, same, other, same, same, "So."], tools=[look], max_repeats=2)
    assert (outcome.result.status, outcome.result.output) == (Status.COMPLETED, "So.")
    assert [is_error for _, is_error in outcome.tool_results] == [False, True, False, False, True]


async def test_the_order_of_arguments_makes_no_other_call(play: Play) -> None:
    @tool(effect="read")
    async def pair(a: int, b: int) -> int:
        return a + b

    script: list[Any] = [calls(("pair", {"a": 1, "b": 2})), calls(("pair", {"b": 2, "a": 1})), "So."]
    outcome = await play(script, tools=[pair], max_repeats=2)
    assert [is_error for _, is_error in outcome.tool_results] == [False, True]


async def test_the_model_declines(play: Play) -> None:
    outcome = await play([{"text": "I will not.", "stop": StopReason.REFUSAL}])
    assert not outcome.failed
    assert (outcome.result.status, outcome.result.reason) == (Status.REFUSED, "I will not.")
    assert outcome.result.output == "I will not."


async def test_the_model_declines_without_a_word(play: Play) -> None:
    outcome = await play([{"stop": StopReason.REFUSAL}])
    assert (outcome.result.status, outcome.result.reason) == (Status.REFUSED, "the model declined to answer")


async def test_a_cut_answer_is_an_answer_and_says_so(play: Play) -> None:
    outcome = await play([{"text": "Once upon a", "stop": StopReason.LENGTH}])
    assert (outcome.result.status, outcome.result.output) == (Status.COMPLETED, "Once upon a")
    assert outcome.result.reason == "the answer was cut at the output limit"
    assert outcome.result.is_cut


async def test_an_empty_answer(play: Play) -> None:
    outcome = await play([{}, {"text": " \n"}, "Here I am."])
    assert (outcome.result.status, outcome.result.output) == (Status.COMPLETED, "Here I am.")
    assert [rejected.reasons for rejected in outcome.result.rejected] == [("it is empty",)] * 2


async def test_nothing_but_empty_answers(play: Play) -> None:
    outcome = await play([{}] * 3)
    assert (outcome.result.status, outcome.result.turns) == (Status.FAILED, 3)
    assert "it is empty" in outcome.result.reason


@pytest.mark.parametrize(
    ("fields", "told"), [({}, "set max_output_tokens"), ({"max_output_tokens": 9}, "limit of 9 tokens")]
)
async def test_an_answer_that_is_cut_is_not_asked_for_again_in_vain(
    play: Play, fields: dict[str, Any], told: str
) -> None:
    cut = {"text": '{"city": "Par', "stop": "length"}
    outcome = await play([cut] * 3, model=Model("scripted/model", **fields), output=City)
    assert (outcome.result.status, outcome.result.turns) == (Status.FAILED, 1)
    assert told in outcome.result.reason
    assert outcome.result.rejected[0].text == '{"city": "Par'


async def test_an_unknown_stop_reason_is_told(play: Play) -> None:
    outcome = await play([{"text": "So.", "note": "the provider gave an unknown stop reason"}])
    assert outcome.result.output == "So."
    assert outcome.result.reason == "the provider gave an unknown stop reason"


async def test_a_call_that_is_cut_is_not_run_and_asked_for_with_more_room(serve: Serve) -> None:
    said: list[str] = []

    @tool(effect="once")
    async def write(text: str) -> str:
        said.append(text)
        return "Written."

    half = {"name": "write", "malformed": '{"text": "It was a dark and'}
    script = (
        WireStep.model_validate({"tool_calls": [half], "stop": "length"}),
        WireStep.model_validate(calls(("write", {"text": "It was a dark and stormy night."}))),
        WireStep(text="Done."),
    )
    agent = Agent(name="writer", model="scripted/model", tools=[write])
    async with provider_server(*script) as server:
        profiles = Profiles(UNKNOWN, [ProfileChange("*", {"usual_tokens": 100, "output_tokens": 1_000})])
        adapter = CompatibleAdapter(provider="scripted", base_url=server.base_url("compatible"), profiles=profiles)
        async with serve(App(agent), adapter) as stage:
            outcome = await stage.ask(agent)
        await adapter.close()
        limits = [received.body.get("max_tokens") for received in server.requests]
    assert (outcome.result.status, outcome.result.output) == (Status.COMPLETED, "Done.")
    assert said == ["It was a dark and stormy night."]
    assert limits == [None, 400, 400]
    (cut, failed), (written, _) = outcome.tool_results
    assert failed
    assert "They were cut at the output limit. There is more room now: call it again." in cut
    assert written == "Written."


async def test_calls_that_are_cut_again_and_again_end_the_run(play: Play) -> None:
    ran: list[str] = []

    @tool(effect="read")
    async def write(text: str) -> str:
        ran.append(text)
        return "Written."

    cut = [{"tool_calls": [{"name": "write", "malformed": '{"text": "' + "x" * n}], "stop": "length"} for n in range(9)]
    outcome = await play(cut, tools=[write])
    assert (outcome.result.status, outcome.result.turns, ran) == (Status.FAILED, 3, [])
    assert outcome.result.reason.startswith("the arguments of write were cut at the output limit 3 times: raise ")


async def test_a_model_that_writes_less_after_a_cut_goes_on(play: Play) -> None:
    @tool(effect="read")
    async def write(text: str) -> str:
        return f"Written {text}."

    cut = {"tool_calls": [{"name": "write", "malformed": '{"text": "xxx'}], "stop": "length"}
    outcome = await play([cut, cut, calls(("write", {"text": "x"})), "Done."], tools=[write])
    assert (outcome.result.status, outcome.result.output, outcome.result.turns) == (Status.COMPLETED, "Done.", 4)
