"""What is refused in JSON schemas, one case for each kind of fault."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import pytest

from tests.conformance.wire_rules.bodies import LOOSE, SCHEMA
from tests.conformance.wire_rules.tracing import unheard
from tests.fakes.wire.anthropic import schema as anthropic_schema
from tests.fakes.wire.anthropic.schema import format_faults, input_schema_faults
from tests.fakes.wire.openai import schema as openai_schema
from tests.fakes.wire.openai.schema import schema_faults

JsonSchema = dict[str, Any]
_TEXT: JsonSchema = {"type": "string"}


def _of(inner: Any, **beside: Any) -> JsonSchema:
    """A schema that is closed, as strict modes want it, with one property."""
    closed = {"type": "object", "properties": {"x": inner}, "required": ["x"], "additionalProperties": False}
    return closed | beside


def _deep(levels: int) -> JsonSchema:
    return _of(_deep(levels - 1)) if levels > 1 else _of(_TEXT)


def _wide(count: int, **property_: Any) -> JsonSchema:
    names = [f"p{n}" for n in range(count)]
    properties = dict.fromkeys(names, _TEXT | property_)
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}


_NODE = _of(
    {"$ref": "#/$defs/Node"}, **{"$defs": {"Node": _of({"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]})}}
)
_STRICT: list[tuple[JsonSchema | Any, str]] = [
    ({"type": "array", "items": _TEXT}, "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"array\"'."),
    (_of(_TEXT, anyOf=[SCHEMA]), "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at"),
    (_of(_TEXT, oneOf=[SCHEMA]), "In context=(), 'oneOf' is not permitted."),
    (_of({"type": "array"}), "In context=('properties', 'x'), array schema missing items."),
    (_of({"type": "text"}), "In context=('properties', 'x'), 'text' is not valid under any of the given schemas."),
    (_of("text"), "In context=('properties', 'x'), 'text' is not of type 'object', 'boolean'."),
    (_of(_TEXT, required=None), "None is not of type 'array'."),
    (_of(_TEXT | {"pattern": "^(?=x)$"}), "regex lookaround is not supported. Found at $.properties.x.pattern"),
    (_of({"$ref": "#/$defs/X", "description": "x"}, **{"$defs": {"X": _TEXT}}), "$ref cannot have keywords {'descri"),
    (_of({"not": _TEXT, "type": "string"}), "Unsupported keywords ('not',)."),
    (_of({"type": "array", "items": _TEXT, "uniqueItems": True}), "'uniqueItems' is not permitted."),
    (_of(_TEXT | {"format": "uri"}), "In context=('properties', 'x'), 'uri' is not a valid format."),
    (_of({"description": "Anything."}), "In context=('properties', 'x'), schema must have a 'type' key."),
    (_of(LOOSE), "In context=('properties', 'x'), 'additionalProperties' is required to be supplied and to be false."),
    (_of(_TEXT, additionalProperties={}), "'additionalProperties' is required to be supplied and to be false."),
    (_of(_TEXT, required=[]), "to be an array including every key in properties. Missing 'x'."),
    (_of(_TEXT, required=["x", "y"]), "Extra required key 'y' supplied."),
    (_deep(11), "11 levels of nesting exceeds limit of 10."),
    (_wide(5_001), "5001 parameters exceeds limit of 5000."),
    (_of(_TEXT | {"enum": [str(n) for n in range(1_001)]}), "1001 enum values exceeds limit of 1000."),
    (_of(_TEXT | {"enum": ["e" * 120_001]}), "characters of names and values exceeds limit of 120000."),
    (
        _of(_TEXT | {"enum": [f"{n:0100}" for n in range(251)]}),
        "25100 characters of enum values exceeds limit of 15000.",
    ),
]
_LOOSE: list[tuple[JsonSchema, str]] = [
    ({"type": "object"}, "In context=(), object schema missing properties."),
    (LOOSE | {"oneOf": [LOOSE]}, "at the top level. Found 'oneOf'."),
]
_FINE: list[Any] = [
    SCHEMA,
    _NODE,
    _deep(10),
    _wide(5_000),
    _of({"anyOf": [_TEXT, {"type": "null"}]}),
    _of({"type": ["string", "null"], "minLength": 1, "maxLength": 9, "pattern": "^x$", "format": "date"}),
    _of({"type": "array", "items": {"type": "number", "minimum": 0, "multipleOf": 2}, "minItems": 1, "maxItems": 3}),
    _of(_TEXT | {"enum": ["a"], "title": "X", "default": "a", "const": "a", "description": "x"}),
]


@pytest.mark.parametrize(("schema", "words"), _STRICT, ids=[words[-40:] for _, words in _STRICT])
def test_openai_refuses_in_a_strict_schema(schema: JsonSchema, words: str) -> None:
    assert words in " ".join(schema_faults(schema, strict=True))


@pytest.mark.parametrize(("schema", "words"), _LOOSE)
def test_openai_refuses_in_any_schema(schema: JsonSchema, words: str) -> None:
    assert words in " ".join(schema_faults(schema, strict=False))


@pytest.mark.parametrize("schema", _FINE)
def test_openai_takes_a_strict_schema(schema: JsonSchema) -> None:
    assert list(schema_faults(schema, strict=True)) == []


@pytest.mark.parametrize(
    "schema",
    [
        None,
        {},
        LOOSE,
        {"type": "object", "properties": {"x": True, "y": {}, "z": {"oneOf": [_TEXT], "default": "x"}}},
        {"type": "object", "properties": {}, "additionalProperties": {"type": "integer"}},
    ],
)
def test_openai_takes_a_schema_that_is_not_strict(schema: Any) -> None:
    assert list(schema_faults(schema, strict=False)) == []


def test_fine_tuned_models_of_openai_know_fewer_keywords() -> None:
    schema = _of(_TEXT | {"minLength": 1})
    assert list(schema_faults(schema, strict=True)) == []
    assert "'minLength' is not permitted" in " ".join(schema_faults(schema, strict=True, fine_tuned=True))


_INPUT: list[tuple[Any, str]] = [
    (None, ": Field required"),
    ({"properties": {}}, ".type: Field required"),
    ({"type": "array"}, ".type: Input should be 'object'"),
    (LOOSE | {"anyOf": [LOOSE]}, ": input_schema does not support oneOf, allOf, or anyOf at the top level"),
    ({"type": "object", "properties": {"a b": {}}}, "Property keys should match pattern '^[a-zA-Z0-9_.-]{1,64}$'"),
    ({"type": "object", "properties": {"x": {"exclusiveMinimum": True}}}, "It must match JSON Schema draft 2020-12"),
    ({"type": "object", "properties": {"x": {"$ref": "#/$defs/X"}}}, "It must match JSON Schema draft 2020-12"),
]
_FORMAT: list[tuple[Any, str]] = [
    (None, "Field required"),
    (LOOSE, "For 'object' type, 'additionalProperties' must be explicitly set to false"),
    (_of(_TEXT, additionalProperties=True), "'additionalProperties: true' is not supported. Please set"),
    (_of(_TEXT, additionalProperties=_TEXT), "'additionalProperties: object' is not supported. Please set"),
    (_of(_TEXT, minProperties=1), "For 'object' type, property 'minProperties' is not supported"),
    (_of({"type": "integer", "minimum": 0}), "For 'integer' type, property 'minimum' is not supported"),
    (
        _of({"type": "number", "minimum": 0, "maximum": 1}),
        "For 'number' type, properties maximum, minimum are not supported",
    ),
    (
        _of(_TEXT | {"minLength": 0, "maxLength": 1}),
        "For 'string' type, properties minLength, maxLength are not supported",
    ),
    (
        _of({"type": "array", "items": _TEXT, "minItems": 2}),
        "For 'array' type, 'minItems' values other than 0 or 1 are not supported (got: [2])",
    ),
    (_of({"type": "array", "items": _TEXT, "maxItems": 2}), "For 'array' type, property 'maxItems' is not supported"),
    (_of({"oneOf": [_TEXT]}), "Schema type 'oneOf' is not supported"),
    (
        _of({"type": ["string", "null"], "enum": ["a", None]}),
        "Invalid schema: Enum value 'a' does not match declared type '[\"string\",\"null\"]'",
    ),
    (_of(_TEXT | {"enum": [1]}), "Invalid schema: Enum value '1' does not match declared type 'string'"),
    (_of(_TEXT | {"format": "regex"}), "Invalid schema: Unsupported format 'regex'."),
    (_of(_TEXT | {"pattern": r"\bx"}), "Unsupported regex feature in pattern field"),
    (_wide(25) | {"required": []}, "Schemas contains too many optional parameters (25)"),
    (_wide(17, type=["string", "null"]), "too many parameters with union types (17 parameters with type arrays"),
    (_NODE, "Circular reference detected in schema definitions: Node -> Node."),
]


@pytest.mark.parametrize(("schema", "words"), _INPUT)
def test_anthropic_refuses_in_the_schema_of_a_tool(schema: Any, words: str) -> None:
    assert words in " ".join(input_schema_faults(schema))


@pytest.mark.parametrize(
    "schema",
    [
        LOOSE,
        {"type": "object"},
        {"type": "object", "properties": {"x": {"anyOf": [_TEXT], "minimum": 0}}, "definitions": {"X": _TEXT}},
        _NODE,
    ],
)
def test_anthropic_takes_the_schema_of_a_tool(schema: JsonSchema) -> None:
    assert list(input_schema_faults(schema)) == []


@pytest.mark.parametrize(("schema", "words"), _FORMAT)
def test_anthropic_refuses_in_the_schema_of_an_answer(schema: Any, words: str) -> None:
    assert words in " ".join(format_faults(schema))


@pytest.mark.parametrize(
    "schema",
    [
        SCHEMA,
        _wide(24) | {"required": []},
        _wide(16, type=["string", "null"]),
        _of(_TEXT | {"enum": ["a"], "default": "a", "description": "x", "title": "X", "pattern": "^x$"}),
        _of({"type": "array", "items": {"$ref": "#/$defs/X"}, "minItems": 1}, **{"$defs": {"X": SCHEMA}}),
        _of({"anyOf": [_TEXT | {"format": "date"}, {"type": "null"}]}),
    ],
)
def test_anthropic_takes_the_schema_of_an_answer(schema: JsonSchema) -> None:
    assert list(format_faults(schema)) == []


def _generators(module: ModuleType) -> list[Any]:
    return [found for found in vars(module).values() if inspect.isgeneratorfunction(found)]


def test_there_is_a_case_for_every_complaint() -> None:
    def run() -> None:
        for schema, _ in _STRICT:
            list(schema_faults(schema, strict=True, fine_tuned=True))
        for schema, _ in _LOOSE:
            list(schema_faults(schema, strict=False))
        for schema, _ in _INPUT:
            list(input_schema_faults(schema))
        for schema, _ in _FORMAT:
            list(format_faults(schema))

    assert unheard(_generators(openai_schema) + _generators(anthropic_schema), run) == []
