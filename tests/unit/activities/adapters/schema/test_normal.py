"""One plain form for every draft, and for what is in no draft."""

from __future__ import annotations

from typing import Any

import pytest

from sostenuto.activities.adapters.providers.schema.normal import NEVER, normal

JsonSchema = dict[str, Any]
TEXT = {"type": "string"}


def _property(sub: Any, **beside: Any) -> Any:
    """The plain form of a property."""
    return normal({"type": "object", "properties": {"a": sub}, **beside})["properties"]["a"]


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, {"type": "integer", "exclusiveMinimum": 1}),
        ({"type": "integer", "maximum": 9, "exclusiveMaximum": False}, {"type": "integer", "maximum": 9}),
        ({"type": "number", "divisibleBy": 2}, {"type": "number", "multipleOf": 2}),
        ({"const": "x"}, {"type": "string", "enum": ["x"]}),
        ({"const": None}, {"type": "null", "enum": [None]}),
        ({"type": ["string"]}, TEXT),
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        (
            {"anyOf": [TEXT, {"type": "integer"}], "nullable": True},
            {"anyOf": [TEXT, {"type": "integer"}, {"type": "null"}]},
        ),
        ({"type": ["string", {"type": "integer"}]}, {"anyOf": [TEXT, {"type": "integer"}]}),
        ({"type": "any"}, {}),
        ({"extends": {"type": "string"}, "title": "T"}, {"type": "string", "title": "T"}),
    ],
)
def test_older_drafts_and_the_words_of_openapi(given: JsonSchema, plain: JsonSchema) -> None:
    assert _property(given) == plain


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ({"items": [TEXT], "additionalItems": False}, {"type": "array", "prefixItems": [TEXT], "items": False}),
        ({"items": [TEXT], "type": "array"}, {"type": "array", "prefixItems": [TEXT], "items": {}}),
        (
            {"prefixItems": [TEXT], "items": {"type": "null"}},
            {"type": "array", "prefixItems": [TEXT], "items": {"type": "null"}},
        ),
        ({"type": "array"}, {"type": "array", "items": {}}),
        ({"type": "array", "items": {}, "prefixItems": []}, {"type": "array", "items": {}}),
        ({"type": "array", "items": False}, {"type": "array", "items": NEVER}),
    ],
)
def test_lists_and_tuples(given: JsonSchema, plain: JsonSchema) -> None:
    assert _property(given) == plain


def test_of_the_third_and_fourth_draft_each_property_says_that_it_is_required() -> None:
    schema = normal({"type": "object", "properties": {"a": {"type": "string", "required": True}, "b": {}}})
    assert schema == {"type": "object", "properties": {"a": TEXT, "b": {}}, "required": ["a"]}


def test_dependencies_are_told_apart() -> None:
    given = {"type": "object", "dependencies": {"a": ["b"], "c": "d", "e": {"required": ["f"]}}}
    schema = normal(given)
    assert schema["dependentRequired"] == {"a": ["b"], "c": ["d"]}
    assert schema["dependentSchemas"] == {"e": {"required": ["f"]}}


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ({"type": "string", "enum": ["a", 1, "a", None]}, {"type": "string", "enum": ["a"]}),
        (
            {"enum": ["a", 1, True, None]},
            {"type": ["string", "integer", "boolean", "null"], "enum": ["a", 1, True, None]},
        ),
        ({"type": "integer", "enum": ["1", "2"]}, {"type": "string", "enum": ["1", "2"]}),
        ({"type": "number", "enum": [1, 2.5]}, {"type": "number", "enum": [1, 2.5]}),
        ({"type": ["string", "null"], "enum": ["a"]}, {"type": "string", "enum": ["a"]}),
        ({"enum": []}, {}),
        ({"enum": "abc", "type": "string"}, TEXT),
    ],
)
def test_values_and_types_agree(given: JsonSchema, plain: JsonSchema) -> None:
    assert _property(given) == plain


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ({"minLength": 1}, {"type": "string", "minLength": 1}),
        ({"properties": {"b": TEXT}}, {"type": "object", "properties": {"b": TEXT}}),
        ({"maximum": 3}, {"type": "number", "maximum": 3}),
        ({"type": "str"}, TEXT),
        ({"type": "List"}, {"type": "array", "items": {}}),
        ({"type": "object", "anyOf": [{"required": ["x"]}, {"required": ["y"]}]}, None),
    ],
)
def test_types_are_there_where_they_can_be_told(given: JsonSchema, plain: JsonSchema | None) -> None:
    assert _property(given) == (plain or {"properties": {}, **given}), "beside a type none is guessed"


