"""Schemas of other people's tools: repaired where they have one meaning, refused where they have none."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sostenuto.activities.adapters.mcp.schema_keywords import ONE_SCHEMA, SCHEMAS, SCHEMAS_BY_NAME, VALUES
from sostenuto.activities.adapters.mcp.schema_repair import UnusableSchemaError, repaired_schema
from sostenuto.contracts import limits

NONE = {"type": "object", "properties": {}}
TEXT = {"type": "string"}


def of(**properties: Any) -> dict[str, Any]:
    """The schema of an object with these properties."""
    return {"type": "object", "properties": properties}


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = dict(NONE)
    for _ in range(levels):
        schema = of(a=schema)
    return schema


VALID = [
    NONE,
    {"type": "object"},
    {**of(city={"type": "string", "description": "Where."}), "required": ["city"], "additionalProperties": False},
    {**of(a={"$ref": "#/definitions/A"}), "definitions": {"A": TEXT}},
    {**of(a={"$ref": "#/$defs/A%20B~1C"}), "$defs": {"A B/C": TEXT}},
    {**of(a={"$ref": "#a"}), "$defs": {"A": {"$anchor": "a", "type": "string"}}},
    {**of(a={"$ref": "https://example.com/a"}), "$defs": {"A": {"$id": "https://example.com/a"}}},
    {**of(next={"$ref": "#"}), "required": ["next"]},
    of(a=True, b=False),
    of(a={"type": ["string", "null"]}, **{"$ref": TEXT, "required": TEXT, "items": TEXT, "type": TEXT}),
    of(a={"type": "array", "prefixItems": [TEXT, TEXT]}),
    of(a={"type": "object", "required": ["free"]}),
    {**of(a=TEXT, b=TEXT), "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
    {**of(a=TEXT), "required": ["b"], "additionalProperties": TEXT},
    {**of(a={"const": None, "default": None, "enum": [None, 1], "x-own": {"$ref": 1}}), "title": "T"},
    {"type": "object", "$schema": "http://json-schema.org/draft-07/schema#", "properties": {"a": {"nullable": True}}},
    deep(48),
]


@pytest.mark.parametrize("schema", VALID, ids=range(len(VALID)))
def test_what_is_as_it_should_be_stays(schema: dict[str, Any]) -> None:
    assert repaired_schema(schema) == (schema, ())


@pytest.mark.parametrize(
    ("given", "repaired", "told"),
    [
        (None, NONE, "it has no inputSchema: taken to have no arguments"),
        ({}, NONE, "its inputSchema is empty: taken to have no arguments"),
        ({"properties": {"a": TEXT}}, of(a=TEXT), "its inputSchema has no type: taken for 'object'"),
        ({"type": None, "properties": {}}, NONE, "its inputSchema has no type: taken for 'object'"),
        ({"type": ["object", "null"]}, {"type": "object"}, "is ['object', 'null']: taken for 'object'"),
        ({"type": "OBJECT"}, {"type": "object"}, "the type of its inputSchema is 'OBJECT': taken for 'object'"),
        ({"type": "object", "properties": None}, NONE, "properties of its inputSchema is null: taken for none"),
        ({"type": "object", "properties": []}, NONE, "properties of its inputSchema is an empty list: taken for none"),
        ({**NONE, "required": "a"}, NONE, "required of its inputSchema is a text, not a list: left out"),
        ({**of(a=TEXT), "required": ["a", "b", 1, "a"]}, {**of(a=TEXT), "required": ["a"]}, "required of its input"),
        ({"type": "object", "required": ["b"]}, {"type": "object"}, "not one of its properties: left out"),
        (of(a={"type": "string", "required": True}), of(a=TEXT), "required of 'a' is true, not a list: left out"),
        (of(a="string", b=None), of(a={}, b={}), "the schema of 'a' is a text: taken for one of anything"),
        (of(a={"type": "array"}), of(a={"type": "array", "items": {}}), "items of 'a' is missing: taken for anything"),
        (
            of(a={"anyOf": [{"type": ["array", "null"]}]}),
            of(a={"anyOf": [{"type": ["array", "null"], "items": {}}]}),
            "items of 'a.anyOf.0' is missing",
        ),
        (of(a={"type": "array", "items": None}), of(a={"type": "array", "items": {}}), "items of 'a' is missing"),
        (of(a={"items": "string"}), of(a={"items": {}}), "items of 'a' is a text: taken for anything"),
        (of(a={"items": []}), of(a={"items": {}}), "items of 'a' is missing"),
        (
            of(a={"items": [TEXT], "additionalItems": False}),
            of(a={"prefixItems": [TEXT], "items": False}),
            "items of 'a' is a list: taken for prefixItems",
        ),
        (of(a={"type": "text"}), of(a={}), "type of 'a' is 'text': taken for any"),
        (of(a={"type": ["STRING", "STRING"]}), of(a=TEXT), "type of 'a' is ['STRING', 'STRING']: taken for string"),
        (of(a={"type": []}), of(a={}), "type of 'a' is []: taken for any"),
        (of(a={"anyOf": []}), of(a={}), "anyOf of 'a' is empty: left out"),
        (of(a={"oneOf": {}}), of(a={}), "oneOf of 'a' is an object, not a list of schemas: left out"),
        (of(a={"enum": []}), of(a={}), "enum of 'a' is not a list of values: left out"),
        (of(a={"maximum": math.inf}), of(a={}), "maximum of 'a' is not a number of JSON: left out"),
        (of(a={"default": [math.nan]}), of(a={"default": []}), "default of 'a' has what is not a number of JSON"),
        (of(a={"minimum": "1"}), of(a={}), "minimum of 'a' is not a number: left out"),
        (of(a={"description": None}), of(a={}), "description of 'a' is not a text: left out"),
        ({**NONE, "$defs": [1]}, NONE, "$defs of its inputSchema is a list, not an object: left out"),
        (of(a={"properties": "b"}), of(a={}), "properties of 'a' is a text, not an object: left out"),
    ],
)
def test_what_has_one_meaning_is_repaired(given: Any, repaired: dict[str, Any], told: str) -> None:
    schema, problems = repaired_schema(given)
    assert schema == repaired
    assert told in problems[0]
    assert repaired_schema(schema) == (schema, ())


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([], "its inputSchema is a list, not an object"),
        ("object", "its inputSchema is a text, not an object"),
        (True, "its inputSchema is true, not an object"),
        ({"type": "string"}, "its inputSchema is of type 'string', and arguments are of type 'object'"),
        ({"type": ["string", "null"]}, "its inputSchema is of type ['string', 'null']"),
        ({"type": {}}, "its inputSchema is of type {}"),
        ({"type": "object", "properties": [{"name": "a"}]}, "properties of its inputSchema is a list, not an object"),
        (of(a={"$ref": "#/$defs/A"}), "its inputSchema refers to '#/$defs/A', where nothing is"),
        (of(a={"$ref": "#a"}), "its inputSchema refers to '#a', where nothing is"),
        (
            of(a={"$ref": "https://example.com/a.json#/b"}),
            "refers to another document, 'https://example.com/a.json#/b'",
        ),
        (of(a={"$ref": "other.json"}), "refers to another document, 'other.json'"),
        (of(a={"$ref": None}), "$ref of 'a' is null, not a text"),
        (of(a={"$ref": "#/properties/a"}), "refers to '#/properties/a', which refers to itself"),
        (of(a={"$ref": "#/properties/b"}, b={"$ref": "#/properties/a"}), "which refers to itself"),
        ({"type": "object", "$ref": "#"}, "its inputSchema refers to '#', which refers to itself"),
        (deep(60), "its inputSchema is nested deeper than 100 levels"),
        (of(a={"description": "x" * limits.MAX_SCHEMA_BYTES}), "its inputSchema has 100,"),
    ],
)
def test_what_has_none_is_refused(given: Any, why: str) -> None:
    with pytest.raises(UnusableSchemaError) as caught:
        repaired_schema(given)
    assert why in str(caught.value)


def test_a_long_chain_of_references_is_followed_once() -> None:
    """Followed from each of its links, it would take minutes."""
    chain = {f"p{link}": {"$ref": f"#/properties/p{link + 1}"} for link in range(2_400)}
    assert repaired_schema(of(**chain, p2400=TEXT)) == (of(**chain, p2400=TEXT), ())
    with pytest.raises(UnusableSchemaError, match="refers to itself"):
        repaired_schema(of(**chain, p2400={"$ref": "#/properties/p0"}))


KEYS = [*ONE_SCHEMA, *SCHEMAS, *SCHEMAS_BY_NAME, *VALUES, "type", "required", "$ref", "default", "const", "properties"]
ODDS = [None, True, "string", "ARRAY", "#/properties/a", "#", 1, -1, 2.5, math.nan, 10**400, ["a", "b"], ["null"]]


def _any_schema(chance: random.Random, depth: int = 0) -> dict[str, Any]:
    return {chance.choice(KEYS): _any_value(chance, depth) for _ in range(chance.randrange(5))}


def _any_value(chance: random.Random, depth: int) -> Any:
    kind = chance.randrange(14) if depth < 6 else 13
    if kind < 5:
        return _any_schema(chance, depth + 1)
    if kind == 5:
        return [_any_value(chance, depth + 1) for _ in range(chance.randrange(3))]
    if kind == 6:
        return {chance.choice("abc"): _any_value(chance, depth + 1) for _ in range(chance.randrange(3))}
    return chance.choice(ODDS)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_not_refused_becomes_a_schema(seed: int) -> None:
    """That of JSON Schema's own schema, which knows no more of ours than of the server's."""
    chance = random.Random(seed)
    usable = 0
    for _ in range(50):
        try:
            schema, _told = repaired_schema({"type": "object", **_any_schema(chance)})
        except UnusableSchemaError:
            continue
        usable += 1
        Draft202012Validator.check_schema(schema)
        json.dumps(schema, allow_nan=False)
        assert repaired_schema(schema) == (schema, ())
    assert usable > 20
