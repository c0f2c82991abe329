"""Schemas for strict modes: what fits them fits the original, and what cannot be strict is not."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field, JsonValue

from sostenuto.activities.adapters.providers.schema.fitted import fit_schema
from sostenuto.activities.adapters.providers.schema.rules import RULES, InexpressibleError

CLOSED = RULES["closed"]


class _Street(BaseModel):
    name: str = Field(description="Of the street")
    number: int | None = None


class _Place(BaseModel):
    streets: list[_Street] = []
    size: Literal["small", "large"] = "small"
    main: _Street = _Street(name="High Street")
    either: int | _Street


def _objects(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [found for item in schema for found in _objects(item)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if schema.get("type") == "object" else []
    return own + [found for value in schema.values() for found in _objects(value)]


def test_every_object_is_closed_and_every_property_required() -> None:
    strict = fit_schema(_Place.model_json_schema(), CLOSED).schema
    objects = _objects(strict)
    assert len(objects) == 2
    for found in objects:
        assert found["additionalProperties"] is False
        assert found["required"] == list(found["properties"])
    assert strict["properties"]["main"] == {"$ref": "#/$defs/_Street"}, "strict modes take nothing beside a reference"


def test_a_default_is_told_in_words() -> None:
    size = fit_schema(_Place.model_json_schema(), CLOSED).schema["properties"]["size"]
    assert size["description"] == 'Default: "small"'
    assert "default" not in size


def test_what_fits_the_strict_schema_fits_the_original() -> None:
    original = _Place.model_json_schema()
    strict = fit_schema(original, CLOSED).schema
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


@pytest.mark.parametrize(
    "schema",
    [
        _FreeKeys.model_json_schema(),
        _Anything.model_json_schema(),
        {"type": "object", "additionalProperties": True, "properties": {"a": {"type": "string"}}},
        {"type": "object", "properties": {"a": {"type": ["object", "null"]}}},
        {"type": "object", "properties": {"a": {"type": "array"}}},
    ],
)
def test_what_cannot_be_strict_is_said_to_be_so(schema: dict[str, Any]) -> None:
    with pytest.raises(InexpressibleError):
        fit_schema(schema, CLOSED)


def test_the_original_is_left_as_it_was() -> None:
    original = _Place.model_json_schema()
    fit_schema(original, CLOSED)
    assert original == _Place.model_json_schema()