@pytest.mark.parametrize(
    "spoilt",
    [
        {"minLength": -1},
        {"maxLength": 1.5},
        {"minLength": "5"},
        {"minLength": True},
        {"minItems": None},
        {"multipleOf": 0},
        {"maximum": float("inf")},
        {"title": 5, "description": ["x"], "format": {}, "pattern": None},
        {"uniqueItems": "yes", "deprecated": 1, "examples": {}},
        {"required": True, "properties": []},
        {"dependentRequired": [1], "patternProperties": 5, "not": 7, "anyOf": {}, "allOf": []},
        {"$schema": "x", "$id": "y", "$comment": "z", "x-order": 1, "readOnly": True},
    ],
)
def test_what_no_reader_could_make_sense_of_is_gone(spoilt: JsonSchema) -> None:
    assert _property({"type": "string", **spoilt}) == TEXT


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        (True, {}),
        (False, NEVER),
        (None, {}),
        ("text", {}),
        ({"anyOf": [TEXT]}, TEXT),
        ({"anyOf": [TEXT, False]}, TEXT),
        ({"allOf": [TEXT, True, {}]}, TEXT),
        ({"anyOf": [False]}, NEVER),
        ({"anyOf": [5, "x"]}, {}),
        ({"oneOf": [{"type": "string"}], "description": "D."}, {"type": "string", "description": "D."}),
        (
            {"allOf": [{"minLength": 1, "type": "string"}], "type": "string"},
            {"allOf": [{"minLength": 1, "type": "string"}, TEXT]},
        ),
    ],
)
def test_booleans_and_combinators_of_one(given: Any, plain: JsonSchema) -> None:
    assert _property(given) == plain


def test_keywords_of_other_types_are_gone() -> None:
    assert _property({"type": "string", "items": TEXT, "minimum": 1, "required": ["a"], "maxLength": 1}) == {
        "type": "string",
        "maxLength": 1,
    }


@pytest.mark.parametrize("at", ["$defs", "definitions"])
def test_references_lead_to_definitions_of_the_root(at: str) -> None:
    schema = normal({"type": "object", "properties": {"a": {"$ref": f"#/{at}/A"}}, at: {"A": TEXT, "Unused": {}}})
    assert schema == {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": TEXT}}


@pytest.mark.parametrize(
    ("reference", "beside"),
    [
        ("#/properties/b", {}),
        ("#/$defs/a~1b/items/0", {"$defs": {"a/b": {"items": [{"type": "null"}]}}}),
        ("#/$defs/%C3%A4", {"$defs": {"ä": {"type": "null"}}}),
        ("#name", {"$defs": {"X": {"$anchor": "name", "type": "null"}}}),
        ("https://example.com/b.json", {"$defs": {"X": {"$id": "https://example.com/b.json", "type": "null"}}}),
        ("#old", {"definitions": {"X": {"id": "#old", "type": "null"}}}),
        ("#/$defs/A", {"$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"type": "null"}}}),
    ],
)
def test_references_of_every_kind_are_followed(reference: str, beside: JsonSchema) -> None:
    schema = normal({"type": "object", "properties": {"a": {"$ref": reference}, "b": {"type": "null"}}, **beside})
    (name,) = schema["$defs"]
    assert schema["properties"]["a"] == {"$ref": f"#/$defs/{name}"}
    assert schema["$defs"][name] == {"type": "null"}


@pytest.mark.parametrize("lost", ["#/$defs/Lost", "other.json", "#/required/0", "#anchor", "", "#/$defs/Circle"])
def test_a_reference_that_leads_nowhere_says_nothing(lost: str) -> None:
    circle = {"$defs": {"Circle": {"$ref": "#/$defs/Circle"}}, "required": ["a"]}
    found = _property({"$ref": lost, "description": "D."}, **circle)
    assert found in ({"description": "D."}, {"$ref": "#/$defs/Root", "description": "D."})


def test_beside_a_reference_stand_words_alone() -> None:
    defs = {"$defs": {"A": {"type": "object"}}}
    assert _property({"$ref": "#/$defs/A", "title": "T", "default": {}}, **defs) == {
        "$ref": "#/$defs/A",
        "title": "T",
        "default": {},
    }
    more = _property({"$ref": "#/$defs/A", "title": "T", "minProperties": 1}, **defs)
    assert more == {"allOf": [{"$ref": "#/$defs/A"}, {"minProperties": 1}], "title": "T"}


def test_a_schema_may_contain_itself() -> None:
    schema = normal({"type": "object", "properties": {"a": {"$ref": "#"}}})
    assert schema["$defs"] == {"Root": {"type": "object", "properties": {"a": {"$ref": "#/$defs/Root"}}}}


def test_long_chains_and_deep_trees_do_not_exhaust_the_stack() -> None:
    chain = {f"D{i}": {"type": "object", "properties": {"a": {"$ref": f"#/$defs/D{i + 1}"}}} for i in range(2_000)}
    schema = normal({"$ref": "#/$defs/D0", "$defs": chain | {"D2000": TEXT}})
    assert len(schema["$defs"]) == 2_001
    deep: JsonSchema = TEXT
    for _ in range(900):
        deep = {"type": "array", "items": deep}
    assert normal({"type": "object", "properties": {"a": deep}})["type"] == "object"


@pytest.mark.parametrize("root", [None, True, [], "text", {}, {"properties": 5}, {"$defs": 3, "$ref": 4}])
def test_anything_has_a_plain_form(root: Any) -> None:
    assert isinstance(normal(root), dict)
