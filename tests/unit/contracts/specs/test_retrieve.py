"""The retrieval: what it takes, what it needs, and what is told where it is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from sostenuto import Agent, App, Chain, Collection, Prompt, Retrieve, SpecError
from sostenuto.contracts.collection.fields import Condition

HANDBOOK = Collection("handbook", description="How we work.", fields={"team": str, "year": int}, limit=5)


def test_what_is_left_out_the_collection_says() -> None:
    found = Retrieve("found", HANDBOOK)
    assert (found.limit, found.needs(), found.takes_template) == (5, (), False)
    assert (found.about(), found.models) == ("How we work.", {})
    assert App(found).collections == {"handbook": HANDBOOK}


def test_names_in_braces_are_needed() -> None:
    found = Retrieve("found", HANDBOOK, query="{input} about {topic}", filters={"team": "{team}", "year": 2026})
    assert (found.needs(), found.takes_template) == (("topic", "team"), True)
    assert found.filters == (Condition(field="year", any_of=(2026,)),)
    wanted = (Condition(field="year", any_of=(2026,)), Condition(field="team", any_of=("core", "ops")))
    assert found.conditions({"team": ["core", "ops"], "topic": "x"}) == wanted
    with pytest.raises(SpecError, match=r"filters: team: \{team\} is null: give a value"):
        found.conditions({"team": None})
    with pytest.raises(SpecError, match=r"filters: \{team\} is unknown: it is not a field of what was asked"):
        found.conditions({})
    with pytest.raises(SpecError, match="filters: team: 7 is not a text"):
        found.conditions({"team": 7})


def test_a_chain_knows_what_it_needs() -> None:
    answer = Prompt(name="answer", template="{found} {input}", model="a/b")
    Chain(name="desk", steps=[Retrieve("found", HANDBOOK), answer])
    with pytest.raises(SpecError, match=r"steps\[0\] \(found\): .*{topic}"):
        Chain(name="desk", steps=[Retrieve("found", HANDBOOK, query="{topic}"), answer])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"filters": {"colour": "red"}}, "filters: there is no field 'colour'; there are: team, year"),
        ({"filters": {"colour": "{red}"}}, "filters: there is no field 'colour'; there are: team, year"),
        ({"filters": {"year": "{a} {b}"}}, r"filters: year: '{a} {b}' is not an integer"),
        ({"filters": ["team"]}, r"filters: \['team'\] is not a dict of values by field"),
        ({"query": "{input"}, "query: the brace at position 0 stands alone"),
        ({"limit": 0}, "limit: Input should be greater than or equal to 1"),
        ({"rewrite": "hyde"}, "model: name the model that rewrites the query"),
        ({"model": "a/b"}, "model: it rewrites the query, and rewrite= does not say how"),
        (
            {"rewrite": "hide", "model": "a/b"},
            "rewrite: 'hide' is none of '', 'multi-query', 'hyde' or 'decomposition'",
        ),
        ({"rerank": "none"}, "Retrieve has no field 'rerank'"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(options: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=f"Retrieve 'found': {told}"):
        Retrieve("found", HANDBOOK, **options)


def test_what_is_no_collection() -> None:
    with pytest.raises(SpecError, match=r"collection: 'handbook' is not a collection: write Collection\('name'\)"):
        Retrieve("found", "handbook")  # type: ignore[arg-type]


def test_it_is_no_tool() -> None:
    with pytest.raises(SpecError, match=r"tools\[0\]: Retrieve 'found' is not a tool: write handbook.search"):
        Agent(name="a", model="a/b", tools=[Retrieve("found", HANDBOOK)])
