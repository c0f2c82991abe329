"""Specs that people write: each mistake is named by its path, with what was expected there."""

from __future__ import annotations

import inspect
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from sostenuto import Agent, Chain, Model, Parallel, Prompt, Route, Router, Rule, SpecError, Step, Team, tool
from sostenuto.contracts.contract import Spec
from sostenuto.contracts.model import OutputSchema
from sostenuto.contracts.tool import ToolSpec
from tests.unit.contracts.spec_examples import SPECS


@tool(effect="read")
def look(at: str) -> str:
    """Look at a thing."""
    return at


class City(BaseModel):
    """A city."""

    name: str


def agent(**fields: Any) -> Agent:
    """An agent with what a test says of it."""
    return Agent(**{"name": "a", "model": "scripted/m", **fields})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"model": "gpt"}, "Agent 'a': model.name: 'gpt' is not provider/model, such as anthropic/claude"),
        ({"model": 7}, "Agent 'a': model: "),
        ({"name": "with space"}, "Agent 'with space': name: 'with space' is not a name: use up to 64 letters"),
        ({"max_turns": 0}, "Agent 'a': max_turns: Input should be greater than or equal to 1"),
        ({"max_repairs": -1}, "Agent 'a': max_repairs: Input should be greater than or equal to 0"),
        ({"max_repeats": 1}, "Agent 'a': max_repeats: Input should be greater than or equal to 2"),
        ({"instructions": 3}, "Agent 'a': instructions: Input should be a valid string"),
        ({"instruction": "x"}, "Agent 'a': Agent has no field 'instruction': did you mean 'instructions'?"),
        (
            {"zzz": 1},
            "Agent 'a': Agent has no field 'zzz': it takes name, description, budget, guardrails, instructions",
        ),
        ({"system_prompt": "x"}, "Agent 'a': Agent has no field 'system_prompt': write instructions="),
        ({"temperature": 0.1}, "'temperature': it is the model's: model=Model('provider/model', temperature=…)"),
        ({"handoffs": []}, "has no field 'handoffs': write Team(style='handoff', members=[…])"),
        ({"max_iterations": 3}, "has no field 'max_iterations': write max_turns="),
        ({"output_type": str}, "has no field 'output_type': write output="),
        ({"tools": [look, look]}, "Agent 'a': tools[1] has the name 'look' of tools[0]: names must differ"),
        ({"tools": [print]}, "Agent 'a': tools[0]: print is not a tool: decorate print with @tool"),
        ({"tools": [look, 7]}, "Agent 'a': tools[1]: 7 is not a tool: pass a function decorated with @tool"),
        (
            {"tools": [look, "look"]},
            "Agent 'a': tools[1]: 'look' is not a tool: write 'mcp:server' or 'mcp:server/tool'",
        ),
        ({"output": object()}, "has no JSON schema: use a pydantic model or a dataclass"),
    ],
)
def test_a_wrong_agent(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError) as caught:
        agent(**fields)
    assert words in str(caught.value)


def test_several_mistakes_are_told_at_once() -> None:
    with pytest.raises(SpecError) as caught:
        agent(max_turns=0, model="gpt")
    assert "max_turns" in str(caught.value)
    assert "model.name" in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"temperature": 3}, "Model 'scripted/m': temperature: Input should be less than or equal to 2"),
        ({"timeout": timedelta(hours=2)}, "Model 'scripted/m': timeout: Input should be less than or equal to 1 hour"),
        ({"timeout": timedelta(0)}, "timeout: Input should be greater than 0 seconds"),
        ({"reasoning": "hard"}, "reasoning: 'hard' is none of 'off', 'low', 'medium' or 'high'"),
        ({"fallbacks": ["openai"]}, "Model 'scripted/m': fallbacks[0].name: 'openai' is not provider/model"),
        ({"fallbacks": [Model("a/b", fallbacks=["c/d"])]}, "fallbacks[0] has fallbacks of its own"),
        ({"max_output_tokens": 0}, "max_output_tokens: Input should be greater than or equal to 1"),
        ({"max_tokens": 5}, "Model has no field 'max_tokens': did you mean 'max_output_tokens'?"),
    ],
)
def test_a_wrong_model(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError) as caught:
        Model("scripted/m", **arguments)
    assert words in str(caught.value)


@pytest.mark.parametrize("kind", [Agent, Chain, Parallel, Prompt, Router, Team])
def test_an_argument_without_its_name(kind: Any) -> None:
    with pytest.raises(SpecError, match=f"^{kind.__name__}: the argument 'support' has no name: write name='support'$"):
        kind("support", model="scripted/m")
    with pytest.raises(SpecError, match=r"has no name: give each by its name$"):
        kind([], name="support")


def test_a_model_by_name() -> None:
    made = agent(model="compatible-1/org/model:free").model
    assert (made.provider, made.model) == ("compatible-1", "org/model:free")
    assert agent(model=Model("a/b", fallbacks=["c/d"])).model.choices == (Model("a/b", fallbacks=["c/d"]), Model("c/d"))


def test_an_agent_read_back_equals_the_one_sent() -> None:
    sent = agent(tools=[look], output=City)
    read = Agent.model_validate_json(sent.model_dump_json())
    assert read == sent
    assert (list(sent.functions), list(read.functions)) == ([look], [])
    assert sent.output_type is not None
    assert read.output_type is None
    assert read.output == OutputSchema(name="City", json_schema=City.model_json_schema())


def test_a_tool_written_by_hand_is_checked_as_a_decorated_one() -> None:
    by_hand = ToolSpec(name="refund", parameters={"type": "object"}, fast=True)
    with pytest.raises(SpecError, match="tool refund: fast=True needs effect='read', not 'once'"):
        agent(tools=[by_hand])


@pytest.mark.parametrize("kind", [Agent, Chain, Model, Parallel, Prompt, Route, Router, Rule, Step, Team])
def test_a_constructor_has_a_parameter_for_each_field(kind: type[Spec]) -> None:
    # `kind` is what it is, and what an agent calls is given in tools=.
    of_tools = {"delegates", "mcp", "provider_tools", "searches"} if kind is Agent else set()
    # What is filled in when a run begins, and what stays in the process.
    fields = set(kind.model_fields) - {"kind", "known"} - of_tools
    assert set(inspect.signature(kind.__init__).parameters) - {"self", "unknown"} == fields | (
        {"context"} if kind is Agent else set()
    )


@pytest.mark.parametrize("spec", [one for one in SPECS if isinstance(one, Spec)], ids=lambda one: type(one).__name__)
def test_no_constructor_is_called_for_json(spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    written = spec.model_dump_json()
    monkeypatch.setattr(Spec, "_construct", lambda *_: pytest.fail("a constructor was called"))
    assert type(spec).model_validate_json(written) == spec


def test_a_constructor_of_a_subclass_is_not_called_for_json() -> None:
    class Clerk(Agent):
        """An agent whose constructor takes no fields."""

        def __init__(self) -> None:
            super().__init__(name="clerk", model="scripted/m", tools=[look])

    assert Clerk().functions == (look,)
    read = Clerk.model_validate_json(Clerk().model_dump_json())
    assert (type(read), read.name, read.functions) == (Clerk, "clerk", ())
