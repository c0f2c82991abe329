"""Makes the root of a schema a plain object: every provider wants that of a tool."""

from __future__ import annotations

import json
from typing import Any, Final

from .keywords import COMBINATORS, WORDS, JsonSchema, json_key
from .meeting import ALSO, meet, met
from .normal import NEVER

_LONGEST_TOLD: Final = 300
_MOST_MEMBERS: Final = 1_000
_DEEPEST: Final = 20


def flattened(root: JsonSchema, definitions: dict[str, JsonSchema]) -> JsonSchema:
    """Return a root that has neither a reference nor combinators.

    It is no object where it cannot be one. What may be one of several objects becomes one with the properties of all,
    of which only those are required that are required in each.
    """
    return _Flattening(definitions).of(root)


class _Flattening:
    def __init__(self, definitions: dict[str, JsonSchema]) -> None:
        self._definitions = definitions
        self._known: dict[str, JsonSchema] = {}
        self._count = self._depth = 0

    def of(self, node: JsonSchema) -> JsonSchema:
        whole = node if node.keys().isdisjoint(("$ref", *COMBINATORS)) else self._combined(node)
        if not _may_be_object(whole):
            return whole
        kept = {key: value for key, value in whole.items() if key not in ("enum", "not")}
        return {"properties": {}, **kept, "type": "object"}

    def _combined(self, node: JsonSchema) -> JsonSchema:
        # Where closed objects are put together, hardly anybody means that they exclude one another.
        whole, unions = met(node, self._definitions, opened=True)
        for key, members in unions:
            objects = [one for one in map(self._member, members) if _may_be_object(one)]
            whole = meet(whole, _together(objects)) if objects else NEVER
            told = json.dumps(members, default=str)
            if whole != NEVER and len(told) <= _LONGEST_TOLD and "$ref" not in told:
                whole = {**whole, ALSO: [*whole.get(ALSO, ()), {key: members}]}
        return whole

    def _member(self, node: JsonSchema) -> JsonSchema:
        """Return a member of a union as one object, worked out once."""
        name = node.get("$ref", "")
        if not name:
            return self._within(node)
        if name not in self._known:
            self._known[name] = {}  # where it is one of itself
            self._known[name] = self._within(node)
        return self._known[name]

    def _within(self, node: JsonSchema) -> JsonSchema:
        self._count += 1
        if self._count > _MOST_MEMBERS or self._depth > _DEEPEST:
            return {}
        self._depth += 1
        whole = self.of(node)
        self._depth -= 1
        return whole


def _may_be_object(node: JsonSchema) -> bool:
    return node != NEVER and "object" in node.get("type", "object")


def _together(members: list[JsonSchema]) -> JsonSchema:
    """Return an object that each of the members is, too."""
    subs: dict[str, list[JsonSchema]] = {}
    for member in members:
        for name, sub in member.get("properties", {}).items():
            subs.setdefault(name, []).append(sub)
    required = [name for name in members[0].get("required", ()) if all(name in m.get("required", ()) for m in members)]
    together: JsonSchema = {"type": "object", "properties": {name: _one_of(given) for name, given in subs.items()}}
    return {**together, "required": required} if required else together


def _one_of(subs: list[JsonSchema]) -> JsonSchema:
    """Return what each of these is, too."""
    distinct = list({json_key(sub): sub for sub in subs}.values())
    if len(distinct) == 1 or {} in distinct:
        return distinct[0] if len(distinct) == 1 else {}
    members = [one for sub in distinct for one in (sub["anyOf"] if sub.keys() == {"anyOf"} else [sub])]
    if any("enum" not in one or one.keys() - WORDS - {"enum", "type"} for one in members):
        return {"anyOf": members}
    values = {json_key(value): value for one in members for value in one["enum"]}
    kinds: list[Any] = [one["type"] for one in members]
    types = list(dict.fromkeys(kind for given in kinds for kind in (given if isinstance(given, list) else [given])))
    return {**members[0], "enum": list(values.values()), "type": types[0] if len(types) == 1 else types}
