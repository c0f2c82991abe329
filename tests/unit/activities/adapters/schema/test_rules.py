"""Each set of rules gets what it takes of each keyword, and words for the rest."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from sostenuto.activities.adapters.providers.schema.fitted import fit_schema
from sostenuto.activities.adapters.providers.schema.rules import RULES, InexpressibleError
from tests.unit.activities.adapters.schema.rule_books import faults

JsonSchema = dict[str, Any]
TEXT = {"type": "string"}
STRICT = [name for name, rules in RULES.items() if rules.strict]
OPEN = [name for name, rules in RULES.items() if not rules.strict]


def _object(**properties: Any) -> JsonSchema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _sent(sub: Any, rules: str, **beside: Any) -> Any:
    """What a required property is sent as."""
    fitted = fit_schema({**_object(a=sub), **beside}, RULES[rules])
    assert faults(rules, fitted.schema) == []
    return fitted.schema["properties"]["a"]


KEYWORDS: dict[str, JsonSchema] = {
    "minLength": {"type": "string", "minLength": 2},
    "maxLength": {"type": "string", "maxLength": 2},
    "pattern": {"type": "string", "pattern": "^[a-z]+$"},
    "minimum": {"type": "integer", "minimum": 1},
    "maximum": {"type": "integer", "maximum": 1},
    "exclusiveMinimum": {"type": "number", "exclusiveMinimum": 1},
    "exclusiveMaximum": {"type": "number", "exclusiveMaximum": 1},
    "multipleOf": {"type": "number", "multipleOf": 5},
    "minItems": {"type": "array", "items": TEXT, "minItems": 2},
    "maxItems": {"type": "array", "items": TEXT, "maxItems": 2},
    "uniqueItems": {"type": "array", "items": TEXT, "uniqueItems": True},
    "contains": {"type": "array", "items": TEXT, "contains": {"enum": ["x"], "type": "string"}},
    "minProperties": {"type": "object", "properties": {"b": TEXT}, "minProperties": 1},
    "maxProperties": {"type": "object", "properties": {"b": TEXT}, "maxProperties": 1},
    "propertyNames": {"type": "object", "properties": {"b": TEXT}, "propertyNames": {"maxLength": 9}},
    "not": {"type": "string", "not": {"enum": ["x"], "type": "string"}},
    "default": {"type": "string", "default": "x"},
}


@pytest.mark.parametrize("keyword", KEYWORDS)
@pytest.mark.parametrize("rules", RULES)
def test_a_keyword_is_sent_or_told(rules: str, keyword: str) -> None:
    sent = _sent(KEYWORDS[keyword], rules)
    told = sent.get("description", "")
    if keyword in RULES[rules].keywords:
        assert keyword in sent
        assert told == ""
    else:
        assert keyword not in sent
        assert told.startswith("Default: " if keyword == "default" else f"{keyword}: ")


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("form", ["date-time", "uuid", "uri", "path", "binary", "password", "json-string"])
def test_a_format_is_sent_or_told(rules: str, form: str) -> None:
    sent = _sent({"type": "string", "format": form}, rules)
    taken = RULES[rules].formats
    if taken is None or form in taken:
        assert sent["format"] == form
    else:
        assert (sent["description"], "format" in sent) == (f'format: "{form}"', False)


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("pattern", ["^(?!x).*$", "(?<=a)b", "(?<!a)b", "[", r"\p{L}+"])
def test_patterns_that_nobody_reads_are_told(rules: str, pattern: str) -> None:
    sent = _sent({"type": "string", "pattern": pattern}, rules)
    assert "pattern" not in sent
    assert sent["description"].startswith("pattern: ")


def test_grammars_get_whole_and_plain_patterns_alone() -> None:
    assert "pattern" in _sent({"type": "string", "pattern": "^[a-z]+$"}, "grammar")
    assert "pattern" not in _sent({"type": "string", "pattern": "[a-z]+"}, "grammar")
    assert "pattern" not in _sent({"type": "string", "pattern": r"^\d+$"}, "grammar")


@pytest.mark.parametrize("rules", ["grammar", "closed-grammar"])
def test_grammars_repeat_nothing_too_often(rules: str) -> None:
    for key, value in (("minLength", 2_000), ("maxLength", 1_991), ("pattern", "^[a-z]{0,5000}$")):
        sent = _sent({"type": "string", key: value}, rules)
        assert (key in sent, sent["description"]) == (False, f"{key}: {json.dumps(value)}")
    for key in ("minItems", "maxItems"):
        assert key not in _sent({"type": "array", "items": TEXT, key: 2_000}, rules)
        assert _sent({"type": "array", "items": TEXT, key: 1_990}, rules)[key] == 1_990
    assert _sent({"type": "string", "maxLength": 1_990}, rules)["maxLength"] == 1_990
    assert "pattern" in _sent({"type": "string", "pattern": "^[a-z]{1,1990}$"}, rules)


@pytest.mark.parametrize("rules", ["grammar", "closed-grammar"])
@pytest.mark.parametrize("key", ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"])
def test_grammars_get_bounds_of_32_bits_alone(rules: str, key: str) -> None:
    for value in (2**31 - 1, -(2**31) + 1):
        assert _sent({"type": "integer", key: value}, rules)[key] == value
    for value in (2**53, -(2**63), 10**30):
        sent = _sent({"type": "integer", key: value}, rules)
        assert (key in sent, sent["description"]) == (False, f"{key}: {value}")


@pytest.mark.parametrize("rules", STRICT)
def test_every_object_of_a_strict_schema_is_closed(rules: str) -> None:
    schema = _object(a={"type": "object", "properties": {"b": TEXT}}, c={"$ref": "#/$defs/D"})
    sent = fit_schema({**schema, "$defs": {"D": {"type": "object", "properties": {"e": TEXT}}}}, RULES[rules]).schema
    for found in (sent, sent["properties"]["a"], sent["$defs"]["D"]):
        assert found["additionalProperties"] is False
        if RULES[rules].all_required:
            assert found["required"] == list(found["properties"])


@pytest.mark.parametrize("rules", STRICT)
@pytest.mark.parametrize(
    "sub",
    [
        {},
        True,
        {"description": "Anything."},
        {"type": "object"},
        {"type": "object", "additionalProperties": TEXT},
        {"type": "object", "properties": {"b": TEXT}, "additionalProperties": True},
        {"type": "object", "patternProperties": {"^x": TEXT}, "additionalProperties": False},
        {"type": ["object", "null"]},
        {"type": "array"},
        {"type": "array", "items": {}},
        {"type": "array", "prefixItems": [TEXT], "items": {"type": "integer"}},
        {"type": "object", "properties": {"b": TEXT}, "if": {"required": ["b"]}, "then": {"required": ["c"]}},
        {"anyOf": [TEXT, {}]},
        {"oneOf": [{"type": "integer"}, {"type": "number"}]},
        {"enum": [{"a": 1}]},
        False,
        {"type": "object", "required": ["c"]},
    ],
)
def test_what_strict_rules_cannot_say_they_do_not_say(rules: str, sub: Any) -> None:
    with pytest.raises(InexpressibleError):
        fit_schema(_object(a=sub), RULES[rules])


@pytest.mark.parametrize("rules", OPEN)
@pytest.mark.parametrize(
    "sub",
    [
        {},
        True,
        {"type": "object"},
        {"type": "array"},
        {"enum": [{"a": 1}]},
        {"type": "object", "required": ["c"]},
    ],
)
def test_what_says_little_is_sent_all_the_same(rules: str, sub: Any) -> None:
    _sent(sub, rules)


def test_several_types_in_each_ones_words() -> None:
    both = {"type": ["string", "integer", "null"], "maxLength": 3}
    assert _sent(both, "plain") == both
    assert _sent(both, "closed-anthropic") == {
        "anyOf": [{"type": "string", "description": "maxLength: 3"}, {"type": "integer"}, {"type": "null"}]
    }
    assert _sent(both, "gemini") == {
        "nullable": True,
        "anyOf": [{"type": "string", "description": "maxLength: 3"}, {"type": "integer"}],
    }
    optional = {"anyOf": [TEXT, {"type": "null"}]}
    assert _sent(optional, "closed") == optional
    assert _sent(optional, "gemini") == {"type": "string", "nullable": True}


def test_choices_in_each_ones_words() -> None:
    assert _sent({"enum": [1, 2]}, "closed") == {"type": "integer", "enum": [1, 2]}
    assert _sent({"enum": [1, 2]}, "gemini") == {"type": "integer", "description": "one of: [1, 2]"}
    assert _sent({"enum": ["a", ""]}, "gemini") == {"type": "string", "description": 'one of: ["a", ""]'}
    assert _sent({"enum": ["a", None]}, "gemini") == {"type": "string", "enum": ["a"], "nullable": True}
    assert _sent({"enum": ["a", None]}, "closed-anthropic") == {
        "anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null", "enum": [None]}]
    }


DEFINED = {"$defs": {"A": _object(b=TEXT)}}
CLOSED_A = {**DEFINED["$defs"]["A"], "additionalProperties": False}


def test_words_beside_a_reference() -> None:
    said = {"$ref": "#/$defs/A", "description": "D."}
    assert _sent(said, "plain", **DEFINED) == said
    assert _sent({"$ref": "#/$defs/A"}, "closed", **DEFINED) == {"$ref": "#/$defs/A"}
    assert _sent(said, "closed", **DEFINED) == {**CLOSED_A, "description": "D."}
    assert _sent(said, "gemini", **DEFINED) == {**DEFINED["$defs"]["A"], "description": "D."}
    recursive = {
        "$defs": {"A": {"type": "object", "properties": {"b": {"type": "array", "items": {"$ref": "#/$defs/A"}}}}}
    }
    assert _sent(said, "closed", **recursive) == {"$ref": "#/$defs/A"}


def test_what_contains_itself() -> None:
    node = {
        "type": "object",
        "properties": {"name": TEXT, "next": {"anyOf": [{"$ref": "#/$defs/N"}, {"type": "null"}]}},
    }
    schema = {**_object(a={"$ref": "#/$defs/N"}), "$defs": {"N": node}}
    for rules in ("plain", "closed", "closed-xai", "grammar", "grammar-fireworks"):
        assert "N" in fit_schema(schema, RULES[rules]).schema["$defs"]
    with pytest.raises(InexpressibleError, match="contains itself"):
        fit_schema(schema, RULES["closed-anthropic"])
    sent = fit_schema(schema, RULES["gemini"]).schema
    text = {"type": "string", "nullable": True, "description": "(an object in JSON, as text)"}
    assert sent["properties"]["a"]["properties"] == {"name": TEXT, "next": text}


def test_what_would_never_end_is_not_strict() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/N"}}}
    with pytest.raises(InexpressibleError, match="no end"):
        fit_schema({**_object(a={"$ref": "#/$defs/N"}), "$defs": {"N": node}}, RULES["closed"])


def test_tuples_in_each_ones_words() -> None:
    pair = {"type": "array", "prefixItems": [TEXT, {"type": "integer"}], "minItems": 2, "maxItems": 2}
    either = {"anyOf": [TEXT, {"type": "integer"}]}
    assert _sent(pair, "plain") == {**pair, "items": {}}
    told = "exactly 2 in this order: string, integer"
    bounded = {"type": "array", "minItems": 2, "maxItems": 2, "items": either, "description": told}
    assert _sent(pair, "gemini") == _sent(pair, "grammar") == bounded
    places = {"item_1": TEXT, "item_2": {"type": "integer"}}
    as_object = {"type": "object", "properties": places, "required": [*places], "additionalProperties": False}
    assert _sent(pair, "closed") == _sent(pair, "closed-anthropic") == as_object
    twice = {"type": "array", "items": [TEXT, TEXT], "additionalItems": False}
    assert _sent(twice, "closed") == {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 2}
    assert _sent(twice, "closed-xai")["required"] == ["item_1", "item_2"]


def test_tools_without_arguments() -> None:
    for schema in ({}, {"type": "object"}, {"type": "object", "properties": {}, "additionalProperties": False}):
        assert fit_schema(schema, RULES["plain"]).schema["properties"] == {}
        assert fit_schema(schema, RULES["gemini"]).schema == {}


@pytest.mark.parametrize("rules", RULES)
def test_the_original_is_left_as_it_was(rules: str) -> None:
    schema = {
        **_object(a={"$ref": "#/definitions/A"}, b={"allOf": [{"$ref": "#/definitions/A"}, {"required": ["c"]}]}),
        "definitions": {
            "A": {"type": "object", "properties": {"$c": {"enum": ["x", "y"]}, "c": TEXT}, "minProperties": 1}
        },
    }
    before = copy.deepcopy(schema)
    first = fit_schema(schema, RULES[rules]).schema
    first["properties"].clear()
    assert schema == before
    assert fit_schema(schema, RULES[rules]).schema["properties"] != {}
