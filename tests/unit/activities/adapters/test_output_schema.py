"""Schemas for strict modes: what fits them fits the original, and what cannot be strict is left alone."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field, JsonValue

from sostenuto.activities.adapters.providers.output_schema import is_recursive, schema_instructions, strict_schema
from sostenuto.contracts.model import OutputSchema


class _Street(BaseModel):
    name: str = Field(description="Of the street")
    number: int | None = None


class _Place(BaseModel):
    streets: list[_Street] = []
    size: Literal["small", "large"] = "small"
    main: _Street = _Street(name="High Street")
    either: int | _Street


class _Node(BaseModel):
    children: list[_Node]


def _objects(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [found for item in schema for found in _objects(item)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if schema.get("type") == "object" else []
    return own + [found for value in schema.values() for found in _objects(value)]


def test_every_object_is_closed_and_every_property_required() -> None:
    strict = strict_schema(_Place.model_json_schema())
    assert strict
    objects = _objects(strict)
    assert len(objects) == 2
    for found in objects:
        assert found["additionalProperties"] is False
        assert found["required"] == list(found["properties"])
    assert strict["properties"]["main"] == {"$ref": "#/$defs/_Street"}, "strict modes take nothing beside a reference"


def test_a_default_is_told_in_words() -> None:
    strict = strict_schema(_Place.model_json_schema())
    assert strict
    assert strict["properties"]["size"]["description"] == 'Default: "small"'
    assert "default" not in strict["properties"]["size"]


def test_what_fits_the_strict_schema_fits_the_original() -> None:
    original = _Place.model_json_schema()
    strict = strict_schema(original)
    assert strict
    value: dict[str, Any] = {
        "streets": [{"name": "A", "number": None}],
        "size": "large",
        "main": {"name": "B", "number": 3},
    }
    value["either"] = {"name": "C", "number": None}
    Draft202012Validator(strict).validate(value)
    Draft202012Validator(original).validate(value)
    assert not Draft202012Validator(strict).is_valid({"either": 1})


class _FreeKeys(BaseModel):
    counts: dict[str, int]


class _Anything(BaseModel):
    value: JsonValue


class _Pair(BaseModel):
    pair: tuple[int, str]


@pytest.mark.parametrize(
    "schema",
    [
        _FreeKeys.model_json_schema(),
        _Anything.model_json_schema(),
        _Pair.model_json_schema(),
        {"type": "object", "additionalProperties": True, "properties": {"a": {"type": "string"}}},
        {"type": "object", "properties": {"a": {"type": ["object", "null"]}}},
        {"type": "object", "properties": {"a": {"type": "string", "not": {"const": "x"}}}},
        {"type": "object", "properties": {"a": {"type": "array"}}},
    ],
)
def test_what_cannot_be_strict_is_said_to_be_so(schema: dict[str, Any]) -> None:
    assert strict_schema(schema) is None


def test_the_original_is_left_as_it_was() -> None:
    original = _Place.model_json_schema()
    strict_schema(original)
    assert original == _Place.model_json_schema()


def test_recursion_is_seen() -> None:
    assert is_recursive(_Node.model_json_schema())
    assert not is_recursive(_Place.model_json_schema())
    assert not is_recursive({"type": "object"})


def test_the_words_hold_the_schema() -> None:
    output = OutputSchema(name="Free", json_schema=_FreeKeys.model_json_schema())
    assert '"additionalProperties":{"type":"integer"}' in schema_instructions(output)
