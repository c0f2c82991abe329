"""Says in one schema what is said by several that a value has to fit at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any, Final

from .definitions import definition_name
from .keywords import COMBINATORS, WORDS, JsonSchema, json_key, type_of, without_foreign
from .normal import NEVER

ALSO: Final = "also"
"""Has what cannot be said in the same schema: the second of two patterns, say."""

Union = tuple[str, list[JsonSchema]]
"""`anyOf` or `oneOf`, and what it is of."""


def met(
    node: JsonSchema, definitions: dict[str, JsonSchema], *, opened: bool = False
) -> tuple[JsonSchema, list[Union]]:
    """Return a schema without references and combinators, and the unions beside it.

    Args:
        node: What may have them.
        definitions: What references lead to.
        opened: Whether closed objects are taken for open ones, where there are several.
    """
    parts: list[JsonSchema] = []
    unions: list[Union] = []
    for part in _parts(node, definitions):
        parts.append({key: value for key, value in part.items() if key not in COMBINATORS})
        unions += [(key, part[key]) for key in ("anyOf", "oneOf") if key in part]
    if opened and (unions or sum(not part.keys() <= WORDS for part in parts) > 1):
        parts = [_opened(part) for part in parts]
    return reduce(meet, parts, {}), unions


def _opened(part: JsonSchema) -> JsonSchema:
    closing = ("additionalProperties", "unevaluatedProperties")
    return {key: value for key, value in part.items() if key not in closing or value is not False}


def _parts(node: JsonSchema, definitions: dict[str, JsonSchema]) -> Iterator[JsonSchema]:
    waiting, passed = [node], set[str]()
    while waiting:
        part = waiting.pop()
        if "$ref" in part:
            name = definition_name(part["$ref"])
            # What contains itself asks for nothing more.
            if name not in passed:
                passed.add(name)
                waiting.append(definitions[name])
            part = {key: value for key, value in part.items() if key != "$ref"}
        yield part
        waiting.extend(reversed(part.get("allOf", ())))


def meet(one: JsonSchema, other: JsonSchema) -> JsonSchema:
    """Return a schema of what fits both.

    They have neither references nor combinators. Of their words those of the first count.
    """
    if not one or not other:
        return one or other
    if NEVER in (one, other):
        return NEVER
    both = {**other, **one}
    for key in one.keys() & other.keys() - WORDS:
        if key in _LEAST_OF_BOTH:
            both[key] = _LEAST_OF_BOTH[key](one[key], other[key])
    _set_aside(both, one, other)
    fits = _meet_types(both, one, other) and _meet_objects(both, one, other) and _meet_arrays(both, one, other)
    return without_foreign(both) if fits else NEVER


def both_of(one: JsonSchema, other: JsonSchema) -> JsonSchema:
    """Return a schema of what fits both, to be met when it is come to."""
    if one == other or not other:
        return one
    if NEVER in (one, other):
        return NEVER
    return {"allOf": [one, other]} if one else other


_LEAST_OF_BOTH: Final[dict[str, Callable[[Any, Any], Any]]] = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), min),
    "required": lambda one, other: list(dict.fromkeys([*one, *other])),
    "dependentRequired": lambda one, other: {
        name: list(dict.fromkeys([*one.get(name, ()), *other.get(name, ())])) for name in {**one, **other}
    },
    "patternProperties": lambda one, other: {
        name: both_of(one.get(name, {}), other.get(name, {})) for name in {**one, **other}
    },
    "propertyNames": both_of,
}
_TOGETHER: Final = (
    ("if", "then", "else"),
    ("contains", "minContains", "maxContains"),
    *((key,) for key in ("pattern", "format", "not", "dependentSchemas", "unevaluatedProperties", "unevaluatedItems")),
)
"""What cannot be met; each with what stands and falls with it."""


def _set_aside(both: JsonSchema, one: JsonSchema, other: JsonSchema) -> None:
    aside = [*one.get(ALSO, ()), *other.get(ALSO, ())]
    for group in _TOGETHER:
        mine = {key: one[key] for key in group if key in one}
        theirs = {key: other[key] for key in group if key in other}
        if mine and theirs and mine != theirs:
            for key in theirs.keys() - mine.keys():
                del both[key]
            aside.append(theirs)
    if "multipleOf" in one and "multipleOf" in other and one["multipleOf"] != other["multipleOf"]:
        factors = (one["multipleOf"], other["multipleOf"])
        if all(isinstance(factor, int) for factor in factors):
            both["multipleOf"] = math.lcm(*factors)
        else:
            aside.append({"multipleOf": other["multipleOf"]})
    if aside:
        both[ALSO] = aside


def _meet_types(both: JsonSchema, one: JsonSchema, other: JsonSchema) -> bool:
    """Return whether there is a type, or a value, that both may have."""
    if "type" in one and "type" in other:
        types = _common(_listed(one["type"]), _listed(other["type"]))
        if not types:
            return False
        both["type"] = types[0] if len(types) == 1 else types
    if "enum" in one and "enum" in other:
        known = {json_key(value) for value in other["enum"]}
        both["enum"] = [value for value in one["enum"] if json_key(value) in known]
    if "enum" in both and "type" in both:
        types = _listed(both["type"])
        both["enum"] = [value for value in both["enum"] if type_of(value, types)]
        types = list(dict.fromkeys(type_of(value, types) for value in both["enum"]))
        both["type"] = types[0] if len(types) == 1 else types
    return "enum" not in both or bool(both["enum"])


def _common(one: list[str], other: list[str]) -> list[str]:
    types = [kind for kind in one if kind in other or (kind == "integer" and "number" in other)]
    return types + ["integer" for kind in other if kind == "integer" and "number" in one and "integer" not in one]


def _meet_objects(both: JsonSchema, one: JsonSchema, other: JsonSchema) -> bool:
    """Return whether there is an object that both may have, if they are of objects."""
    if "properties" in one or "properties" in other:
        names = {**one.get("properties", {}), **other.get("properties", {})}
        met_ones = {name: both_of(_property(one, name), _property(other, name)) for name in names}
        both["properties"] = met_ones
    if "additionalProperties" in one and "additionalProperties" in other:
        mine, theirs = one["additionalProperties"], other["additionalProperties"]
        if isinstance(mine, dict) and isinstance(theirs, dict):
            both["additionalProperties"] = both_of(mine, theirs)
        else:
            both["additionalProperties"] = theirs if mine is True else mine and (mine if theirs is True else theirs)
    missing = any(both.get("properties", {}).get(name) == NEVER for name in both.get("required", ()))
    return not missing or both.get("type") != "object"


def _property(node: JsonSchema, name: str) -> JsonSchema:
    given: JsonSchema | None = node.get("properties", {}).get(name)
    if given is not None or "patternProperties" in node:
        return given or {}
    more = node.get("additionalProperties", {})
    return more if isinstance(more, dict) else {} if more else NEVER


def _meet_arrays(both: JsonSchema, one: JsonSchema, other: JsonSchema) -> bool:
    """Return whether there is a list that both may have, if they are of lists."""
    if "items" not in one or "items" not in other:
        return True
    lengths = [len(node.get("prefixItems", ())) for node in (one, other)]
    closed = [length for length, node in zip(lengths, (one, other), strict=True) if node["items"] is False]
    prefix = [both_of(_item(one, index), _item(other, index)) for index in range(min([max(lengths), *closed]))]
    both["items"] = False if closed else both_of(one["items"], other["items"])
    both.pop("prefixItems", None)
    if prefix:
        both["prefixItems"] = prefix
    elif closed:
        both["items"] = NEVER
    return True


def _item(node: JsonSchema, index: int) -> JsonSchema:
    prefix = node.get("prefixItems", ())
    item: JsonSchema = prefix[index] if index < len(prefix) else node["items"]
    return item


def _listed(given: str | list[str]) -> list[str]:
    return given if isinstance(given, list) else [given]
