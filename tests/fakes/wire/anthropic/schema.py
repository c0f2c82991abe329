"""What Anthropic's endpoint refuses in a JSON schema, of tools and of answers.

Sources: platform.claude.com/docs/en/build-with-claude/structured-outputs, and the words of errors as they stand in
anthropics/claude-code#5973 and #63673, veryfront/veryfront-code#3918 and ghostlobster/memorize-everything#93 on GitHub.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

_PROPERTY = re.compile(r"^[a-zA-Z0-9_.-]{1,64}\Z")
_FORMATS = ("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid")
_OF_TYPE = {
    "object": ("propertyNames", "patternProperties", "minProperties", "maxProperties", "dependentRequired"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength"),
    "array": ("maxItems", "uniqueItems", "contains", "prefixItems"),
}
_PYTHON: dict[str, type | tuple[type, ...]] = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
_OPTIONAL = 24
_UNIONS = 16


def input_schema_faults(schema: Any) -> Iterator[str]:
    """Find what is refused in the schema of a tool that is not strict, in the endpoint's words after the path."""
    if not isinstance(schema, dict):
        yield ": Field required"
        return
    if schema.get("type") != "object":
        yield ".type: Field required" if "type" not in schema else ".type: Input should be 'object'"
    if any(key in schema for key in ("oneOf", "allOf", "anyOf")):
        yield ": input_schema does not support oneOf, allOf, or anyOf at the top level"
    if any(not _PROPERTY.match(name) for name in schema.get("properties") or {}):
        yield ".properties: Property keys should match pattern '^[a-zA-Z0-9_.-]{1,64}$'"
    try:
        Draft202012Validator.check_schema(schema)
        lost = any(True for _ in _lost_references(schema, schema))
    except SchemaError:
        lost = True
    if lost:
        learn = "Learn more about tool use at https://docs.claude.com/en/docs/tool-use."
        draft = "It must match JSON Schema draft 2020-12 (https://json-schema.org/draft/2020-12)."
        yield f": JSON schema is invalid. {draft} {learn}"


def format_faults(schema: Any) -> Iterator[str]:
    """Find what is refused in the schema of an answer, in the endpoint's words."""
    if not isinstance(schema, dict):
        yield "Field required"
        return
    optional, unions = 0, 0
    for node in _nodes(schema):
        yield from _node_faults(node)
        optional += len(node.get("properties") or {}) - len(node.get("required") or ())
        unions += "anyOf" in node or isinstance(node.get("type"), list)
    if optional > _OPTIONAL:
        costs = "which would make grammar compilation inefficient."
        advice = f"Reduce the number of optional parameters in your tool schemas (limit: {_OPTIONAL})."
        yield f"Schemas contains too many optional parameters ({optional}), {costs} {advice}"
    if unions > _UNIONS:
        costs = "This causes exponential compilation cost."
        advice = f"Reduce the number of nullable or union-typed parameters (limit: {_UNIONS} parameters with unions)."
        many = f"({unions} parameters with type arrays or anyOf)"
        yield f"Schemas contains too many parameters with union types {many}. {costs} {advice}"
    circles = (_circle(schema, name, ()) for name in schema.get("$defs") or {})
    if circle := next(filter(None, circles), None):
        words = "Self-referencing or mutually-referencing definitions are not supported."
        yield f"Circular reference detected in schema definitions: {' -> '.join(circle)}. {words}"


def _node_faults(node: dict[str, Any]) -> Iterator[str]:
    kind = node.get("type")
    if kind == "object":
        yield from _open(node)
    yield from _keywords(node, kind)
    if node.get("minItems", 0) not in (0, 1):
        yield f"For 'array' type, 'minItems' values other than 0 or 1 are not supported (got: [{node['minItems']}])"
    for key in ("oneOf", "not", "if"):
        if key in node:
            yield f"Schema type '{key}' is not supported"
    for value in node.get("enum") or ():
        if isinstance(kind, list) or (kind in _PYTHON and not isinstance(value, _PYTHON[kind])):
            said = kind if isinstance(kind, str) else json.dumps(kind, separators=(",", ":"))
            yield f"Invalid schema: Enum value '{value}' does not match declared type '{said}'"
            break
    if kind == "string" and node.get("format", "date") not in _FORMATS:
        yield f"Invalid schema: Unsupported format '{node['format']}'."
    if re.search(r"\(\?|\\b|\\\d", node.get("pattern", "")):
        yield "Unsupported regex feature in pattern field"


def _open(node: dict[str, Any]) -> Iterator[str]:
    given = node.get("additionalProperties")
    if given is None:
        yield "For 'object' type, 'additionalProperties' must be explicitly set to false"
    elif given is not False:
        said = "true" if given is True else "object"
        advice = "Please set 'additionalProperties' to false"
        yield f"For 'object' type, 'additionalProperties: {said}' is not supported. {advice}"


def _keywords(node: dict[str, Any], kind: Any) -> Iterator[str]:
    found = [key for key in _OF_TYPE.get(kind, ()) if key in node] if isinstance(kind, str) else []
    if len(found) == 1:
        yield f"For '{kind}' type, property '{found[0]}' is not supported"
    elif found:
        told = found if kind == "string" else sorted(found)
        yield f"For '{kind}' type, properties {', '.join(told)} are not supported"


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(schema, dict):
        return
    yield schema
    for key in ("properties", "$defs", "definitions"):
        for sub in (schema.get(key) or {}).values():
            yield from _nodes(sub)
    for key in ("anyOf", "allOf", "oneOf"):
        for sub in schema.get(key) or ():
            yield from _nodes(sub)
    yield from _nodes(schema.get("items"))


def _circle(root: dict[str, Any], name: str, passed: tuple[str, ...]) -> tuple[str, ...]:
    if name in passed:
        return (*passed[passed.index(name) :], name)
    found = dict.fromkeys(node["$ref"].rpartition("/")[2] for node in _nodes(root["$defs"].get(name)) if "$ref" in node)
    return next(filter(None, (_circle(root, other, (*passed, name)) for other in found)), ())


def _lost_references(schema: Any, root: dict[str, Any]) -> Iterator[str]:
    for node in _nodes(schema):
        reference = node.get("$ref", "#")
        place: Any = root
        for step in filter(None, reference.removeprefix("#").split("/")):
            place = place.get(step) if isinstance(place, dict) else None
        if not reference.startswith("#") or place is None:
            yield reference
