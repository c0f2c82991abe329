"""Fields of documents: what they are made of, and what a filter on one may say."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from enum import Enum
from typing import Any, Literal

import pytest

from sostenuto.contracts.collection.fields import (
    Condition,
    Field,
    conditions_from,
    fields_from,
    parsed_texts,
    values_from,
)
from sostenuto.contracts.errors import SpecError


class Team(Enum):
    CORE = "core"
    OPS = "ops"


FIELDS = fields_from(
    {"team": Team, "name": str, "year": int, "size": float, "draft": bool, "on": date, "kind": Literal["a", "b"]}, "x"
)


def test_types_become_fields() -> None:
    assert {name: (field.kind, field.choices) for name, field in FIELDS.items()} == {
        "team": ("text", ("core", "ops")),
        "name": ("text", ()),
        "year": ("integer", ()),
        "size": ("number", ()),
        "draft": ("boolean", ()),
        "on": ("date", ()),
        "kind": ("text", ("a", "b")),
    }
    assert fields_from(None, "x") == {}
    assert fields_from({"own": Field(kind="date")}, "x") == {"own": Field(kind="date")}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["team"], "x: .* is not a dict of types by name"),
        ({"Team": str}, "x: 'Team' is not the name of a field"),
        ({"a b": str}, "is not the name of a field"),
        ({"a": list}, r"x\['a'\]: list is not a type of fields: use str, int"),
        ({"a": Literal[1, 2]}, "its choices are to be texts"),
        ({"a": "str"}, "'str' is not a type of fields"),
    ],
)
def test_what_is_no_field_is_named(given: Any, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        fields_from(given, "x")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"team": "core"}, Condition(field="team", any_of=("core",))),
        ({"team": [Team.CORE, "ops"]}, Condition(field="team", any_of=("core", "ops"))),
        ({"draft": False}, Condition(field="draft", any_of=(False,))),
        ({"size": 2}, Condition(field="size", any_of=(2.0,))),
        ({"year": {"from": 2024}}, Condition(field="year", at_least=2024)),
        (
            {"on": {"from": date(2026, 1, 31), "to": "2026-02-01"}},
            Condition(field="on", at_least="2026-01-31", at_most="2026-02-01"),
        ),
        ({"on": datetime(2026, 1, 31, 12)}, Condition(field="on", any_of=("2026-01-31T12:00:00",))),
    ],
)
def test_filters_become_conditions(filters: dict[str, Any], expected: Condition) -> None:
    assert conditions_from(FIELDS, filters, "x") == (expected,)


def test_none_is_no_condition() -> None:
    assert conditions_from(FIELDS, {"team": None}, "x") == ()


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"colour": "red"}, "x: there is no field 'colour'; there are: team, name, year"),
        ({"team": "sales"}, "x: team: 'sales' is not one of 'core', 'ops'"),
        ({"year": "2024"}, "x: year: '2024' is not an integer"),
        ({"year": True}, "x: year: True is not an integer"),
        ({"year": 2**60}, "is not an integer"),
        ({"size": float("inf")}, "x: size: inf is not a number"),
        ({"draft": 1}, "x: draft: 1 is not a boolean"),
        ({"on": "soon"}, "x: on: 'soon' is not a date, such as 2026-01-31"),
        ({"name": 7}, "x: name: 7 is not a text"),
        ({"name": "x" * 2_000}, "the text has 2,000 characters and the limit is 1,000"),
        ({"name": []}, "give one value, or a list of 1 to 100"),
        ({"name": {"from": "a"}}, "a text has no order: give a value, or a list"),
        ({"year": {"since": 2024}}, "is not {'from': …, 'to': …}"),
        ("team", "is not a dict of values by field"),
    ],
)
def test_what_is_no_filter_is_named(filters: Any, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        conditions_from(FIELDS, filters, "x")


def test_a_document_has_one_value_of_a_field() -> None:
    assert values_from(FIELDS, {"team": "core", "year": 2024}, "x") == {"team": "core", "year": 2024}
    for several in (["core", "ops"], {"from": "core"}):
        with pytest.raises(SpecError, match="team: "):
            values_from(FIELDS, {"team": several}, "x")


def test_texts_are_read_by_the_kinds_of_the_fields() -> None:
    texts = {"name": "2024", "year": "2024", "size": "1.5", "draft": "True", "on": "2026-01-31"}
    read = {"name": "2024", "year": 2024, "size": 1.5, "draft": True, "on": "2026-01-31"}
    assert parsed_texts(FIELDS, texts, "x") == read
    for name, text in (("year", "1.5"), ("size", "much"), ("draft", "yes"), ("on", "soon"), ("colour", "red")):
        with pytest.raises(SpecError, match=f"x: .*{name}"):
            parsed_texts(FIELDS, {name: text}, "x")


def test_offsets_of_seconds_become_utc() -> None:
    for given, stored in (
        ("2026-01-31T12:00:00+00:00:30", "2026-01-31T11:59:30+00:00"),
        (datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(seconds=-30))), "2026-01-31T12:00:30+00:00"),
        ("2026-01-31T12:00:00+01:00", "2026-01-31T12:00:00+01:00"),
    ):
        assert values_from(FIELDS, {"on": given}, "x") == {"on": stored}
    with pytest.raises(SpecError, match="is not a date"):
        values_from(FIELDS, {"on": "0001-01-01T00:00:00+00:00:30"}, "x")
