"""Makes values by chance that a schema may well take; whether it does is for a validator to say."""

from __future__ import annotations

import random
from typing import Any

from tests.unit.activities.adapters.schema.random_schemas import PATTERNS, JsonSchema

_DEEP = 5
_DEEPEST = 40
_ANYTHING: tuple[Any, ...] = (None, True, 0, 7.5, "free", "[1", "5", [], [1, "a"], {}, {"free_1": {"free_2": [None]}})


class NoValueError(Exception):
    """There is none, or none that ends."""


class RandomValues:
    """Makes values.

    Args:
        chance: What they are made by.
        root: The schema.
    """

    def __init__(self, chance: random.Random, root: JsonSchema) -> None:
        self._chance = chance
        self._root = root

    def make(self) -> Any:
        """Make a value.

        Raises:
            NoValueError: No value was found that ends.
        """
        return self._value(self._root, 0)

    def _value(self, node: Any, level: int) -> Any:
        if level > _DEEPEST:
            raise NoValueError
        if not isinstance(node, dict):
            return self._chance.choice(_ANYTHING)
        if "$ref" in node:
            return self._value(self._at(node["$ref"]), level + 1)
        if "enum" in node or "const" in node:
            return self._chance.choice(node.get("enum") or [node.get("const")])
        parts = [self._value(part, level + 1) for part in node.get("allOf", ())]
        unions = [node[key] for key in ("anyOf", "oneOf") if key in node]
        parts += [self._value(self._member(members, level), level + 1) for members in unions]
        if parts and "type" not in node:
            return _together(parts)
        return _together([self._of_type(node, level), *parts])

    def _at(self, reference: str) -> Any:
        found: Any = self._root
        for step in filter(None, reference.removeprefix("#").split("/")):
            found = found[step]
        return found

    def _member(self, members: list[Any], level: int) -> Any:
        if level > _DEEP:
            return min(members, key=lambda member: len(str(member)))
        return self._chance.choice(members)

    def _of_type(self, node: JsonSchema, level: int) -> Any:
        kinds = node.get("type") or self._guess(node)
        kind = self._chance.choice(kinds) if isinstance(kinds, list) else kinds
        match kind:
            case "object":
                return self._object(node, level)
            case "array":
                return self._list(node, level)
            case "string":
                return self._text(node)
            case "integer" | "number":
                return self._number(node, kind)
            case "boolean":
                return self._chance.choice([True, False])
            case "null":
                return None
            case _:
                return self._chance.choice(_ANYTHING)

    @staticmethod
    def _guess(node: JsonSchema) -> str:
        return "object" if "properties" in node or "required" in node else ""

    def _object(self, node: JsonSchema, level: int) -> Any:
        properties = node.get("properties", {})
        required = [*node.get("required", ()), *node.get("then", {}).get("required", ())]
        made = {}
        for name in dict.fromkeys([*properties, *required]):
            if name in required or (level < _DEEP and self._chance.random() < 0.6):
                made[name] = self._value(properties.get(name, {}), level + 1)
        more = node.get("additionalProperties")
        if more not in (None, False) and self._chance.random() < 0.5:
            made["free_1"] = self._value(more, level + 1)
        if "patternProperties" in node and self._chance.random() < 0.5:
            made["p_1"] = self._value(node["patternProperties"]["^p_"], level + 1)
        return made

    def _list(self, node: JsonSchema, level: int) -> Any:
        items = node.get("items", {})
        prefix = node.get("prefixItems") or (items if isinstance(items, list) else [])
        if prefix:
            return [self._value(sub, level + 1) for sub in prefix]
        least = node.get("minItems", 0)
        most = max(least, min(node.get("maxItems", 3), 3 if level < _DEEP else least))
        return [self._value(items, level + 1) for _ in range(self._chance.randrange(least, most + 1))]

    def _text(self, node: JsonSchema) -> str:
        if "pattern" in node:
            return PATTERNS[node["pattern"]]
        least, most = node.get("minLength", 0), node.get("maxLength", 8)
        return "".join(self._chance.choices("abё {}", k=self._chance.randrange(least, most + 1)))

    def _number(self, node: JsonSchema, kind: str) -> float:
        least: Any = node.get("minimum", node.get("exclusiveMinimum", -3))
        most: Any = max(least, node.get("maximum", least + 20))
        made = self._chance.randint(int(least), int(most))
        return made + 0.5 if kind == "number" and self._chance.random() < 0.3 else made


def _together(parts: list[Any]) -> Any:
    if all(isinstance(part, dict) for part in parts):
        return {name: value for part in parts for name, value in part.items()}
    return parts[0]
