"""Reads schemas for a small model, and bounds what it may write.

Without an end in the grammar the model finds none.
"""

from __future__ import annotations

from typing import Any, Final

from ....contracts.model import OutputSchema

_LONGEST_STRING: Final = 160
_MOST_ITEMS: Final = 8
_VALUES: Final = frozenset({"enum", "const", "default"})
_FORMED: Final = frozenset({"enum", "const", "pattern", "format", "maxLength"})


def bounded_output(output: OutputSchema | None) -> OutputSchema | None:
    """Return an output schema with a bound on every string and array that lacks one."""
    return output and output.model_copy(update={"json_schema": bounded_schema(output.json_schema)})


def bounded_schema(schema: Any) -> Any:
    """Return a JSON schema with a bound on every string and array that lacks one."""
    if isinstance(schema, list):
        return [bounded_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: bounded_schema(value) if key not in _VALUES else value for key, value in schema.items()}
    if schema.get("type") == "string" and not _FORMED & schema.keys():
        return {**inner, "maxLength": max(_LONGEST_STRING, schema.get("minLength", 0))}
    if schema.get("type") == "array" and "maxItems" not in schema:
        return {**inner, "maxItems": max(_MOST_ITEMS, schema.get("minItems", 0))}
    return inner


def properties(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an object's schema."""
    found: dict[str, Any] = schema.get("properties", {})
    return found


def resolved(field: Any, root: dict[str, Any]) -> dict[str, Any]:
    """Return a field's schema, with its reference followed."""
    if not isinstance(field, dict):
        return {}
    name = str(field.get("$ref", "")).rpartition("/")[2]
    return resolved(root.get("$defs", {}).get(name), root) if name else field


def is_choice(field: dict[str, Any]) -> bool:
    """Return whether a field takes one of several listed texts."""
    values = field.get("enum", ())
    return len(values) > 1 and all(isinstance(value, str) for value in values)
