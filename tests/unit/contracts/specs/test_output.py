"""Output types: the schema that a model is held to is an object, whatever the type; validators have names."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, Literal

import pytest
from pydantic import BaseModel, JsonValue

from sostenuto import SpecError
from sostenuto.contracts.model import OutputSchema
from sostenuto.contracts.specs.output import named_validators, output_schema, output_type, unwrapped


class Tree(BaseModel):
    """A tree."""

    name: str
    kids: list[Tree] = []


class Grade(Enum):
    """A grade."""

    GOOD = "good"
    BAD = "bad"


class Opaque:
    """Nothing that JSON could say."""


@dataclass
class Point:
    """A point."""

    x: int


def schema(output: Any) -> OutputSchema:
    """The schema of a type."""
    made = output_schema(output, "here")
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("output", "name", "value"),
    [
        (int, "int", {"type": "integer"}),
        (bool, "bool", {"type": "boolean"}),
        (list[int], "list", {"type": "array", "items": {"type": "integer"}}),
        (Literal["a", "b"], "Literal", {"type": "string", "enum": ["a", "b"]}),
        (Grade, "Grade", {"type": "string", "enum": ["good", "bad"], "title": "Grade", "description": "A grade."}),
        ({"type": "integer", "title": "How many?"}, "How_many_", {"type": "integer", "title": "How many?"}),
        ({"enum": [1, None]}, "output", {"enum": [1, None]}),
    ],
)
def test_what_is_no_object_is_wrapped_into_one(output: Any, name: str, value: dict[str, Any]) -> None:
    assert schema(output) == OutputSchema(
        name=name,
        json_schema={
            "type": "object",
            "properties": {"value": value},
            "required": ["value"],
            "additionalProperties": False,
        },
        wrapped=True,
    )


@pytest.mark.parametrize("output", [Point, dict[str, int], {"type": "object", "title": "Anything"}])
def test_an_object_is_as_it_is(output: Any) -> None:
    made = schema(output)
    assert not made.wrapped
    assert made.json_schema["type"] == "object"
    assert "value" not in made.json_schema.get("properties", {})


@pytest.mark.parametrize("output", [list[Tree], Tree | None, Tree])
def test_definitions_stand_at_the_root_where_references_look_for_them(output: Any) -> None:
    made = schema(output).json_schema
    assert made["$defs"]["Tree"]["properties"]["kids"]["items"] == {"$ref": "#/$defs/Tree"}
    assert "$defs" not in made["properties"]["value"]


def test_definitions_of_an_older_draft_too_and_the_given_schema_stays() -> None:
    given = {"type": "array", "items": {"$ref": "#/definitions/N"}, "definitions": {"N": {"type": "integer"}}}
    made = schema(given).json_schema
    assert made["definitions"] == given["definitions"]
    assert made["properties"]["value"] == {"type": "array", "items": {"$ref": "#/definitions/N"}}
    assert set(given) == {"type", "items", "definitions"}


def test_a_name_that_every_provider_takes() -> None:
    assert schema(dict[str, Any] | None).name.isascii()
    assert len(schema({"type": "object", "title": "x" * 100}).name) == 64
    assert schema({"type": "object", "title": ""}).name == "output"


def test_what_is_ready_passes_as_it_is() -> None:
    ready = schema(int)
    assert output_schema(ready, "here") is ready
    assert output_schema(None, "here") is None


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (Opaque, "here: Opaque has no JSON schema: use a pydantic model or a dataclass"),
        (list[Opaque], "here: list has no JSON schema"),
        ("City", "here: 'City' is not a type: pass one, or a JSON schema as a dict"),
        (print, "here: <built-in function print> is not a type"),
    ],
)
def test_what_has_no_schema(output: Any, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        output_schema(output, "here")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("output", "answer", "value"), [(int, {"value": 3}, 3), (Point, {"x": 1}, {"x": 1}), (int, 3, 3)]
)
def test_the_answer_proper(output: Any, answer: JsonValue, value: JsonValue) -> None:
    assert unwrapped(schema(output), answer) == value


def test_the_type_is_known_where_one_was_given() -> None:
    known = output_type(list[Tree])
    assert known is not None
    assert known.validate_python([{"name": "a"}]) == [Tree(name="a")]
    assert output_type(None) is output_type({"type": "integer"}) is output_type(schema(int)) is None


def short(answer: str) -> str | None:
    """Whether it is short."""
    return "too long" if len(answer) > 5 else None


def test_validators_by_name() -> None:
    assert named_validators([short, "polite"], "here") == {"short": short, "polite": None}
    assert named_validators([], "here") == {}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([short, lambda answer: None], "here[1]: a lambda "),
        ([partial(short)], "is not a validator: pass a function that has a name"),
        ([7], "here[0]: 7 is not a validator"),
        ([""], "here[0]: '' is not a validator"),
        ([short, "short"], "here[1]: there is already a validator named 'short'"),
        ("short", "here: 'short' is not a list: write [...]"),
        (short, "here: the function short"),
    ],
)
def test_wrong_validators(given: Any, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        named_validators(given, "here")
    assert words in str(caught.value)
