"""What is combined is said as one: exactly where it is strict, as plainly as can be where it is a tool's root."""

from __future__ import annotations

from typing import Any

import pytest

from sostenuto.activities.adapters.providers.schema.fitted import fit_schema
from sostenuto.activities.adapters.providers.schema.meeting import meet
from sostenuto.activities.adapters.providers.schema.normal import NEVER
from sostenuto.activities.adapters.providers.schema.rules import RULES, InexpressibleError
from tests.unit.activities.adapters.schema.rule_books import faults

JsonSchema = dict[str, Any]
TEXT = {"type": "string"}
NUMBER = {"type": "integer"}


def _object(**properties: Any) -> JsonSchema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _closed(**properties: Any) -> JsonSchema:
    return {**_object(**properties), "additionalProperties": False}


def _root(schema: JsonSchema, rules: str = "plain") -> JsonSchema:
    sent = fit_schema(schema, RULES[rules]).schema
    assert faults(rules, sent) == []
    return sent


def _strict(sub: JsonSchema, **beside: Any) -> Any:
    return _root({**_object(a=sub), **beside}, "closed")["properties"]["a"]


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ({"minimum": 1}, {"minimum": 3, "maximum": 9}, {"minimum": 3, "maximum": 9}),
        ({"type": ["string", "null"]}, {"type": ["null", "integer"]}, {"type": "null"}),
        ({"type": "number"}, {"type": "integer"}, {"type": "integer"}),
        ({"type": "string"}, {"type": "integer"}, NEVER),
        ({"enum": [1, True]}, {"enum": [True]}, {"enum": [True]}),
        ({"enum": ["a"], "type": "string"}, {"enum": ["b"], "type": "string"}, NEVER),
        ({"enum": ["a", 1], "type": ["string", "integer"]}, NUMBER, {"enum": [1], "type": "integer"}),
        ({"multipleOf": 4}, {"multipleOf": 6}, {"multipleOf": 12}),
        ({"pattern": "a"}, {"pattern": "b"}, {"pattern": "a", "also": [{"pattern": "b"}]}),
        ({"title": "A"}, {"title": "B", "maxLength": 1}, {"title": "A", "maxLength": 1}),
        ({"required": ["a"]}, {"required": ["b", "a"]}, {"required": ["a", "b"]}),
        (NEVER, TEXT, NEVER),
        ({}, TEXT, TEXT),
        ({"items": TEXT}, {"items": NUMBER}, {"items": {"allOf": [TEXT, NUMBER]}}),
        (
            {"items": {}, "prefixItems": [TEXT]},
            {"items": NUMBER},
            {"items": NUMBER, "prefixItems": [{"allOf": [TEXT, NUMBER]}]},
        ),
        ({"items": False, "prefixItems": [TEXT]}, {"items": TEXT}, {"items": False, "prefixItems": [TEXT]}),
    ],
)
def test_what_fits_both(one: JsonSchema, other: JsonSchema, both: JsonSchema) -> None:
    assert meet(one, other) == both


def test_closed_objects_exclude_what_they_do_not_name() -> None:
    assert meet(_closed(a=TEXT), {"type": "object", "properties": {"b": TEXT}})["properties"] == {"a": TEXT, "b": NEVER}
    assert meet(_closed(a=TEXT), _object(b=TEXT)) == NEVER
    assert _strict({"allOf": [_closed(a=TEXT), {"type": "object", "properties": {"b": TEXT}}]}) == _closed(a=TEXT)


def test_all_of_several_is_one_object_where_there_is_no_all_of() -> None:
    both = {"allOf": [{"$ref": "#/$defs/A"}, _object(b=NUMBER)], "description": "D."}
    defs = {"$defs": {"A": _object(c=TEXT)}}
    assert _strict(both, **defs) == {**_closed(c=TEXT, b=NUMBER), "description": "D."}
    assert "allOf" in _root({**_object(a=both), **defs})["properties"]["a"]
    assert _root({**_object(a=both), **defs}, "gemini")["properties"]["a"] == {
        **_object(c=TEXT, b=NUMBER),
        "description": "D.",
    }


def test_what_stands_beside_a_union_is_said_in_each_of_its_members() -> None:
    sub = {**_object(kind=TEXT), "anyOf": [_object(x=NUMBER), _object(y=NUMBER)]}
    assert _strict(sub) == {"anyOf": [_closed(kind=TEXT, x=NUMBER), _closed(kind=TEXT, y=NUMBER)]}
    either = {
        "type": "object",
        "properties": {"x": TEXT, "y": TEXT},
        "anyOf": [{"required": ["x"]}, {"required": ["y"]}],
    }
    assert _strict(either)["anyOf"][0] == _closed(x=TEXT, y=TEXT)


def test_a_union_of_models_keeps_its_references() -> None:
    defs = {"$defs": {"A": _object(k={"const": "a"}), "B": _object(k={"const": "b"})}}
    refs = [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}]
    assert _strict({"oneOf": refs, "discriminator": {"propertyName": "k"}}, **defs) == {"anyOf": refs}


