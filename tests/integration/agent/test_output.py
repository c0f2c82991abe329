"""Structured output: held to the type, asked for again, and given up with what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, field_validator

from sostenuto import Agent, App, Status, tool
from sostenuto.activities.adapters.providers.compatible.adapter import CompatibleAdapter
from sostenuto.activities.adapters.providers.profiles.known import UNKNOWN, ProfileChange, Profiles
from tests.fakes.wire.server import provider_server
from tests.fakes.wire.streams import WireStep
from tests.integration.agent.stage import calls

if TYPE_CHECKING:
    from tests.integration.agent.conftest import Play, Serve


class City(BaseModel):
    """A city."""

    name: str
    people: int

    @field_validator("name")
    @classmethod
    def _exists(cls, name: str) -> str:
        if name == "Atlantis":
            raise ValueError("there is no such city")
        if name == "Babel":
            raise LookupError(name)
        return name


OSLO = {"output": {"name": "Oslo", "people": 700_000}}
SUNK = {"output": {"name": "Atlantis", "people": 0}}
WRONG = {"output": {"name": "Oslo", "people": "many"}}


async def test_an_answer_that_fits(play: Play) -> None:
    outcome = await play([OSLO], output=City)
    assert (outcome.result.status, outcome.result.output) == (Status.COMPLETED, OSLO["output"])
    assert (await outcome.run.result()).output == City(name="Oslo", people=700_000)


async def test_an_answer_after_a_tool(play: Play) -> None:
    @tool(effect="read")
    async def count(city: str) -> int:
        return 700_000

    outcome = await play([calls(("count", {"city": "Oslo"})), OSLO], output=City, tools=[count])
    assert outcome.result.output == OSLO["output"]
    assert [reply.output_errors for reply in outcome.history.replies] == [(), ()]


async def test_an_answer_is_repaired(play: Play) -> None:
    outcome = await play([{"text": "It is Oslo."}, WRONG, OSLO], output=City)
    assert (outcome.result.status, outcome.result.output) == (Status.COMPLETED, OSLO["output"])
    asked = [message.text for message in outcome.history.told[1:]]
    assert len(asked) == 2
    assert all(text.startswith("That answer does not fit. ") for text in asked)
    assert "people" in asked[1]


async def test_an_answer_that_never_fits(play: Play) -> None:
    outcome = await play([WRONG, WRONG, WRONG, OSLO], output=City, max_repairs=2)
    assert outcome.failed
    assert (outcome.result.status, outcome.result.turns) == (Status.FAILED, 3)
    assert outcome.result.reason.startswith("the answer does not fit the output type City: people: ")
    assert outcome.result.output == '{"name": "Oslo", "people": "many"}'
    assert outcome.result.usage.output_tokens == 15


async def test_a_known_type_is_held_to_its_validators(play: Play) -> None:
    outcome = await play([SUNK, OSLO], output=City)
    assert outcome.result.output == OSLO["output"]
    assert "name: Value error, there is no such city" in outcome.history.told[1].text


async def test_a_faulty_validator_is_a_problem_like_any_other(play: Play) -> None:
    outcome = await play([{"output": {"name": "Babel", "people": 0}}, OSLO], output=City)
    assert outcome.result.output == OSLO["output"]
    assert "LookupError: Babel" in outcome.history.told[1].text
    assert outcome.history.attempts == {"tester:turn-1": 1, "tester:turn-2": 1}


async def test_an_unknown_type_is_held_to_its_schema(serve: Serve) -> None:
    """The worker serves no agent with this output: Python cannot travel with the run, its JSON schema does."""
    agent = Agent(name="geographer", model="scripted/model", output=City)
    async with serve(App(), [WRONG, SUNK]) as stage:
        outcome = await stage.ask(agent)
    assert outcome.result.output == SUNK["output"]
    assert "people: 'many' is not of type 'integer'" in outcome.history.told[1].text


async def test_an_answer_nested_without_end_is_asked_for_again(serve: Serve) -> None:
    agent = Agent(name="geographer", model="scripted/model", output=City)
    async with serve(App(), [{"text": "[" * 200_000}, OSLO]) as stage:
        outcome = await stage.ask(agent)
    assert outcome.result.output == OSLO["output"]


async def test_an_answer_by_a_tool_is_an_answer_like_any_other(serve: Serve) -> None:
    @tool(effect="read")
    async def count(city: str) -> int:
        return 700_000

    counting = ("count", {"city": "Oslo"})
    script = (
        calls(counting, ("final_answer", {"name": "Oslo", "people": 0})),
        {"text": "It is Oslo."},
        calls(("final_answer", WRONG["output"])),
        calls(("final_answer", OSLO["output"]), text="Here it is:"),
    )
    agent = Agent(name="geographer", model="scripted/model", output=City, tools=[count], max_repairs=2)
    async with provider_server(*map(WireStep.model_validate, script)) as server:
        profiles = Profiles(UNKNOWN, [ProfileChange("*", {"output": "tool"})])
        adapter = CompatibleAdapter(provider="scripted", base_url=server.base_url("compatible"), profiles=profiles)
        async with serve(App(agent), adapter) as stage:
            outcome = await stage.ask(agent)
        await adapter.close()
        offered = [[tool["function"]["name"] for tool in one.body["tools"]] for one in server.requests]
    assert (outcome.result.status, outcome.result.output) == (Status.COMPLETED, OSLO["output"])
    assert (await outcome.run.result()).output == City(name="Oslo", people=700_000)
    assert outcome.tool_results == [("700000", False)]
    assert [bool(reply.output_errors) for reply in outcome.history.replies] == [False, True, True, False]
    assert "people" in outcome.history.told[-1].text
    assert offered == [["count", "final_answer"]] * 4
