"""The words of JSON Schema: keywords, which of their values make sense, types."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection
from functools import cache
from typing import Any, Final

JsonSchema = dict[str, Any]

COMBINATORS: Final = ("allOf", "anyOf", "oneOf")
WORDS: Final = frozenset({"title", "description", "default", "examples", "deprecated", "nullable"})
"""What says nothing of the values, but for what is known of them beside."""
_OF_TYPE: Final[dict[str, frozenset[str]]] = {
    "object": frozenset(
        {
            *("properties", "required", "additionalProperties", "patternProperties", "propertyNames", "minProperties"),
            *("maxProperties", "dependentRequired", "dependentSchemas", "unevaluatedProperties"),
        }
    ),
    "array": frozenset(
        {
            *("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains"),
            "unevaluatedItems",
        }
    ),
    "string": frozenset({"minLength", "maxLength", "pattern", "format"}),
    "number": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}),
}
"""Keywords that are about values of one type alone."""

_NAMES: Final = {
    **{name: name for name in ("object", "array", "string", "number", "integer", "boolean", "null")},
    "str": "string",
    "text": "string",
    "int": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "bool": "boolean",
    "dict": "object",
    "map": "object",
    "list": "array",
}
_OF_VALUES: Final = {
    bool: "boolean",
    str: "string",
    int: "integer",
    float: "number",
    type(None): "null",
    dict: "object",
    list: "array",
}
_HINTS: Final = (
    (
        "object",
        ("properties", "patternProperties", "additionalProperties", "minProperties", "maxProperties", "required"),
    ),
    ("array", ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains")),
    ("string", ("minLength", "maxLength", "pattern", "format")),
    ("number", ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")),
)


def is_sound(key: str, value: Any) -> bool:
    """Return whether a value of a keyword is one that it can have."""
    check = _SOUND.get(key)
    return check is None or check(value)


def without_foreign(node: JsonSchema) -> JsonSchema:
    """Return a schema without keywords that are about other types than its own."""
    kinds = node.get("type", ())
    foreign = _foreign_to((kinds,) if isinstance(kinds, str) else tuple(kinds)) if kinds else frozenset()
    if foreign.isdisjoint(node):
        return node
    return {key: value for key, value in node.items() if key not in foreign}


@cache
def _foreign_to(kinds: tuple[str, ...]) -> frozenset[str]:
    own = {"number" if kind == "integer" else kind for kind in kinds}
    return frozenset(key for kind, keys in _OF_TYPE.items() if kind not in own for key in keys)


def json_key(value: Any) -> str:
    """Return a text that is the same for the same value; in JSON 1 is not true."""
    return json.dumps(value, sort_keys=True, default=str)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_SOUND: Final[dict[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(("title", "description", "format", "pattern"), _is_text),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), _is_count),
    **dict.fromkeys(("minContains", "maxContains"), _is_count),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
    "multipleOf": lambda value: _is_number(value) and value > 0,
    "uniqueItems": lambda value: value is True,
    "deprecated": lambda value: value is True,
    "examples": lambda value: isinstance(value, list) and bool(value),
    "dependentRequired": lambda _: False,  # read with what older drafts have for it
}


def known_types(given: Any) -> list[str]:
    """Return the types that a schema names.

    Some write the names of a programming language.
    """
    if isinstance(given, str) and given in _NAMES:
        return [_NAMES[given]]
    names = [name.lower() for name in (given if isinstance(given, list) else [given]) if isinstance(name, str)]
    types = list(dict.fromkeys(_NAMES[name] for name in names if name in _NAMES))
    return [name for name in types if name != "integer" or "number" not in types]


def type_of(value: Any, types: Collection[str] = ()) -> str:
    """Return the type of a value: one of those that are given, if any, or none."""
    own = _OF_VALUES.get(type(value), "string")
    if not types or own in types:
        return own
    if own == "integer" and "number" in types:
        return "number"
    return "integer" if own == "number" and "integer" in types and float(value).is_integer() else ""


def guessed_types(node: JsonSchema) -> list[str]:
    """Return the type that other keywords are about, in a list; empty for none."""
    if any(key in node for key in COMBINATORS):
        return ["object"] if isinstance(node.get("properties"), dict) else []
    return [kind for kind, hints in _HINTS if any(hint in node for hint in hints)][:1]