@pytest.mark.parametrize(
    "members",
    [
        [TEXT, NUMBER],
        [{"enum": ["a"]}, {"enum": ["b"]}],
        [_closed(x=TEXT), _closed(y=TEXT)],
        [_object(k={"const": 1}, x=TEXT), _object(k={"const": 2}, x=TEXT)],
        [_object(of={"anyOf": [TEXT, NUMBER]}), _object(of={"type": "null"})],
        [{"type": "array", "items": TEXT}, {"type": "null"}],
    ],
)
def test_exactly_one_is_any_one_where_they_are_never_the_same(members: list[JsonSchema]) -> None:
    assert len(_strict({"oneOf": members})["anyOf"]) == 2


@pytest.mark.parametrize(
    "members",
    [
        [NUMBER, {"type": "number"}],
        [TEXT, {"enum": ["a"]}],
        [_object(x=TEXT), {"type": "object", "properties": {"x": TEXT, "y": TEXT}}],
        [{"type": "array", "items": TEXT}, {"type": "array", "items": NUMBER}],
    ],
)
def test_exactly_one_is_not_strict_where_two_may_fit(members: list[JsonSchema]) -> None:
    with pytest.raises(InexpressibleError, match="exactly one"):
        _strict({"oneOf": members})


def test_one_that_must_be_there_and_the_other_not_is_not_strict() -> None:
    sub = {"type": "object", "properties": {"x": TEXT, "y": TEXT}, "oneOf": [{"required": ["x"]}, {"required": ["y"]}]}
    with pytest.raises(InexpressibleError, match="exactly one"):
        _strict(sub)


@pytest.mark.parametrize("key", ["anyOf", "oneOf"])
def test_a_tools_root_of_several_objects_is_one(key: str) -> None:
    schema = {key: [_object(kind={"const": "a"}, x=NUMBER), _object(kind={"const": "b"}, y=TEXT)]}
    for rules in ("plain", "gemini", "grammar"):
        sent = _root(schema, rules)
        assert sent["type"] == "object"
        assert sent["properties"] == {"kind": {"type": "string", "enum": ["a", "b"]}, "x": NUMBER, "y": TEXT}
        assert sent["required"] == ["kind"]
        assert sent["description"].startswith(f"{key}: ")


def test_a_tools_root_of_all_of_several_objects_is_one() -> None:
    schema = {"allOf": [_closed(x=TEXT), _closed(y=NUMBER)], "properties": {"z": TEXT}, "type": "object"}
    assert _root(schema) == {**_object(x=TEXT, y=NUMBER), "properties": {"z": TEXT, "x": TEXT, "y": NUMBER}}


def test_a_property_of_several_members_is_one_of_theirs() -> None:
    schema = {"oneOf": [_object(x=TEXT), _object(x=NUMBER), _object(x=TEXT), _object(x={"enum": [1, "a"]})]}
    choice = {"enum": [1, "a"], "type": ["integer", "string"]}
    assert _root(schema)["properties"]["x"] == {"anyOf": [TEXT, NUMBER, choice]}
    assert _root({"anyOf": [_object(x=TEXT), _object(x={})]})["properties"]["x"] == {}
    of_all = {"type": "object", "properties": {"x": {"enum": ["a", "b", "c"]}}}
    narrower = _root({**of_all, "anyOf": [_object(x={"const": "a"}), _object(x={"const": "b"})]})
    assert {"enum": ["a", "b"], "type": "string"} in narrower["properties"]["x"]["allOf"]


@pytest.mark.parametrize(
    "root",
    [
        {"$ref": "#/$defs/A", "$defs": {"A": _object(x=TEXT)}},
        {"anyOf": [_object(x=TEXT), {"type": "null"}]},
        {"oneOf": [{"$ref": "#/$defs/A"}, False], "$defs": {"A": _object(x=TEXT)}},
        {"allOf": [{"oneOf": [_object(x=TEXT)]}]},
        {**_object(x=TEXT), "not": {"required": ["y"]}},
        {**_object(x=TEXT), "enum": [{"x": "a"}]},
    ],
)
def test_a_root_in_disguise_is_an_object(root: JsonSchema) -> None:
    sent = _root(root)
    assert (sent["properties"], sent["required"]) == ({"x": TEXT}, ["x"])


@pytest.mark.parametrize("root", [{"type": "array", "items": TEXT}, TEXT, {"enum": [1]}, {"anyOf": [TEXT, NUMBER]}])
def test_a_root_that_is_no_object_is_the_value_of_one(root: JsonSchema) -> None:
    for rules in ("plain", "closed", "closed-anthropic", "gemini"):
        sent = _root(root, rules)
        assert sent["required"] == ["value"]


def test_what_must_not_be_is_sent_whole_or_not_at_all() -> None:
    kept = {"type": "string", "not": {"pattern": "^x", "type": "string"}}
    assert _root(_object(a=kept))["properties"]["a"] == kept
    lookaround = {"type": "string", "not": {"pattern": "^(?!x)", "type": "string"}}
    assert _root(_object(a=lookaround))["properties"]["a"] == TEXT
