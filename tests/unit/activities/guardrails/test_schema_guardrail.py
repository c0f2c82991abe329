"""What of a JSON schema a text does not fit, told without the text."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import count
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from sostenuto import SpecError
from sostenuto.activities.guardrails.schema.pattern_search import TooSlowError, has_pattern, limited_search
from sostenuto.activities.guardrails.schema.schema_faults import MOST_FAULTS, check_schema, schema_faults
from sostenuto.contracts.guardrails.schema import Schema
from tests.unit.activities.guardrails.lengths import takes_no_longer_than_its_length


class Item(BaseModel):
    sku: str = Field(pattern=r"^[A-Z]{2}\d+$", min_length=3)
    count: int = Field(ge=1, le=99)
    price: Decimal = Decimal(1)


class Order(BaseModel):
    id: str
    state: Literal["open", "shipped"]
    items: list[Item] = Field(min_length=1)
    notes: dict[str, int] = {}


def schema(of: Any) -> Schema:
    return Schema(at="output", on_failure="retry", schema=of)


def told(given: Any, of: Any = Order) -> list[str]:
    return [one.reason for one in schema_faults(given, schema(of))]


ORDER = {"id": "1", "state": "open", "items": [{"sku": "AB1", "count": 2, "price": "1.50"}], "notes": {"a": 1}}


def test_what_fits() -> None:
    assert told(json.dumps(ORDER)) == []
    assert told(ORDER) == [], "a value is taken as it is"
    assert told("3", {"type": "integer"}) == []


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({"id": 7}, ["id: expected: string"]),
        ({"state": "secret"}, ["state: expected: one of open, shipped"]),
        ({"items": []}, ["items: expected: at least 1 items"]),
        (
            {"items": [{"sku": "secret", "count": 1}]},
            ["items[0].sku: expected: a text in which ^[A-Z]{2}\\d+$ is found"],
        ),
        ({"items": [{"sku": "AB1", "count": 100}]}, ["items[0].count: expected: 99 or less"]),
        ({"items": [{"sku": "AB1"}, {"count": 1}]}, ["items[0]: it lacks count", "items[1]: it lacks sku"]),
        ({"notes": {"secret": "secret"}}, ["notes.*: expected: integer"]),
    ],
)
def test_reasons_name_the_place_and_nothing_of_the_text(change: dict[str, Any], reasons: list[str]) -> None:
    assert told(json.dumps({**ORDER, **change})) == reasons


@pytest.mark.parametrize(
    ("value", "of", "reason"),
    [
        ({"secret": 1}, {"properties": {"a": {}}, "additionalProperties": False}, "it has other properties than a"),
        ({"secret": 1}, {"additionalProperties": False}, "it has other properties than none"),
        ({"secret": 1}, {"unevaluatedProperties": False}, "it has other properties than none"),
        ({"secret": 1}, {"propertyNames": {"maxLength": 3}}, "the name of a property: expected: at most 3 characters"),
        ({"secret": 1}, {"patternProperties": {"^s": {"type": "string"}}}, "*: expected: string"),
        ({"x": 1}, {"properties": {"x": False}}, "something in it is not allowed"),
        ([1, 2, 1.0], {"uniqueItems": True}, "expected: items of which no two are equal"),
        (["a"], {"contains": {"type": "number"}}, "expected: more, or fewer, items of a certain form"),
        (["a"], {"dependentRequired": {}, "not": {"type": "array"}}, "expected: something else"),
        (4, {"oneOf": [{"minimum": 1}, {"minimum": 2}]}, "expected: exactly one of several forms"),
        (7, {"anyOf": [{"const": 1}, {"minimum": 8}]}, "expected: one of several forms, and it has none of them"),
        (7, {"const": 8}, "expected: 8"),
        (7, {"multipleOf": 2}, "expected: a multiple of 2"),
        ({"a": 1}, {"dependentRequired": {"a": ["b"]}}, "it does not fit 'dependentRequired'"),
    ],
)
def test_keywords(value: Any, of: dict[str, Any], reason: str) -> None:
    assert told(value, of) == [reason]


@pytest.mark.parametrize(
    ("value", "of"),
    [
        ([1, True, "1", [1], {"a": 1}, {"a": 2}], {"uniqueItems": True}),
        (
            {"x-a": 1, "b": 2},
            {"properties": {"b": {}}, "patternProperties": {"^x-": {}}, "additionalProperties": False},
        ),
        ({"b": 2}, {"additionalProperties": {"type": "integer"}}),
        (3, {"pattern": "a", "uniqueItems": True, "patternProperties": {"a": False}}),
    ],
)
def test_what_a_keyword_does_not_mind(value: Any, of: dict[str, Any]) -> None:
    assert told(value, of) == []


def test_what_is_not_json() -> None:
    assert told("secret") == ["it is not JSON (expected value at line 1 column 1)"]
    assert told('{"id": NaN}')[0].startswith("it is not JSON")
    assert told("[" * 150 + "]" * 150) == ["its lists and objects are nested deeper than 100 levels"]


def test_so_many_faults_are_told() -> None:
    of = {"type": "object", "properties": {f"p{number}": {"type": "null"} for number in range(50)}}
    assert len(told({f"p{number}": 1 for number in range(50)}, of)) == MOST_FAULTS


def test_a_pattern_that_takes_too_long_is_ended() -> None:
    hostile = schema({"type": "string", "pattern": "(.*?,){20}P"})
    with pytest.raises(
        SpecError, match=r"its patterns took more than 2 s, the last '.*P': write them without repetitions"
    ):
        schema_faults(json.dumps(",".join(map(str, range(40)))), hostile)


def test_all_patterns_of_a_check_share_its_time() -> None:
    with limited_search(), pytest.raises(TooSlowError):
        any(has_pattern("a", "b") for _ in count())


@pytest.mark.parametrize(
    ("of", "message"),
    [
        ({"type": "strnig"}, "answers: type: it is no JSON schema: 'strnig' is not valid"),
        ({"pattern": "(a"}, r"answers: the pattern '\(a' cannot be read: missing \)"),
        ({"patternProperties": {"[": {}}}, r"answers: the pattern '\[' cannot be read"),
        ({"$ref": "#/$defs/none"}, r"answers: it refers to '#/\$defs/none', which is not in it"),
        ({"patternProperties": {"a": {}}, "unevaluatedProperties": False}, "write additionalProperties"),
    ],
)
def test_what_cannot_be_followed_is_told_before_there_is_a_text(of: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        check_schema(schema(of), "answers")


def test_schemas_that_can_be_followed_pass() -> None:
    check_schema(schema(Order), "answers")
    check_schema(schema({"$id": "https://ok.example/a", "$ref": "#/$defs/a", "$defs": {"a": {}}}), "answers")


@pytest.mark.parametrize(
    ("of", "message"),
    [
        ({"$ref": "#"}, "it refers to itself without end"),
        ({"$ref": "#/$defs/none"}, r"it refers to '/\$defs/none', which is not in it"),
    ],
)
def test_what_cannot_be_followed_is_no_fault_of_the_text(of: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        schema_faults("1", schema(of))


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even for a schema that was read from a history and not checked: a library would open the address."""
    read = schema({}).model_copy(update={"json_schema": {"$ref": "http://127.0.0.1:9/schema"}})
    monkeypatch.setattr("urllib.request.urlopen", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(SpecError, match="which is not in it"):
        schema_faults("1", read)


@pytest.mark.parametrize("part", ['{"a": 1},', "[1],", '"a",', "1,"])
def test_many_items_take_no_longer_than_their_number(part: str) -> None:
    unique = schema({"type": "array", "uniqueItems": True, "items": {"pattern": "^a+$"}})
    assert takes_no_longer_than_its_length(lambda text: schema_faults(f"[{text[: text.rfind(',')]}]", unique), part, 30)
