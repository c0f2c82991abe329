"""Says in other words that a value may be one of several things.

And tells which things are never the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from .keywords import WORDS, JsonSchema, json_key, type_of, without_foreign

_DEEPEST = 2
"""How far down a difference is looked for."""


def alternatives(node: JsonSchema) -> JsonSchema:
    """Say a value of several types as one of several values."""
    shared = {key: value for key, value in node.items() if key in WORDS}
    own = {key: value for key, value in node.items() if key not in WORDS}
    return {**shared, "anyOf": [_of_type(own, kind) for kind in node["type"]]}


def nullable(node: JsonSchema) -> JsonSchema:
    """Say by `nullable` that a value may be null."""
    if isinstance(node.get("type"), list) and "null" in node["type"]:
        types = [kind for kind in node["type"] if kind != "null"]
        plain = {**node, "type": types[0] if len(types) == 1 else types, "nullable": True}
        if "enum" in plain:
            plain["enum"] = [value for value in plain["enum"] if value is not None]
        return plain
    members = node.get("anyOf", ())
    others = [member for member in members if member.get("type") != "null"]
    if others and len(others) < len(members):
        beside = {key: value for key, value in node.items() if key != "anyOf"} | {"nullable": True}
        return {**others[0], **beside} if len(others) == 1 else {**beside, "anyOf": others}
    return node


def _of_type(own: JsonSchema, kind: str) -> JsonSchema:
    kept = without_foreign({**own, "type": kind})
    if "enum" in kept:
        kept["enum"] = [value for value in kept["enum"] if type_of(value, (kind,))]
    return kept


def always_written(required: Iterable[str], properties: dict[str, JsonSchema]) -> list[str]:
    """Return the properties that are always written, where not all have to be.

    A choice is: it may tell the members of a union apart.
    """
    needed = set(required)
    return [name for name, sub in properties.items() if name in needed or "enum" in sub]


@dataclass(frozen=True, slots=True)
class Apartness:
    """Tells what is never the same, of values that are written for closed objects."""

    expanded: Callable[[JsonSchema], JsonSchema]
    """Brings a schema into a form without references, as one union or none."""
    all_required: bool
    """Whether what is written has every property."""

    def all_apart(self, written: list[JsonSchema], members: list[JsonSchema]) -> bool:
        """Return whether no value that is written for one member fits another.

        Args:
            written: The members as they are written, with all that has to be besides.
            members: The members themselves, in the same order.
        """
        plain = [self.expanded(member) for member in members]
        return all(
            self._rules_out(one, other, 0)
            for index, one in enumerate(map(self.expanded, written))
            for place, other in enumerate(plain)
            if place != index
        )

    def _rules_out(self, written: JsonSchema, other: JsonSchema, level: int) -> bool:
        if level > _DEEPEST:
            return False
        written, other = self.expanded(written), self.expanded(other)
        for key in ("anyOf", "oneOf"):
            if key in written:
                return all(self._rules_out(member, other, level + 1) for member in written[key])
            if key in other:
                return all(self._rules_out(written, member, level + 1) for member in other[key])
        if "enum" in written and "enum" in other:
            return {json_key(value) for value in written["enum"]}.isdisjoint(map(json_key, other["enum"]))
        mine, theirs = set(_families(written)), set(_families(other))
        if not mine or not theirs:
            return False
        return mine.isdisjoint(theirs) or (mine & theirs == {"object"} and self._never_fits(written, other, level))

    def _never_fits(self, written: JsonSchema, other: JsonSchema, level: int) -> bool:
        mine, theirs = written.get("properties", {}), other.get("properties", {})
        always = mine if self.all_required else always_written(written.get("required", ()), mine)
        if any(name not in mine for name in other.get("required", ())):
            return True
        if other.get("additionalProperties") is False and any(name not in theirs for name in always):
            return True
        return any(
            name in theirs and self._rules_out(mine[name], theirs[name], level + 1) for name in always if name in mine
        )


def _families(node: JsonSchema) -> Iterator[str]:
    given = node.get("type", ())
    for kind in given if isinstance(given, list | tuple) else [given]:
        yield "number" if kind == "integer" else kind
