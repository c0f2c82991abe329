"""A checker of JSON schemas that fetches nothing, and whose time is limited.

What the library does by Python's own patterns, or by comparing each item with each other one, is done here otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import JsonValue

from ....contracts.errors import SetupError
from .pattern_search import has_pattern


def checker_of(schema: dict[str, JsonValue]) -> Any:
    """Return what checks values by a schema.

    Raises:
        SetupError: The library is not installed.
    """
    from referencing.jsonschema import EMPTY_REGISTRY  # noqa: PLC0415 - the library of the next one

    # Without a registry of ours it would open what a schema refers to.
    return _checker()(schema, registry=EMPTY_REGISTRY)


@cache
def _checker() -> Any:
    try:
        from jsonschema import Draft202012Validator  # noqa: PLC0415 - only for workers that check schemas
        from jsonschema.validators import extend  # noqa: PLC0415
    except ImportError as error:
        raise SetupError(f"schemas need the package jsonschema ({error}): pip install 'sostenuto[worker]'") from None
    own = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "uniqueItems": _unique_items,
    }
    extended: Any = extend
    return extended(Draft202012Validator, own)


def _pattern(_: Any, pattern: str, value: JsonValue, __: JsonValue) -> Iterator[Any]:
    if isinstance(value, str) and not has_pattern(pattern, value):
        yield _fault("pattern")


def _pattern_properties(checker: Any, patterns: dict[str, Any], value: JsonValue, _: JsonValue) -> Iterator[Any]:
    if isinstance(value, dict):
        for pattern, schema in patterns.items():
            for name, item in value.items():
                if has_pattern(pattern, name):
                    yield from checker.descend(item, schema, path=name, schema_path=pattern)


def _additional_properties(checker: Any, wanted: Any, value: JsonValue, schema: dict[str, Any]) -> Iterator[Any]:
    if not isinstance(value, dict):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    others = [
        name for name in value if name not in known and not any(has_pattern(pattern, name) for pattern in patterns)
    ]
    if wanted is False and others:
        yield _fault("additionalProperties")
    elif isinstance(wanted, dict):
        for name in others:
            yield from checker.descend(value[name], wanted, path=name)


def _unique_items(_: Any, wanted: Any, value: JsonValue, __: JsonValue) -> Iterator[Any]:
    if wanted is True and isinstance(value, list):
        written = {json.dumps(_same_if_equal(item), sort_keys=True) for item in value}
        if len(written) < len(value):
            yield _fault("uniqueItems")


def _same_if_equal(value: JsonValue) -> JsonValue:
    """Return a value so that what is equal in JSON is written alike: 1 and 1.0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_same_if_equal(item) for item in value]
    if isinstance(value, dict):
        return {name: _same_if_equal(item) for name, item in value.items()}
    return value


def _fault(keyword: str) -> Exception:
    from jsonschema.exceptions import ValidationError  # noqa: PLC0415 - as above

    fault: Exception = ValidationError(keyword)
    return fault
