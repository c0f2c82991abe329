"""Judges the schema of a tool's arguments.

Repairs what has one meaning only, and refuses the rest. The server checks the arguments itself, so a keyword less is
a hint less to the model, and no more than that. What providers take beyond JSON Schema is not asked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ....contracts import limits
from .schema_keywords import (
    ONE_SCHEMA,
    REFERENCES,
    SCHEMAS,
    SCHEMAS_BY_NAME,
    STANDING_ALONE,
    TYPES,
    VALUES,
    finite,
    is_not_finite,
    kind_of,
)
from .schema_references import broken_reference

_COMBINED = frozenset({"$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "patternProperties"})
"""Keywords beside which a name may be required that `properties` does not have."""


class UnusableSchemaError(ValueError):
    """A schema that has no one meaning, or is too large to be sent; says why."""


def repaired_schema(given: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the schema of a tool's arguments, and what was wrong with it.

    Args:
        given: What the server says; None where it says nothing.

    Raises:
        UnusableSchemaError: It is not a schema of arguments, or cannot be made one.
    """
    if given is None:
        return {"type": "object", "properties": {}}, ("it has no inputSchema: taken to have no arguments",)
    if not isinstance(given, dict):
        raise UnusableSchemaError(f"its inputSchema is {kind_of(given)}, not an object")
    if not given:
        return {"type": "object", "properties": {}}, ("its inputSchema is empty: taken to have no arguments",)
    if reason := limits.why_too_large(given, "its inputSchema", limits.MAX_SCHEMA_BYTES):
        raise UnusableSchemaError(reason)
    if limits.is_too_deep(given):
        raise UnusableSchemaError(f"its inputSchema is nested deeper than {limits.MAX_DEPTH} levels")
    repair = _Repair()
    schema: dict[str, Any] = repair.schema(repair.of_object(given), _Spot("", alone=True))
    if why := broken_reference(schema, repair.seen):
        raise UnusableSchemaError(why)
    return schema, tuple(repair.done)


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where in a schema another one stands."""

    path: str
    alone: bool
    """Whether it says all that there is of its value."""

    def at(self, key: str, name: str = "") -> _Spot:
        """Return the place of a schema that a keyword of this one has."""
        step = key if not name else name if key == "properties" else f"{key}.{name}"
        path = f"{self.path}.{step}".removeprefix(".")
        return _Spot(path, self.alone and key in STANDING_ALONE)

    def __str__(self) -> str:
        return f" of {self.path!r}" if self.path else " of its inputSchema"


@dataclass(slots=True)
class _Repair:
    """A walk over one schema."""

    done: list[str] = field(default_factory=list)
    """What was wrong, in words."""
    seen: list[dict[str, Any]] = field(default_factory=list)
    """The repaired schema, and every one in it."""

    def of_object(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return a schema that says of itself that it is one of an object.

        Raises:
            UnusableSchemaError: It says that it is one of something else.
        """
        kind = given.get("type")
        if kind == "object":
            return dict(given)
        kinds = kind if isinstance(kind, list) else [kind]
        if kind is not None and not any(isinstance(one, str) and one.lower() == "object" for one in kinds):
            raise UnusableSchemaError(f"its inputSchema is of type {kind!r}, and arguments are of type 'object'")
        what = "its inputSchema has no type" if kind is None else f"the type of its inputSchema is {kind!r}"
        self.done.append(f"{what}: taken for 'object'")
        return {**given, "type": "object"}

    def schema(self, given: Any, spot: _Spot) -> Any:
        """Return a schema anywhere, repaired."""
        if isinstance(given, bool):
            return given
        if not isinstance(given, dict):
            self.done.append(f"the schema{spot} is {kind_of(given)}: taken for one of anything")
            return {}
        result: dict[str, Any] = {}
        self.seen.append(result)
        for key, value in self._with_items(given, spot).items():
            if key == "type":
                self._take_type(value, spot, result)
            elif key in ONE_SCHEMA:
                self._take_schema(key, value, spot, result)
            elif key in SCHEMAS:
                self._take_schemas(key, value, spot, result)
            elif key in SCHEMAS_BY_NAME:
                self._take_schemas_by_name(key, value, spot, result)
            elif key != "required":
                self._take_value(key, value, spot, result)
        if "required" in given:
            self._take_required(given["required"], spot, result)
        return result

    def _with_items(self, given: dict[str, Any], spot: _Spot) -> dict[str, Any]:
        """Return a schema of lists with one of their items.

        Where it is missing, items may be anything. Many readers want that said.
        """
        items, kind = given.get("items"), given.get("type")
        if isinstance(items, list) and items and "prefixItems" not in given:
            self.done.append(f"items{spot} is a list: taken for prefixItems")
            rest = {"items": given["additionalItems"]} if "additionalItems" in given else {}
            kept = {key: value for key, value in given.items() if key not in ("items", "additionalItems")}
            return {**kept, "prefixItems": items, **rest}
        if isinstance(items, bool | dict):
            return given
        kinds = kind if isinstance(kind, list) else [kind]
        is_list = any(isinstance(one, str) and one.lower() == "array" for one in kinds)
        if "items" in given or (is_list and "prefixItems" not in given):
            self.done.append(f"items{spot} is {kind_of(items) if items else 'missing'}: taken for anything")
            return {**given, "items": {}}
        return given

    def _take_type(self, value: Any, spot: _Spot, into: dict[str, Any]) -> None:
        given = value if isinstance(value, list) else [value]
        kinds = list(dict.fromkeys(one.lower() for one in given if isinstance(one, str) and one.lower() in TYPES))
        if kinds and kinds == given:
            into["type"] = value
            return
        self.done.append(f"type{spot} is {value!r}: taken for {' or '.join(kinds) or 'any'}")
        if kinds:
            into["type"] = kinds[0] if len(kinds) == 1 else kinds

    def _take_schema(self, key: str, value: Any, spot: _Spot, into: dict[str, Any]) -> None:
        if isinstance(value, bool | dict):
            into[key] = self.schema(value, spot.at(key))
        else:
            self._drop(key, spot, f"is {kind_of(value)}, not a schema")

    def _take_schemas(self, key: str, value: Any, spot: _Spot, into: dict[str, Any]) -> None:
        if isinstance(value, list) and value:
            into[key] = [self.schema(one, spot.at(key, str(index))) for index, one in enumerate(value)]
        else:
            self._drop(key, spot, "is empty" if value == [] else f"is {kind_of(value)}, not a list of schemas")

    def _take_schemas_by_name(self, key: str, value: Any, spot: _Spot, into: dict[str, Any]) -> None:
        if isinstance(value, dict):
            into[key] = {name: self.schema(one, spot.at(key, name)) for name, one in value.items()}
        elif value == [] or value is None:
            self.done.append(f"{key}{spot} is {'null' if value is None else 'an empty list'}: taken for none")
            into[key] = {}
        elif key == "properties" and not spot.path:
            raise UnusableSchemaError(f"properties{spot} is {kind_of(value)}, not an object")
        else:
            self._drop(key, spot, f"is {kind_of(value)}, not an object")

    def _take_value(self, key: str, value: Any, spot: _Spot, into: dict[str, Any]) -> None:
        if key in REFERENCES and not isinstance(value, str):
            raise UnusableSchemaError(f"{key}{spot} is {kind_of(value)}, not a text")
        is_taken, form = VALUES.get(key, (lambda _: True, ""))
        kept = finite(value)
        if is_not_finite(value):
            self._drop(key, spot, "is not a number of JSON")
        elif not is_taken(kept):
            self._drop(key, spot, f"is not {form}")
        else:
            into[key] = kept
            if kept != value:
                self.done.append(f"{key}{spot} has what is not a number of JSON: left out")

    def _take_required(self, value: Any, spot: _Spot, into: dict[str, Any]) -> None:
        if not isinstance(value, list):
            self._drop("required", spot, f"is {kind_of(value)}, not a list")
            return
        names = list(dict.fromkeys(name for name in value if isinstance(name, str)))
        is_all = spot.alone and _COMBINED.isdisjoint(into) and into.get("additionalProperties", False) is False
        if is_all and ("properties" in into or not spot.path):
            names = [name for name in names if name in into.get("properties", {})]
        if names != value:
            self.done.append(f"required{spot} has what is not one of its properties: left out")
        if names or not value:
            into["required"] = names

    def _drop(self, key: str, spot: _Spot, why: str) -> None:
        self.done.append(f"{key}{spot} {why}: left out")
