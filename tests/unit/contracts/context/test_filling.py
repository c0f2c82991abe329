"""Names of the context are filled in when a run begins, wherever they may stand, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, computed_field
from typing_extensions import TypedDict

from sostenuto import (
    Agent,
    App,
    Chain,
    Collection,
    Parallel,
    Prompt,
    Retrieve,
    Route,
    Router,
    Rule,
    SpecError,
    Step,
    Team,
    ToolContext,
    tool,
)
from sostenuto.contracts.context.filling import begun_with, filled
from sostenuto.contracts.context.values import MAX_CONTEXT_BYTES, context_values, typed_context
from sostenuto.contracts.specs.node import Node

MODEL = "scripted/m"
HANDBOOK = Collection("handbook", fields={"team": str, "year": int})


class Ctx(BaseModel):
    """Whose run it is."""

    user: str
    plan: Literal["free", "pro"] = "free"


class Strict(BaseModel):
    """Takes nothing else."""

    model_config = ConfigDict(extra="forbid")
    user: str


@tool(effect="read", when=lambda context: context.plan == "pro")
async def export(ctx: ToolContext[Ctx]) -> str:
    """Export."""
    return ctx.context.user


@tool(effect="read")
async def look() -> str:
    """Look."""
    return ""


def _begun(runnable: Node, context: Any, tenant: str | None = None) -> Any:
    return begun_with(runnable, context, tenant).runnable


def test_every_text_and_template() -> None:
    agent = Agent(name="agent", model=MODEL, instructions='{context.user}: {{user}}, {"a": {"b": 1}}, {}')
    prompt = Prompt(name="prompt", model=MODEL, instructions="{context.plan}", template="{input} {{x}} {context.user}")
    team = Team(name="team", model=MODEL, members=[agent], instructions="of {context.user}")
    search = Retrieve("found", HANDBOOK, query="{input} {context.plan}", filters={"team": "{context.user}"})
    chain = Chain(
        name="chain", steps=[search, prompt, Step(agent, input="{found} {context.user}"), Step(team, name="last")]
    )
    both: Any = Parallel(name="both", branches=[chain, Router(name="router", routes=[team])])
    made = _begun(both, {"user": "a{b}", "plan": "pro"})
    steps = made.branches[0].steps
    assert (steps[0].run.query, steps[0].run.filled) == ("{input} pro", {})
    assert steps[0].run.filters[0].any_of == ("a{b}",)
    assert steps[1].run.template == "{input} {{x}} a{{b}}"
    assert steps[1].run.instructions == "pro"
    assert (steps[2].input, steps[2].run.instructions) == ("{found} a{{b}}", 'a{b}: {user}, {"a": {"b": 1}}, {}')
    assert steps[3].run.instructions == made.branches[1].routes[0].run.instructions == "of a{b}"
    assert steps[3].run.members[0].instructions == steps[2].run.instructions
    assert both.branches[0].steps[1].run.instructions == "{context.plan}", "the runnable itself stays as it is"


def test_what_has_no_names_is_the_same_object() -> None:
    chain = Chain(name="chain", steps=[Prompt(name="a", model=MODEL, template="{input}"), Agent(name="b", model=MODEL)])
    assert _begun(chain, {"user": "anna"}) is chain


@pytest.mark.parametrize(
    ("value", "text"),
    [("x", "x"), (1, "1"), (None, "null"), (True, "true"), (["a", {"b": 1}], '["a", {{"b": 1}}]')],
)
def test_values_are_texts_or_json(value: Any, text: str) -> None:
    assert _begun(Prompt(name="p", model=MODEL, template="{context.v}"), {"v": value}).template == text


def test_what_lies_deeper() -> None:
    made = _begun(Agent(name="a", model=MODEL, instructions="{context.user.name}"), {"user": {"name": "anna"}})
    assert made.instructions == "anna"


def test_a_step_may_be_called_context() -> None:
    """`{context}` alone is what it was before."""
    steps = [Retrieve("context", HANDBOOK), Prompt(name="p", model=MODEL, template="{context} of {context.user}")]
    made = _begun(Chain(name="c", steps=steps), {"user": "anna"})
    assert made.steps[1].run.template == "{context} of anna"


def test_what_a_search_tool_is_limited_to() -> None:
    agent = Agent(name="a", model=MODEL, tools=[HANDBOOK.search(filters={"team": "{context.team}", "year": 2026})])
    assert "team" not in agent.searches[0].definition.parameters["properties"], "no model sees or sets it"
    with pytest.raises(SpecError, match="the run has no context"):
        agent.searches[0].conditions({"query": "x"})
    made = _begun(agent, {"team": "core"})
    [year, team] = made.searches[0].conditions({"query": "x"})
    assert (year.field, year.any_of, team.field, team.any_of) == ("year", (2026,), "team", ("core",))
    with pytest.raises(SpecError, match=r"searches\[0\].filters\[team\]: {context.team} is null"):
        _begun(agent, {"team": None})
    with pytest.raises(SpecError, match=r"filters\[team\]: {context.team}: a field of kind 'text' does not take"):
        _begun(agent, {"team": 3})


def test_tools_that_are_offered_to_some() -> None:
    agent = Agent(name="a", model=MODEL, tools=[look, export], context=Ctx)
    chain = Chain(name="c", steps=[agent])
    for context, names in ((Ctx(user="u", plan="pro"), ["look", "export"]), (Ctx(user="u"), ["look"])):
        assert [one.name for one in _begun(chain, context).steps[0].run.tools] == names
    bare = Agent(name="a", model=MODEL, tools=[look, export])
    assert [one.name for one in _begun(bare, None).tools] == ["look"]
    assert len(_begun(bare, {"user": "u", "plan": "pro"}).tools) == 2, "of the type that the tool itself names"
    with pytest.raises(SpecError, match=r"tools\[export\]: when: context: user: Field required"):
        _begun(bare, {"plan": "pro"})
    chosen = Agent(name="a", model=MODEL, tools=[look, export], tool_choice="export", context=Ctx)
    with pytest.raises(SpecError, match="tool_choice: the tool 'export' is not offered to this run"):
        _begun(chosen, Ctx(user="u"))


def test_rules_know_what_the_context_has_for_them() -> None:
    rule = Rule(context={"plan": "pro", "user.country": "CH", "none": 1})
    made = _begun(
        Router(name="r", strategy="rules", routes=[Route(Agent(name="a", model=MODEL), when=rule)]),
        {"plan": "free", "user": {"country": "CH"}, "secret": "x"},
    )
    assert made.routes[0].when.known == {"plan": "free", "user.country": "CH"}


@pytest.mark.parametrize(
    ("instructions", "context", "words"),
    [
        ("Hi {name}", {"name": "x"}, "nothing fills {name}: write {context.name} for a value of the run's context"),
        ("Hi {context.name}", None, "{context.name}: the run has no context: pass context=…"),
        ("Hi {context.name.x}", None, "context=… when it is started, or --context '{\"name\": …}' in a shell"),
        ("Hi {context.name}", {"user": 1}, "{context.name}: the run's context has no such value: it has user"),
        ("Hi {context.user.x}", {"user": "y"}, "{context.user.x}: the run's context has no such value"),
    ],
)
def test_what_cannot_be_filled(instructions: str, context: Any, words: str) -> None:
    team = Team(name="t", model=MODEL, members=[Agent(name="inner", model=MODEL, instructions=instructions)])
    with pytest.raises(SpecError) as caught:
        _begun(team, context)
    assert words in str(caught.value)
    assert "members[0]" in str(caught.value)


def test_an_app_says_at_once_what_nothing_fills() -> None:
    with pytest.raises(SpecError, match=r"App: argument 1 \(a\): instructions: nothing fills {name}"):
        App(Agent(name="a", model=MODEL, instructions="Hi {name}"))
    with pytest.raises(SpecError, match=r"{context.pln}: Ctx has no 'pln'; it has user, plan"):
        App(Prompt(name="a", model=MODEL, template="Hi {context.pln}"), context=Ctx)
    with pytest.raises(SpecError, match="is a value: name its type"):
        App(Agent(name="a", model=MODEL), context=Ctx(user="anna"))


def test_the_type_of_an_app_holds_for_all_in_it() -> None:
    own = Agent(name="own", model=MODEL, context=Strict)
    chain = Chain(name="c", steps=[Prompt(name="p", model=MODEL, template="{context.plan}"), own])
    App(chain, context=Ctx)
    assert (chain.context_type, own.context_type) == (Ctx, Strict)
    with pytest.raises(SpecError, match="Chain 'c' works for a Ctx: pass context=Ctx"):
        _begun(chain, None)
    with pytest.raises(SpecError, match="Chain 'c': context: user: Field required: it is to be a Ctx"):
        _begun(chain, {"plan": "pro"})
    with pytest.raises(SpecError, match="Agent 'own': context: plan: Extra inputs are not permitted"):
        _begun(chain, {"user": "anna"})


def test_defaults_are_recorded() -> None:
    begun = begun_with(Agent(name="a", model=MODEL, context=Ctx), {"user": "anna"}, None)
    assert begun.context == {"user": "anna", "plan": "free"}


def test_the_tenant_is_part_of_it() -> None:
    agent = Agent(name="a", model=MODEL, instructions="{context.tenant}")
    assert begun_with(agent, None, "acme")[1:] == ({"tenant": "acme"}, "acme")
    assert begun_with(agent, {"tenant": "acme"}, None)[1:] == ({"tenant": "acme"}, "acme")
    assert _begun(agent, {"user": 1}, "acme").instructions == "acme"
    with pytest.raises(SpecError, match="tenant='other', and the context has the tenant 'acme'"):
        begun_with(agent, {"tenant": "acme"}, "other")
    assert typed_context(Strict, {"user": "anna", "tenant": "acme"}) == Strict(user="anna"), "which has no such field"


@dataclass
class Plain:
    """A dataclass."""

    user: str


TOKEN = "TOPSECRETTOKEN"


class Hidden(BaseModel):
    """Is not written whole."""

    token: str
    more: str = Field(exclude=True, default="")


class Priced(BaseModel):
    """Has a number."""

    price: float


class Padded(BaseModel):
    """Has a long default."""

    user: str
    more: str = "x" * 100


class Computed(BaseModel):
    """Writes more than it reads."""

    model_config = ConfigDict(extra="forbid")
    user: str

    @computed_field  # type: ignore[prop-decorator]
    @property
    def shown(self) -> str:
        """As people see it."""
        return self.user.title()


class Sized(TypedDict):
    """A name that is not ASCII."""

    größe: int  # noqa: PLC2401 - that is what is tested


class Plans(BaseModel):
    """Has a set under another name."""

    names: set[str] = Field(alias="plan_names")


def _no_clock() -> str:
    raise RuntimeError("no clock here")


class Clocked(BaseModel):
    """Has a default that a workflow may not make."""

    at: str = Field(default_factory=_no_clock)


class Secret(BaseModel):
    """Is written as stars."""

    key: SecretStr


def test_what_can_be_a_context() -> None:
    assert context_values(Plain("anna")) == {"user": "anna"}
    assert typed_context(Plain, {"user": "anna"}) == Plain("anna")
    for wrong, words in (
        (TOKEN, "a str is not an object"),
        ([TOKEN], "a list is not an object"),
        ({"a": object()}, "it is not JSON"),
        ({"a": TOKEN * MAX_CONTEXT_BYTES}, "the limit is 16,000"),
        (Secret(key=SecretStr(TOKEN)), "does not come back from JSON as it was"),
        (Hidden(token=TOKEN, more="x"), "does not come back from JSON as it was"),
        ({"a": [{"key": SecretStr(TOKEN)}]}, "a[0].key: a SecretStr is written as stars"),
        ({"a": Secret(key=SecretStr(TOKEN))}, "a: Secret does not come back from JSON"),
        ({"a": {"b": [1.0, float("nan")]}}, "a.b[1]: nan is no number of JSON"),
        (Priced(price=float("inf")), "price: inf is no number of JSON"),
        ({"a": {1: 2}}, "a: a name in it is of type int: write it as a text"),
        ({"a": f"{TOKEN}\ud800"}, "a: it is not Unicode: it has half of a surrogate pair"),
        ({"a": {"\ud800": 1}}, "a: the name '?' in it has half of a surrogate pair"),
        ({"a": 2**64}, "a: it is a number of more than 64 bits"),
    ):
        with pytest.raises(SpecError) as caught:
            context_values(wrong)
        assert words in str(caught.value)
        assert str(caught.value).startswith("context: ")
        assert TOKEN not in str(caught.value), "what is in it may be secret"
    with pytest.raises(SpecError, match="Agent 'a': context: plan: Input should be 'free' or 'pro'") as told:
        _begun(Agent(name="a", model=MODEL, context=Ctx), {"user": "u", "plan": TOKEN})
    assert TOKEN not in str(told.value)


def test_what_is_stored_is_what_is_measured() -> None:
    agent = Agent(name="a", model=MODEL, context=Padded)
    fits = {"user": "u" * (MAX_CONTEXT_BYTES - 100)}
    context_values(fits)
    for tenant, runnable in (("t" * 100, Agent(name="b", model=MODEL)), (None, agent)):
        with pytest.raises(SpecError, match="the limit is 16,000"):
            begun_with(runnable, fits, tenant)
    with pytest.raises(SpecError, match="the tenant has 2,001 bytes and the limit is 2,000"):
        begun_with(Agent(name="b", model=MODEL), None, "t" * 2_001)
    with pytest.raises(SpecError, match="context: tenant: it is no text"):
        begun_with(Agent(name="b", model=MODEL), {"tenant": 5}, None)


def test_what_a_type_computes() -> None:
    given = Computed(user="anna")
    assert context_values(given) == {"user": "anna", "shown": "Anna"}
    assert typed_context(Computed, {"user": "anna", "shown": "Anna", "tenant": "acme"}) == given
    assert _begun(Agent(name="a", model=MODEL, instructions="{context.shown}", context=Computed), given).instructions


def test_names_of_any_script_and_of_any_type() -> None:
    made = _begun(Agent(name="a", model=MODEL, instructions="{context.größe}", context=Sized), {"größe": 3})
    assert made.instructions == "3"
    for kind in (Sized, Plain):
        with pytest.raises(SpecError, match=f"{kind.__name__} has no 'nope'; it has"):
            App(Agent(name="a", model=MODEL, instructions="{context.nope}"), context=kind)
    with pytest.raises(SpecError, match=r"nothing fills {context}: write {context.NAME} for a value"):
        _begun(Agent(name="a", model=MODEL, instructions="Of {context}"), {"user": "anna"})


def test_a_set_has_one_order() -> None:
    for items in ({"b", "a", "c"}, frozenset("cab")):
        assert context_values({"plans": items, "as": ["b", "a"]}) == {"plans": ["a", "b", "c"], "as": ["b", "a"]}
    assert context_values(Plans(plan_names={"b", "a", "c"}))["plan_names"] == ["a", "b", "c"]


def test_a_type_whose_own_code_fails() -> None:
    with pytest.raises(ValueError, match="context: a Clocked cannot be made of it: RuntimeError: no clock here"):
        typed_context(Clocked, {})


def test_code_first_leaves_words_in_braces() -> None:
    """Of workflows that are under way: their texts were never templates."""
    assert filled(Agent(name="a", model=MODEL, instructions="{name} {{x}}"), {}).instructions == "{name} {x}"
