"""What each keyword of JSON Schema (2020-12) takes.

Knows nothing of tools, and nothing of what a provider takes beyond that.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

TYPES: Final = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})

ONE_SCHEMA: Final = frozenset(
    {
        *("additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then"),
        *("unevaluatedItems", "unevaluatedProperties"),
    }
)
"""Keywords whose value is a schema."""

SCHEMAS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
"""Keywords whose value is a list of schemas, with at least one."""

SCHEMAS_BY_NAME: Final = frozenset(
    {"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"},
)
"""Keywords whose value has schemas by name."""

REFERENCES: Final = frozenset({"$dynamicRef", "$ref"})

STANDING_ALONE: Final = frozenset({"additionalProperties", "items", "properties"})
"""Keywords whose schemas say all that there is of a value. Those of others may add to what is said around them."""


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not is_not_finite(value)


def _is_count(value: Any) -> bool:
    return _is_number(value) and value >= 0 and value == int(value)


def _is_above_0(value: Any) -> bool:
    return _is_number(value) and value > 0


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _has_values(value: Any) -> bool:
    return isinstance(value, list) and bool(value)


def _is_names_by_name(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(names, list) and all(map(_is_text, names)) and len(set(names)) == len(names)
        for names in value.values()
    )


def _is_truth_by_name(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_truth, value.values()))


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and "#" not in value.removesuffix("#")


def _is_anchor(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z_][-A-Za-z0-9._]*", value) is not None


Takes = Callable[[Any], bool]

VALUES: Final[Mapping[str, tuple[Takes, str]]] = {
    **dict.fromkeys(("$comment", "$schema", "contentEncoding", "contentMediaType"), (_is_text, "a text")),
    **dict.fromkeys(("description", "format", "pattern", "title"), (_is_text, "a text")),
    **dict.fromkeys(("deprecated", "readOnly", "uniqueItems", "writeOnly"), (_is_truth, "true or false")),
    **dict.fromkeys(("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum"), (_is_number, "a number")),
    **dict.fromkeys(("maxContains", "maxItems", "maxLength", "maxProperties"), (_is_count, "a number from 0 on")),
    **dict.fromkeys(("minContains", "minItems", "minLength", "minProperties"), (_is_count, "a number from 0 on")),
    "multipleOf": (_is_above_0, "a number above 0"),
    "enum": (_has_values, "a list of values"),
    "examples": (_is_list, "a list"),
    "dependentRequired": (_is_names_by_name, "lists of names"),
    "$vocabulary": (_is_truth_by_name, "a list of vocabularies"),
    "$id": (_is_id, "an address"),
    "$anchor": (_is_anchor, "a name"),
    "$dynamicAnchor": (_is_anchor, "a name"),
}
"""Keywords whose value is no schema: whether it is of their form, and the words for that form."""


def kind_of(value: Any) -> str:
    """Return what a value is, as messages say it."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return "a text"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case _:
            return "an object"


def finite(value: Any) -> Any:
    """Return a value without the numbers in it that JSON does not have."""
    match value:
        case dict():
            return {key: finite(item) for key, item in value.items() if not is_not_finite(item)}
        case list():
            return [finite(item) for item in value if not is_not_finite(item)]
        case _:
            return value


def is_not_finite(value: Any) -> bool:
    """Return whether a value is a number that JSON does not have."""
    return isinstance(value, float) and not math.isfinite(value)
