"""What of a JSON schema a text does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from pydantic import JsonValue

from ....contracts import limits
from ....contracts.contract import place_text
from ....contracts.errors import SpecError
from ....contracts.guardrails.schema import Schema, parts_of, references_of
from ....contracts.text import shorten
from ..broken import Broken
from .checker import checker_of
from .pattern_search import CHECK_SECONDS, TooSlowError, limited_search, readable_pattern

MOST_FAULTS: Final = 20
"""Most faults of one text that are told."""
_RULE: Final = "schema"
_EXPECTED: Final = {
    "type": "expected: {}",
    "const": "expected: {}",
    "enum": "expected: one of {}",
    "pattern": "expected: a text in which {} is found",
    "minLength": "expected: at least {} characters",
    "maxLength": "expected: at most {} characters",
    "minimum": "expected: {} or more",
    "maximum": "expected: {} or less",
    "exclusiveMinimum": "expected: more than {}",
    "exclusiveMaximum": "expected: less than {}",
    "multipleOf": "expected: a multiple of {}",
    "minItems": "expected: at least {} items",
    "maxItems": "expected: at most {} items",
    "minProperties": "expected: at least {} properties",
    "maxProperties": "expected: at most {} properties",
    "uniqueItems": "expected: items of which no two are equal",
    "not": "expected: something else",
    "anyOf": "expected: one of several forms, and it has none of them",
    "oneOf": "expected: exactly one of several forms",
    "contains": "expected: more, or fewer, items of a certain form",
}
_LONGEST: Final = 200


def schema_faults(given: JsonValue, schema: Schema) -> list[Broken]:
    """Return what does not fit a schema, with its place, up to 20 of them.

    Blocks.

    Args:
        given: A text, which has to be JSON of that schema. Anything else has to fit it as it is.
        schema: The schema.

    Raises:
        SpecError: The schema cannot be followed: it refers to what is not there or to itself without end, or its
            patterns take too long.
        SetupError: A library is not installed.
    """
    value = given
    if isinstance(given, str):
        try:
            value = limits.parsed_json(given)
        except ValueError as error:
            return [Broken(_RULE, str(error))]
    named = _names(schema.json_schema)
    from referencing.exceptions import Unresolvable  # noqa: PLC0415 - only for workers that check schemas

    try:
        with limited_search():
            errors = islice(checker_of(schema.json_schema).iter_errors(value), MOST_FAULTS)
            told = dict.fromkeys(_reason(error, named) for error in errors)
    except TooSlowError as error:
        raise SpecError(
            f"schema: its patterns took more than {CHECK_SECONDS:g} s, the last {shorten(str(error), _LONGEST)!r}: "
            "write them without repetitions inside repetitions, or bound the text by maxLength and maxItems"
        ) from None
    except Unresolvable as error:
        raise SpecError(f"schema: it refers to {error.ref!r}, which is not in it") from None
    except RecursionError:
        raise SpecError("schema: it refers to itself without end") from None
    return [Broken(_RULE, reason) for reason in told]


def check_schema(schema: Schema, where: str) -> None:
    """Check that a schema can be followed.

    Args:
        schema: The schema.
        where: What the error calls it.

    Raises:
        SpecError: It cannot; says where in it, and why.
        SetupError: A library is not installed.
    """
    from jsonschema import FormatChecker  # noqa: PLC0415 - only for workers that check schemas
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415
    from referencing.exceptions import Unresolvable  # noqa: PLC0415
    from referencing.jsonschema import DRAFT202012, EMPTY_REGISTRY  # noqa: PLC0415

    try:
        checker_of(schema.json_schema).check_schema(schema.json_schema, format_checker=FormatChecker(()))
    except SchemaError as error:
        place = place_text(error.absolute_path) or "schema"
        raise SpecError(f"{where}: {place}: it is no JSON schema: {shorten(error.message, _LONGEST)}") from None
    parts = list(parts_of(schema.json_schema))
    for pattern in _patterns(parts):
        try:
            readable_pattern(pattern)
        except ValueError as error:
            raise SpecError(f"{where}: the pattern {pattern!r} cannot be read: {error}") from None
    if any("patternProperties" in part for part in parts) and any("unevaluatedProperties" in part for part in parts):
        raise SpecError(f"{where}: it has patternProperties and unevaluatedProperties: write additionalProperties")
    # One of its parts with an id of its own has references that are its own.
    if any(isinstance(part.get("$id"), str) for part in parts):
        return
    resolver = EMPTY_REGISTRY.with_resource("", DRAFT202012.create_resource(schema.json_schema)).resolver()
    for reference in references_of(schema.json_schema):
        try:
            resolver.lookup(reference)
        except Unresolvable:
            raise SpecError(f"{where}: it refers to {reference!r}, which is not in it") from None


def _patterns(parts: list[dict[str, Any]]) -> list[str]:
    texts = [part["pattern"] for part in parts if isinstance(part.get("pattern"), str)]
    names = [part["patternProperties"] for part in parts if isinstance(part.get("patternProperties"), dict)]
    return [*texts, *(pattern for one in names for pattern in one)]


def _names(schema: JsonValue) -> frozenset[str]:
    """Return the names of properties that a schema has itself.

    All others are of the text.
    """
    known = [part["properties"] for part in parts_of(schema) if isinstance(part.get("properties"), dict)]
    return frozenset(name for one in known if isinstance(one, Mapping) for name in one)


def _reason(error: Any, named: frozenset[str]) -> str:
    """Return what was expected and where, in words that the schema has."""
    from jsonschema.exceptions import best_match  # noqa: PLC0415 - only for workers that check schemas

    best = best_match(iter((error,)))
    steps = [step if isinstance(step, int) or step in named else "*" for step in best.absolute_path]
    where = f"{place_text(steps)}: " if steps else ""
    if "propertyNames" in best.absolute_schema_path:
        where += "the name of a property: "
    return where + _expected(best)


def _expected(error: Any) -> str:
    wanted = error.validator_value
    match error.validator:
        case "required":
            lacking = [name for name in wanted if name not in error.instance]
            return f"it lacks {_told(lacking)}"
        case "additionalProperties" | "unevaluatedProperties":
            known = _told(list(error.schema.get("properties", {})))
            return f"it has other properties than {known or 'none'}"
        case keyword if keyword in _EXPECTED:
            return _EXPECTED[keyword].format(_told(wanted))
        case _:
            return (
                "something in it is not allowed" if error.validator is None else f"it does not fit {error.validator!r}"
            )


def _told(wanted: JsonValue) -> str:
    shown = ", ".join(map(str, wanted)) if isinstance(wanted, list) else str(wanted)
    return shorten(shown, _LONGEST)
