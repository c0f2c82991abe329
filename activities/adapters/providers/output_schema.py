"""Turns an agent's output schema into what providers enforce.

Must not validate: the original is checked elsewhere.
"""

from __future__ import annotations

import json
from typing import Any

from ....contracts.model import OutputSchema

# Keywords of which strict modes know nothing, and that change what is valid.
_INEXPRESSIBLE = frozenset(
    {"allOf", "not", "if", "then", "else", "patternProperties", "dependentRequired", "dependentSchemas", "prefixItems"}
)
_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
_NESTED = ("anyOf", "oneOf")


def strict_schema(schema: dict[str, Any]) -> dict[str, Any] | None:
    """Return the schema as strict modes want it; None where it cannot be so.

    Objects are closed, and every property is required.

    An optional property becomes a required one, so the model says every field, null where the type has it. A
    default is told in the description.
    """
    try:
        return _strict(schema)
    except _InexpressibleError:
        return None


def is_recursive(schema: dict[str, Any]) -> bool:
    """Return whether a definition of the schema contains itself."""
    references = {name: _references(definition) for name, definition in schema.get("$defs", {}).items()}
    for name, mentioned in references.items():
        reached: set[str] = set()
        open_names = set(mentioned)
        while open_names:
            reached |= open_names
            open_names = {other for known in open_names for other in references.get(known, ())} - reached
        if name in reached:
            return True
    return False


def schema_instructions(output: OutputSchema) -> str:
    """Ask for the schema in words, for where a provider cannot enforce it."""
    schema = json.dumps(output.json_schema, separators=(",", ":"))
    return f"Answer with nothing but a JSON object that fits this JSON Schema:\n{schema}"


class _InexpressibleError(Exception):
    pass


def _strict(schema: Any) -> dict[str, Any]:
    if not isinstance(schema, dict) or _INEXPRESSIBLE & schema.keys():
        raise _InexpressibleError
    if not {"type", "$ref", "enum", "const", *_NESTED} & schema.keys():
        raise _InexpressibleError  # anything at all: no grammar holds a model to that
    if isinstance(schema.get("type"), list) and {"object", "array"} & set(schema["type"]):
        raise _InexpressibleError
    kept = {"$ref", "$defs"} if "$ref" in schema else schema.keys() - {"default", "discriminator", "examples"}
    strict = {key: value for key, value in schema.items() if key in kept}
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if values and "type" not in schema:
        strict["type"] = _types(values)  # a strict mode asks for it even where the values say it
    if "default" in schema and "$ref" not in schema:
        note = f"Default: {json.dumps(schema['default'])}"
        strict["description"] = f"{strict['description']} {note}" if "description" in strict else note
    for key in _NESTED:
        if key in strict:
            strict["anyOf"] = [_strict(option) for option in strict.pop(key)]
    if "$defs" in strict:
        strict["$defs"] = {name: _strict(definition) for name, definition in strict["$defs"].items()}
    if strict.get("type") == "array":
        strict["items"] = _strict(strict.get("items"))
    return _closed(strict) if strict.get("type") == "object" else strict


def _closed(strict: dict[str, Any]) -> dict[str, Any]:
    properties = strict.get("properties")
    if not properties or strict.get("additionalProperties") not in (None, False):
        raise _InexpressibleError  # a mapping with free keys
    return strict | {
        "properties": {name: _strict(value) for name, value in properties.items()},
        "required": list(properties),
        "additionalProperties": False,
    }


def _types(values: list[Any]) -> str | list[str]:
    found = list(dict.fromkeys(_TYPES[type(value)] for value in values if type(value) in _TYPES))
    return found[0] if len(found) == 1 else found


def _references(schema: Any) -> set[str]:
    """Return the names of the definitions that a schema mentions."""
    if isinstance(schema, list):
        return {name for item in schema for name in _references(item)}
    if not isinstance(schema, dict):
        return set()
    reference = schema.get("$ref")
    found = {reference.rpartition("/")[2]} if isinstance(reference, str) else set()
    return found | {name for value in schema.values() for name in _references(value)}
