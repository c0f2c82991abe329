"""Holds a strict schema to what there may be of it at most."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from .definitions import Definitions, definition_name
from .keywords import JsonSchema
from .rules import Bounds, InexpressibleError

_LONG_CHOICE: Final = 250
_HAVE_PARTS: Final = ("anyOf", "oneOf", "allOf")


class TooManyOptionalError(InexpressibleError):
    """More properties are optional than may be."""


def hold_to_bounds(schema: JsonSchema, bounds: Bounds) -> None:
    """Check that a schema is within bounds, and that a value of it comes to an end.

    Raises:
        InexpressibleError: It is not; says what there is too much of.
    """
    if not _is_finite(schema):
        raise InexpressibleError("what it asks for has no end")
    levels, properties, optional, unions, choices, letters = 0, 0, 0, 0, 0, 0
    for node, level in _nodes(schema):
        own = node.get("properties", {})
        values = node.get("enum", ())
        letters_here = sum(len(value) for value in values if isinstance(value, str))
        if len(values) > _LONG_CHOICE and letters_here > bounds.letters_of_choice:
            raise InexpressibleError("it has too long values to choose from")
        levels = max(levels, level)
        properties += len(own)
        optional += len(own) - len(node.get("required", ()))
        unions += "anyOf" in node or isinstance(node.get("type"), list)
        choices += len(values)
        letters += letters_here + sum(map(len, own)) + sum(map(len, node.get("$defs", ())))
    found = Bounds(levels, properties, 0, unions, choices, letters)
    for name in ("levels", "properties", "unions", "choices", "letters"):
        if getattr(found, name) > getattr(bounds, name):
            raise InexpressibleError(f"it has too many {name}")
    if optional > bounds.optional:
        raise TooManyOptionalError("it has too many optional properties")


def _nodes(schema: JsonSchema) -> Iterator[tuple[JsonSchema, int]]:
    """Return all parts of a schema, each with its level.

    That is the number of objects that it is within, itself counted.
    """
    waiting: list[tuple[Any, int]] = [(schema, 0)]
    while waiting:
        node, level = waiting.pop()
        if not isinstance(node, dict):
            continue
        level += "object" in node.get("type", "")
        yield node, level
        for key in ("properties", "$defs"):
            waiting += [(sub, level) for sub in node.get(key, {}).values()]
        for key in _HAVE_PARTS:
            waiting += [(sub, level) for sub in node.get(key, ())]
        waiting.append((node.get("items"), level))


def _is_finite(schema: JsonSchema) -> bool:
    definitions = Definitions(schema.get("$defs", {}))
    within = definitions.within()
    ending: set[str] = set()
    waiting = list(definitions)
    while waiting:
        name = waiting.pop()
        if name not in ending and _ends(definitions[name], ending):
            ending.add(name)
            waiting += within[name]
    return _ends(schema, ending)


def _ends(node: JsonSchema, ending: set[str]) -> bool:
    """Return whether a value of a part comes to an end.

    Args:
        node: The part.
        ending: Definitions of which that is known.
    """
    if "$ref" in node:
        return definition_name(node["$ref"]) in ending
    if "anyOf" in node:
        return any(_ends(member, ending) for member in node["anyOf"])
    kinds = node.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not {*kinds} <= {"object", "array"}:
        return True
    if "array" in kinds and (not node.get("minItems") or _ends(node["items"], ending)):
        return True
    properties = node.get("properties", {})
    return "object" in kinds and all(_ends(properties[name], ending) for name in node.get("required", ()))
