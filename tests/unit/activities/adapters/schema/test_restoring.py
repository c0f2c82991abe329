"""What a model writes comes back in the original's form, and goes out in the model's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sostenuto.activities.adapters.providers.schema.fitted import fit_schema
from sostenuto.activities.adapters.providers.schema.restoring import FittedSchema
from sostenuto.activities.adapters.providers.schema.rules import RULES

JsonSchema = dict[str, Any]
TEXT = {"type": "string"}


def _object(**properties: Any) -> JsonSchema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _fitted(schema: JsonSchema, rules: str = "plain") -> FittedSchema:
    return fit_schema(schema, RULES[rules])


ODD: JsonSchema = {
    "type": "object",
    "properties": {"$top": {"type": "integer"}, "filter[id]": TEXT, "top": TEXT, "x" * 70: {}},
}


def test_names_that_are_refused_are_replaced_there_and_back() -> None:
    fitted = _fitted(ODD)
    assert list(fitted.schema["properties"]) == ["top_2", "filter_id", "top", "x" * 56]
    own = {"$top": 3, "filter[id]": "a", "top": "b", "x" * 70: [1]}
    sent = fitted.renamed(own)
    assert sent == {"top_2": 3, "filter_id": "a", "top": "b", "x" * 56: [1]}
    assert fitted.restored(sent) == own
    assert fitted.schema["properties"]["top_2"]["description"] == "the property '$top'"


def test_without_a_difference_there_is_nothing_to_restore() -> None:
    fitted = _fitted(_object(name=TEXT, of={"$ref": "#/$defs/A"}) | {"$defs": {"A": _object(b=TEXT)}})
    assert fitted.restoring is None
    value = {"name": "a"}
    assert fitted.restored(value) is value


NODE = {"type": "object", "properties": {"@id": TEXT, "next": {"$ref": "#/$defs/Node"}}}
PLACES: dict[str, tuple[JsonSchema, Any]] = {
    "a definition that contains itself": (
        {"type": "object", "properties": {"n": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": NODE}},
        {"n": {"@id": "a", "next": {"@id": "b", "next": {}}}},
    ),
    "the root that contains itself": (
        {"type": "object", "properties": {"@id": TEXT, "next": {"$ref": "#"}}},
        {"@id": "a", "next": {"@id": "b"}},
    ),
    "a list": (_object(a={"type": "array", "items": ODD}), {"a": [{"$top": 1}, {"top": "x"}]}),
    "a tuple": (_object(a={"type": "array", "prefixItems": [TEXT, ODD]}), {"a": ["x", {"$top": 1}]}),
    "a map": (
        {"type": "object", "properties": {"@a": TEXT}, "additionalProperties": ODD},
        {"@a": "$top", "$top": {"$top": 1}},
    ),
    "a map by a pattern": ({"type": "object", "patternProperties": {"^p": ODD}}, {"p": {"$top": 1}}),
    "one of several": (_object(a={"anyOf": [TEXT, ODD, _object(**{"@x": TEXT})]}), {"a": {"@x": "y"}}),
    "all of several": (_object(a={"allOf": [ODD, _object(**{"@x": TEXT})]}), {"a": {"@x": "y", "$top": 1}}),
    "a condition": (
        {"type": "object", "properties": {"@a": TEXT}, "if": {"required": ["@a"]}, "then": {"properties": {"b": ODD}}},
        {"@a": "x", "b": {"$top": 2}},
    ),
    "an optional model": (_object(a={"anyOf": [ODD, {"type": "null"}]}), {"a": {"$top": 5}}),
}


@pytest.mark.parametrize("rules", ["plain", "gemini", "grammar", "grammar-fireworks"])
@pytest.mark.parametrize("place", PLACES)
def test_names_come_back_wherever_they_stand(place: str, rules: str) -> None:
    schema, own = PLACES[place]
    fitted = _fitted(schema, rules)
    sent = fitted.renamed(own)
    assert fitted.restored(sent) == own
    if rules == "plain":
        assert "@" not in json.dumps(sent).replace("$top", "").replace('"@a"', "")
        assert sent != own


def test_of_what_is_required_and_needed_the_names_are_replaced_too() -> None:
    schema = {**ODD, "required": ["$top", "@new"], "dependentRequired": {"$top": ["filter[id]"]}}
    fitted = _fitted(schema).schema
    assert fitted["required"] == ["top_2", "new"]
    assert fitted["dependentRequired"] == {"top_2": ["filter_id"]}
    assert fitted["properties"]["new"] == {"description": "the property '@new'"}


@pytest.mark.parametrize("own", [None, 5, "5", "text", '{"a": 1}', True, [1, "2"], {"a": {"b": [None]}}, {}])
def test_anything_goes_as_the_text_of_json(own: Any) -> None:
    fitted = _fitted(_object(a={}), "gemini")
    sent = fitted.renamed({"a": own})
    assert sent == {"a": json.dumps(own)}
    assert fitted.restored(sent) == {"a": own}


@pytest.mark.parametrize("said", ["no JSON", "{", "NaN", "[" * 5_000, "[" * 150 + "]" * 150])
def test_what_is_no_json_stays_as_it_was_written(said: str) -> None:
    fitted = _fitted(_object(a={}, b={"type": "object"}), "gemini")
    assert fitted.restored({"a": said, "b": said}) == {"a": said, "b": said}


def test_an_object_that_is_a_text_is_read_only_as_an_object() -> None:
    fitted = _fitted(_object(a={"anyOf": [TEXT, {"type": "object"}]}), "gemini")
    assert fitted.restored({"a": '{"b": 1}'}) == {"a": {"b": 1}}
    assert fitted.restored({"a": "[1]"}) == {"a": "[1]"}
    assert fitted.restored({"a": {"b": 1}}) == {"a": {"b": 1}}, "a model may write it as it is"


def test_tuples_go_as_objects_and_come_back_as_lists() -> None:
    odd = {"type": "object", "properties": {"$top": TEXT}, "required": ["$top"]}
    pair = {"type": "array", "prefixItems": [TEXT, odd], "items": False, "minItems": 2}
    for rules in ("closed", "closed-anthropic"):
        fitted = _fitted(_object(a=pair, b={"type": "array", "items": pair}), rules)
        own = {"a": ["x", {"$top": "y"}], "b": [["z", {"$top": "w"}]]}
        sent = {"a": {"item_1": "x", "item_2": {"top": "y"}}, "b": [{"item_1": "z", "item_2": {"top": "w"}}]}
        assert fitted.renamed(own) == sent
        assert fitted.restored(sent) == own


def test_two_tuples_of_a_length_are_told_together() -> None:
    def pair(one: JsonSchema, other: JsonSchema) -> JsonSchema:
        return {"type": "array", "prefixItems": [one, other], "items": False, "minItems": 2}

    odd = _object(**{"@x": TEXT})
    fitted = _fitted(_object(a={"anyOf": [pair(TEXT, TEXT | {"maxLength": 1}), pair(TEXT, odd)]}), "closed")
    own = {"a": ["x", {"@x": "y"}]}
    assert fitted.restored(fitted.renamed(own)) == own


def test_a_root_that_is_no_object_is_wrapped_and_unwrapped() -> None:
    schema = {"oneOf": [_object(k={"const": "a"}, **{"@x": TEXT}), _object(k={"const": "b"})]}
    fitted = _fitted(schema, "closed")
    sent = {"value": {"k": "a", "x": "y"}}
    assert fitted.restored(sent) == {"k": "a", "@x": "y"}
    assert fitted.renamed({"k": "a", "@x": "y"}) == sent
    assert fitted.restored({"k": "b"}) == {"k": "b"}


def test_free_arguments_go_as_the_text_of_json() -> None:
    fitted = _fitted({"type": "object", "additionalProperties": TEXT}, "gemini")
    assert fitted.renamed({"a": "b"}) == {"value": '{"a": "b"}'}
    assert fitted.restored({"value": '{"a": "b"}'}) == {"a": "b"}
