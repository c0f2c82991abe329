"""Names of the context in the names of ledgers: filled wherever a budget may stand."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import BaseModel

from sostenuto import (
    Agent,
    App,
    Budget,
    Chain,
    Collection,
    Ledger,
    LongTerm,
    Model,
    Parallel,
    Price,
    Prompt,
    Retrieve,
    Route,
    Router,
    SpecError,
    Team,
)
from sostenuto.clients.start_request import order_of
from sostenuto.contracts.context.filling import begun_with, filled_budget
from sostenuto.contracts.control.ledger import MAX_LEDGER_BYTES
from sostenuto.contracts.specs.node import Node

MODEL = Model("scripted/m", price=Price(input=1, output=10))
OF_TENANT = Budget(ledger=Ledger("tenant:{context.tenant}/day", usd=5))


class Ctx(BaseModel):
    """Whose run it is."""

    user: str


def agent(name: str = "agent", budget: Budget | None = OF_TENANT, **more: Any) -> Agent:
    return Agent(name=name, model=MODEL, budget=budget, **more)


def ledgers(runnable: Node) -> set[str]:
    """Names of the ledgers of a runnable, and of all that is nested in it."""
    return {node.budget.ledger.name for node in runnable.walk() if node.budget and node.budget.ledger}


def begun(runnable: Node, context: Any, tenant: str | None = None) -> Node:
    made: Node = begun_with(runnable, context, tenant).runnable
    return made


def test_at_any_depth() -> None:
    prompt = Prompt(name="prompt", model=MODEL, template="{input}", budget=OF_TENANT)
    search = Retrieve("found", Collection("handbook"), budget=OF_TENANT)
    chain = Chain(name="chain", steps=[search, prompt, agent("step", tools=[agent("called")])], budget=OF_TENANT)
    router = Router(name="router", routes=[Route(agent("route"))], budget=OF_TENANT)
    team = Team(name="team", model=MODEL, members=[agent("member")], budget=OF_TENANT)
    both: Any = Parallel(name="both", branches=[chain, router, team], budget=OF_TENANT)
    made = begun(both, None, "acme")
    assert ledgers(made) == {"tenant:acme/day"}
    assert sum(node.budget is not None for node in made.walk()) == sum(node.budget is not None for node in both.walk())
    assert made.budget
    assert made.budget.ledger == Ledger("tenant:acme/day", usd=5)
    assert ledgers(both) == {"tenant:{context.tenant}/day"}, "the runnable itself stays as it is"


def test_a_name_without_any_stays_the_same_object() -> None:
    fixed = agent(budget=Budget(ledger="team"))
    assert begun(fixed, {"user": "ada"}) is fixed


def test_what_somebody_allows_a_run() -> None:
    order = order_of(agent(budget=None), "Hi", offload=False, tenant="acme", budget=OF_TENANT)
    assert order.arguments[0].budget.ledger.name == "tenant:acme/day"
    with pytest.raises(
        SpecError, match=r"budget: ledger.name: {context.tenant}: the run has no context: pass context="
    ):
        order_of(agent(budget=None), "Hi", offload=False, budget=OF_TENANT)
    plain = Budget(usd=1)
    assert filled_budget(plain, agent(), {}) is plain


@pytest.mark.parametrize("name", ["tenant:{acme}/day", "tenant:{context}/day"])
def test_a_name_that_nothing_fills(name: str) -> None:
    wrong = agent(budget=Budget(ledger=name))
    with pytest.raises(SpecError, match=r"Agent 'agent': budget.ledger.name: nothing fills {\w+}: write {context"):
        begun(wrong, None)
    with pytest.raises(SpecError, match=r"budget.ledger.name: nothing fills"):
        App(Chain(name="chain", steps=[wrong]))
    with pytest.raises(SpecError, match=r"budget: ledger.name: nothing fills"):
        filled_budget(Budget(ledger=name), agent(), {"acme": "x"})


@pytest.mark.parametrize("name", ["user:{context.user", "user:{}", "user:{context.}", "user:context.user}"])
def test_a_brace_that_is_part_of_no_name(name: str) -> None:
    problem = rf"{re.escape(repr(name))} has a '[{{}}]' that is part of no {{context.NAME}}: nothing fills it"
    for wrong in (
        agent(budget=Budget(ledger=name)),
        agent(budget=None, long_term=LongTerm(Collection("people"), scope=name)),
    ):
        with pytest.raises(SpecError, match=problem):
            App(wrong, collections=[Collection("people")])
        with pytest.raises(SpecError, match=problem):
            begun(wrong, {"user": "ada"})


def test_a_name_that_the_type_of_the_context_does_not_have() -> None:
    wrong = agent(budget=Budget(ledger="team:{context.team}"), context=Ctx)
    with pytest.raises(SpecError, match=r"budget.ledger.name: {context.team}: Ctx has no 'team'; it has user"):
        App(wrong)
    with pytest.raises(SpecError, match=r"budget: ledger.name: {context.team}: Ctx has no 'team'"):
        filled_budget(Budget(ledger="team:{context.team}"), wrong, {"user": "ada"})


def test_a_name_that_the_context_lacks() -> None:
    nested = Chain(name="chain", steps=[agent()])
    with pytest.raises(SpecError, match=r"steps\[0\].run \(agent\).budget.ledger.name: {context.tenant}: the run's"):
        begun(nested, {"user": "ada"})


@pytest.mark.parametrize(
    ("tenant", "problem"),
    [
        # Else it would choose a period, or have the ledger of another one.
        ("acme/day", "a text with '/' there"),
        ("acme/month", "a text with '/' there"),
        ("/", "a text with '/' there"),
        # Nobody could set its limits.
        ("{context.user}", "a text with '{context.' there"),
        ("  ", "an empty text there: all whose text is empty would share one ledger"),
        ("a\nb", "a ledger has a name of printable characters"),
        ("a\x1b[2J", "a ledger has a name of printable characters"),
        ("x" * MAX_LEDGER_BYTES, "the name of a ledger"),
    ],
)
def test_a_tenant_that_cannot_stand_in_the_name_of_a_ledger(tenant: str, problem: str) -> None:
    for beginning in (
        lambda: begun(agent(), None, tenant),
        lambda: filled_budget(OF_TENANT, agent(), {"tenant": tenant}),
    ):
        with pytest.raises(SpecError, match=problem) as told:
            beginning()
        assert len(tenant) < 3 or tenant not in str(told.value), "it may be a secret"


@pytest.mark.parametrize(("value", "kind"), [(None, "nothing"), ({"a": "b"}, "a dict"), (["a"], "a list")])
def test_a_value_that_is_no_text(value: Any, kind: str) -> None:
    of_team = agent(budget=Budget(ledger="team:{context.team}"))
    with pytest.raises(SpecError, match=f"has {kind} there, and the name of a ledger takes a text or a number"):
        begun(of_team, {"team": value})
    assert ledgers(begun(of_team, {"team": 7})) == {"team:7"}


def test_a_value_with_braces_is_no_name_again() -> None:
    braced = begun(agent(), None, "{user}")
    assert ledgers(braced) == {"tenant:{user}/day"}
    doubled = begun(agent(budget=Budget(ledger="{{team}}/day")), None)
    assert ledgers(doubled) == {"{team}/day"}


def test_a_value_does_not_say_when_the_ledger_begins_anew() -> None:
    of = agent(budget=Budget(ledger=Ledger("tenant/{context.tenant}", usd=5)))
    with pytest.raises(SpecError, match="it would begin anew every hour: put something behind that"):
        begun(of, None, "hour")
    assert ledgers(begun(of, None, "acme")) == {"tenant/acme"}
