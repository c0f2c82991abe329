"""However large or tangled a schema is, it is fitted soon, or refused with the reason."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from sostenuto.activities.adapters.providers.schema.fitted import fit_schema
from sostenuto.activities.adapters.providers.schema.rules import RULES, InexpressibleError
from tests.unit.activities.adapters.schema.rule_books import faults

JsonSchema = dict[str, Any]
TEXT = {"type": "string"}
SOON_SECONDS = 3.0


def _object(**properties: Any) -> JsonSchema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _named(count: int, sub: Any = None) -> JsonSchema:
    return _object(**{f"p{number}": sub or TEXT for number in range(count)})


def _refer(number: int) -> JsonSchema:
    return {"$ref": f"#/$defs/D{number}"}


def _doubled(count: int) -> dict[str, JsonSchema]:
    return {f"D{number}": _object(x=_refer(number + 1), y=_refer(number + 1)) for number in range(count)}


def _tangle(count: int) -> dict[str, JsonSchema]:
    """Definitions that all contain all, under a name that has to be replaced."""
    every = {"anyOf": [*(_refer(number) for number in range(count)), {"type": "null"}]}
    return {
        f"D{number}": {"type": "object", "properties": {"$of": every, f"k{number}": TEXT}} for number in range(count)
    }


def _deep(count: int) -> JsonSchema:
    schema: JsonSchema = TEXT
    for _ in range(count):
        schema = _object(a=schema)
    return schema


def _either(count: int, sub: JsonSchema) -> JsonSchema:
    for _ in range(count):
        sub = {
            "type": "object",
            "properties": {"a": sub, "b": sub},
            "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
        }
    return sub


TANGLED: dict[str, JsonSchema] = {
    "definitions twice over": {**_object(a=_refer(0)), "$defs": _doubled(40) | {"D40": TEXT}},
    "unions twice over": {
        "$ref": "#/$defs/D0",
        "$defs": {f"D{n}": {"anyOf": [_refer(n + 1), _refer(n + 1)]} for n in range(40)} | {"D40": _object(a=TEXT)},
    },
    "unions of all, twice over": {
        **_object(a=_refer(0)),
        "$defs": {f"D{n}": {"oneOf": [{"allOf": [_refer(n + 1), TEXT]}] * 2} for n in range(40)} | {"D40": TEXT},
    },
    "a chain": {
        **_object(a=_refer(0)),
        "$defs": {f"D{n}": _object(a=_refer(n + 1)) for n in range(2_000)} | {"D2000": TEXT},
    },
    "a chain of all": {
        **_object(a=_refer(0)),
        "$defs": {f"D{n}": {"allOf": [_refer(n + 1), {"minLength": 1}]} for n in range(2_000)} | {"D2000": TEXT},
    },
    "a tangle": {**_object(a=_refer(0)), "$defs": _tangle(30)},
    "all of itself": {"$ref": "#/$defs/D0", "$defs": {"D0": {"allOf": [_refer(0), _object(a=_refer(0))]}}},
    "one of itself": {
        "$ref": "#/$defs/D0",
        "$defs": {"D0": {"anyOf": [{"allOf": [_refer(0), {"required": ["a"]}]}] * 3}},
    },
    "a tree": _object(a=_deep(200)),
    "many cases": _either(9, TEXT),
    "many unions": {"allOf": [{"anyOf": [_object(**{f"a{n}": TEXT}), _object(**{f"b{n}": TEXT})]} for n in range(30)]},
    "many members": _object(a={"oneOf": [_object(k={"const": n}, of=TEXT) for n in range(500)]}),
    "many values": _object(a={"enum": [f"value {n}" for n in range(50_000)]}),
    "many properties": _named(20_000),
    "many references": {**_named(3_000, _refer(0)), "$defs": {"D0": _named(20)}},
}


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("kind", TANGLED)
def test_it_takes_no_longer_than_it_has_to(kind: str, rules: str) -> None:
    began = time.process_time()
    try:
        sent = fit_schema(TANGLED[kind], RULES[rules]).schema
    except InexpressibleError:
        assert RULES[rules].strict
        sent = {}
    assert time.process_time() - began < SOON_SECONDS
    assert len(json.dumps(sent)) < 200_000 + 3 * len(json.dumps(TANGLED[kind]))


@pytest.mark.parametrize(
    ("rules", "schema", "why"),
    [
        ("closed", _deep(11), "levels"),
        ("closed-anthropic", _deep(31), "levels"),
        ("closed", _named(5_001), "properties"),
        ("closed", _object(a={"enum": list(range(1_001))}), "choices"),
        ("closed", _object(a={"enum": [f"{n:0100}" for n in range(300)]}), "too long values"),
        ("closed", {"type": "object", "properties": {f"{'p' * 50}{n}": TEXT for n in range(2_500)}}, "letters"),
        ("closed-anthropic", _named(17, {"anyOf": [TEXT, {"type": "null"}]}), "unions"),
    ],
)
def test_what_is_too_much_for_a_strict_schema_is_told(rules: str, schema: JsonSchema, why: str) -> None:
    with pytest.raises(InexpressibleError, match=why):
        fit_schema(schema, RULES[rules])


@pytest.mark.parametrize(
    ("rules", "schema"),
    [
        ("closed", _deep(10)),
        ("closed", _named(5_000)),
        ("closed", _object(a={"enum": list(range(1_000))})),
        ("closed-anthropic", _named(16, {"anyOf": [TEXT, {"type": "null"}]})),
    ],
)
def test_what_is_just_not_too_much_is_strict(rules: str, schema: JsonSchema) -> None:
    assert faults(rules, fit_schema(schema, RULES[rules]).schema) == []


def test_where_too_many_are_optional_all_are_required() -> None:
    optional = {"type": "object", "properties": _named(24)["properties"]}
    assert "required" not in fit_schema(optional, RULES["closed-anthropic"]).schema
    more = {"type": "object", "properties": _named(25)["properties"]}
    assert len(fit_schema(more, RULES["closed-anthropic"]).schema["required"]) == 25


def test_what_tells_members_apart_is_required() -> None:
    tagged = [{"type": "object", "properties": {"k": {"const": n}, "x": TEXT}, "required": ["k"]} for n in range(2)]
    (first, _) = fit_schema(_object(a={"oneOf": tagged}), RULES["closed-anthropic"]).schema["properties"]["a"]["anyOf"]
    assert first["required"] == ["k"]


def test_what_is_inlined_without_end_is_cut_into_the_text_of_json() -> None:
    sent = json.dumps(fit_schema(TANGLED["definitions twice over"], RULES["gemini"]).schema)
    assert "in JSON, as text" in sent
