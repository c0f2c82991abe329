"""What OpenAI's endpoints refuse in a JSON schema, of tools and of answers.

Sources: the guide to structured outputs (platform.openai.com/docs/guides/structured-outputs), and the words of errors
as they stand in vercel/ai#6484, kevinwatt/mysql-mcp#5, dottxt-ai/outlines#844 and microsoft/semantic-kernel#10610 on
GitHub.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Where = tuple[str, ...]

_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
_NOT_PERMITTED = (
    *("oneOf", "allOf", "if", "then", "else", "uniqueItems", "propertyNames", "minProperties"),
    *("maxProperties", "contains", "minContains", "maxContains", "patternProperties", "unevaluatedProperties"),
    *("unevaluatedItems", "dependentRequired", "dependentSchemas", "prefixItems"),
)
# Of models from the time when strict schemas came, and of what was fine-tuned from them.
_FINE_TUNED = (
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minimum",
    "maximum",
    "multipleOf",
    "minItems",
    "maxItems",
)
_AT_ROOT = ("oneOf", "anyOf", "allOf", "enum", "not")
_TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
_DEPTH = 10
_PROPERTIES = 5_000
_ENUM_VALUES = 1_000
_ENUM_CHARS = 15_000
_STRING_CHARS = 120_000


def schema_faults(schema: Any, *, strict: bool, fine_tuned: bool = False) -> Iterator[str]:
    """Find what is refused in a schema, in the endpoint's words without their beginning."""
    if schema in (None, {}):
        return
    kind = schema.get("type") if isinstance(schema, dict) else None
    if kind != "object":
        yield f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'."
        return
    for key in _AT_ROOT:
        # Of the others strict mode says that they are not permitted anywhere.
        if key in schema and not (strict and key in _NOT_PERMITTED):
            found = "'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level"
            yield f"schema must have type 'object' and not have {found}. Found '{key}'."
    if not strict and "properties" not in schema:
        yield "In context=(), object schema missing properties."
    yield from _node(schema, (), strict=strict, fine_tuned=fine_tuned)
    if strict:
        yield from _limits(schema)


def _node(schema: Any, where: Where, *, strict: bool, fine_tuned: bool) -> Iterator[str]:
    if isinstance(schema, bool) and not strict:
        return
    if not isinstance(schema, dict):
        yield f"In context={where!r}, {schema!r} is not of type 'object', 'boolean'."
        return
    yield from _always(schema, where)
    if strict:
        yield from _strict(schema, where, fine_tuned=fine_tuned)
    for key in ("properties", "$defs", "definitions"):
        for name, sub in (schema.get(key) or {}).items():
            yield from _node(sub, (*where, key, name), strict=strict, fine_tuned=fine_tuned)
    for key in ("anyOf", "oneOf", "allOf"):
        for index, sub in enumerate(schema.get(key) or ()):
            yield from _node(sub, (*where, key, str(index)), strict=strict, fine_tuned=fine_tuned)
    if "items" in schema:
        yield from _node(schema["items"], (*where, "items"), strict=strict, fine_tuned=fine_tuned)
    if isinstance(schema.get("additionalProperties"), dict):
        within = (*where, "additionalProperties")
        yield from _node(schema["additionalProperties"], within, strict=False, fine_tuned=fine_tuned)


def _always(schema: dict[str, Any], where: Where) -> Iterator[str]:
    kinds = schema.get("type", [])
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        if kind not in _TYPES:
            yield f"In context={where!r}, {kind!r} is not valid under any of the given schemas."
    if "array" in kinds and "items" not in schema:
        yield f"In context={where!r}, array schema missing items."
    required = schema.get("required", [])
    if not isinstance(required, list):
        yield f"In context={where!r}, {required!r} is not of type 'array'."
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and re.search(r"\(\?<?[=!]", pattern):
        path = "".join(f".{part}" for part in where)
        yield f"Invalid JSON schema: regex lookaround is not supported. Found at ${path}.pattern"


def _strict(schema: dict[str, Any], where: Where, *, fine_tuned: bool) -> Iterator[str]:
    if "$ref" in schema:
        if beside := sorted(schema.keys() - {"$ref"} - ({"$defs"} if not where else set())):
            yield f"context={where!r}, $ref cannot have keywords {set(beside)!r}."
        return
    if "not" in schema:
        yield f"In context={where!r}, Unsupported keywords ('not',)."
    for key in (*_NOT_PERMITTED, *(_FINE_TUNED if fine_tuned else ())):
        if key in schema:
            yield f"In context={where!r}, '{key}' is not permitted."
    if schema.get("format", "date") not in _FORMATS:
        yield f"In context={where!r}, '{schema['format']}' is not a valid format."
    if "type" not in schema and "anyOf" not in schema:
        yield f"In context={where!r}, schema must have a 'type' key."
    if "object" in schema.get("type", ""):
        yield from _closed(schema, where)


def _closed(schema: dict[str, Any], where: Where) -> Iterator[str]:
    if schema.get("additionalProperties") is not False:
        yield f"In context={where!r}, 'additionalProperties' is required to be supplied and to be false."
    names, required = list(schema.get("properties") or {}), schema.get("required") or []
    every = "'required' is required to be supplied and to be an array including every key in properties."
    if missing := [name for name in names if name not in required]:
        yield f"In context={where!r}, {every} Missing '{missing[0]}'."
    if extra := [name for name in required if name not in names]:
        yield f"In context={where!r}, {every} Extra required key '{extra[0]}' supplied."


def _limits(schema: dict[str, Any]) -> Iterator[str]:
    depth, properties, values, chars = _measured(schema)
    if depth > _DEPTH:
        yield f"{depth} levels of nesting exceeds limit of {_DEPTH}."
    if properties > _PROPERTIES:
        yield f"{properties} parameters exceeds limit of {_PROPERTIES}."
    if values > _ENUM_VALUES:
        yield f"{values} enum values exceeds limit of {_ENUM_VALUES}."
    if chars > _STRING_CHARS:
        yield f"{chars} characters of names and values exceeds limit of {_STRING_CHARS}."
    for enum in _enums(schema):
        length = sum(len(value) for value in enum if isinstance(value, str))
        if len(enum) > 250 and length > _ENUM_CHARS:
            yield f"{length} characters of enum values exceeds limit of {_ENUM_CHARS}."


def _measured(schema: Any) -> tuple[int, int, int, int]:
    """Return levels of objects, properties, enum values, and characters of names and values."""
    if not isinstance(schema, dict):
        return 0, 0, 0, 0
    named = [(schema.get(key) or {}) for key in ("properties", "$defs", "definitions")]
    below = [_measured(sub) for group in named for sub in group.values()]
    below += [_measured(sub) for key in ("anyOf", "oneOf", "allOf") for sub in schema.get(key) or ()]
    below += [_measured(schema.get("items"))]
    enum = schema.get("enum") or []
    texts = [name for group in named for name in group] + [v for v in enum if isinstance(v, str)]
    return (
        max((one[0] for one in below), default=0) + ("object" in schema.get("type", "")),
        sum(one[1] for one in below) + len(schema.get("properties") or {}),
        sum(one[2] for one in below) + len(enum),
        sum(one[3] for one in below) + sum(map(len, texts)),
    )


def _enums(schema: Any) -> Iterator[list[Any]]:
    if isinstance(schema, dict):
        if isinstance(schema.get("enum"), list):
            yield schema["enum"]
        for value in schema.values():
            yield from _enums(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _enums(value)
