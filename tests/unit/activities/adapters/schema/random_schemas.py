"""Makes schemas by chance, of every draft: sound ones, and ones that no validator would take."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

JsonSchema = dict[str, Any]

DRAFTS = {
    "4": "http://json-schema.org/draft-04/schema#",
    "6": "http://json-schema.org/draft-06/schema#",
    "7": "http://json-schema.org/draft-07/schema#",
    "2019": "https://json-schema.org/draft/2019-09/schema",
    "2020": "https://json-schema.org/draft/2020-12/schema",
}
OLD = ("4", "6", "7")
ODD_NAMES = (
    "$top",
    "filter[id]",
    "@type",
    "a b",
    "ключ",
    "x" * 70,
    "1st",
    "-",
    "",
    "items",
    "properties",
    "$ref.",
    "👩‍🔬",
)
PLAIN_NAMES = ("name", "size", "kind", "unit", "page", "value", "type", "of_it")
PATTERNS = {"^a+$": "aaa", "^[0-9]{3}$": "123", "^(?=x)x": "xy", r"^\d\d$": "42", "b": "abc"}
FORMATS = ("date-time", "date", "uri", "path", "binary", "password", "uuid", "email", "regex", "int32", "unknown")
COUNTED = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "uniqueItems", "pattern")
ODD_VALUES: tuple[Any, ...] = (None, True, False, 5, -1, 1.5, "text", "", [], {}, ["a", 1, None], {"a": 1}, [{}], [[]])


class RandomSchemas:
    """Makes schemas.

    Args:
        chance: What they are made by.
        keywords: Those that may be used besides what a value is made of; None: all.
        closed: Whether to make what strict rules can say, by and large.
    """

    def __init__(self, chance: random.Random, keywords: frozenset[str] | None = None, *, closed: bool = False) -> None:
        self._chance = chance
        self._keywords = keywords
        self._closed = closed
        self.draft = chance.choice(list(DRAFTS))
        self._definitions = [f"Def{number}" for number in range(chance.choice([0, 1, 2, 4]))]
        self._free_from = 0
        self._defs = "definitions" if self.draft in OLD else chance.choice(["$defs", "$defs", "definitions"])

    def sound(self) -> JsonSchema:
        """Make a schema of an object that says what it means."""
        root = self._root()
        root["$schema"] = DRAFTS[self.draft]
        if self._definitions:
            made = {name: self._definition(index) for index, name in enumerate(self._definitions)}
            root[self._defs] = made
        return root

    def wild(self) -> JsonSchema:
        """Make a schema in which there are mistakes."""
        root = self.sound()
        for _ in range(self._chance.randrange(1, 6)):
            self._spoil(root)
        return root

    def _root(self) -> JsonSchema:
        root = self._object(0)
        how = self._chance.random()
        if how < 0.1:
            return {"type": "object", self._one_of(): [self._object(1) for _ in range(self._chance.randrange(1, 4))]}
        if how < 0.15:
            return {"allOf": [root, self._object(1)]}
        if how < 0.2 and root.get("properties"):
            names = list(root["properties"])
            return root | {"anyOf": [{"required": [name]} for name in names]}
        return root

    def _definition(self, index: int) -> JsonSchema:
        self._free_from = index + 1
        made: JsonSchema = self._chance.choice([self._object, self._object, self._text, self._union, self._list])(1)
        if self._chance.random() < 0.1 and index + 1 < len(self._definitions):
            return {"$ref": f"#/{self._defs}/{self._definitions[index + 1]}"}
        return made

    def _takes(self, keyword: str) -> bool:
        return (self._keywords is None or keyword in self._keywords) and self._chance.random() < 0.4

    def _below(self, level: int) -> Any:
        """Make what is within an object or a list: there a definition may contain itself."""
        free_from, self._free_from = self._free_from, 0
        made = self._node(level)
        self._free_from = free_from
        return made

    def _node(self, level: int) -> Any:
        kinds: list[Callable[[int], Any]] = [self._text, self._number, self._choice, self._simple, self._words]
        if level < 4:
            kinds += [self._object, self._object, self._list, self._tuple, self._union, self._both, self._reference]
        made = self._chance.choice(kinds)(level)
        if isinstance(made, dict) and "$ref" not in made and self._takes("not"):
            made["not"] = {"enum": ["never"]}
        return made

    def _text(self, _: int) -> JsonSchema:
        made: JsonSchema = {"type": "string"}
        if self._takes("pattern"):
            taken = [pattern for pattern in PATTERNS if self._keywords is None or "(?" not in pattern]
            made["pattern"] = self._chance.choice(taken)
        elif self._takes("minLength"):
            made |= {"minLength": 1, "maxLength": self._chance.choice([1, 5, 20])}
        if self._takes("format"):
            made["format"] = self._chance.choice(FORMATS)
        return made

    def _number(self, _: int) -> JsonSchema:
        made: JsonSchema = {"type": self._chance.choice(["integer", "number"])}
        least = self._chance.randrange(-5, 5)
        if self._takes("minimum"):
            made["minimum"] = least
        if self._takes("maximum"):
            made["maximum"] = least + self._chance.randrange(3, 50)
        if self._takes("exclusiveMinimum"):
            if self.draft != "4":
                made["exclusiveMinimum"] = least
            elif "minimum" in made:
                made["exclusiveMinimum"] = self._chance.choice([True, False])
        if self._takes("multipleOf"):
            made["multipleOf"] = self._chance.choice([1, 2, 0.5])
        return made

    def _choice(self, _: int) -> JsonSchema:
        values = self._chance.sample(["a", "b", "", 1, 2.5, True, None, "Δ", 10**20], self._chance.randrange(1, 5))
        if self._chance.random() < 0.02:
            values = [f"value {number}" for number in range(self._chance.choice([300, 1_500]))]
        if len(values) == 1 and self.draft != "4":
            return {"const": values[0]}
        if self._chance.random() < 0.5:
            texts = [value for value in values if isinstance(value, str)]
            return {"type": "string", "enum": texts} if texts else {"enum": values}
        return {"enum": values}

    def _simple(self, _: int) -> JsonSchema:
        types = ["string", "integer", "number", "boolean", "null"]
        if self._chance.random() < 0.4:
            return {"type": sorted(self._chance.sample(types, self._chance.randrange(2, 4)))}
        return {"type": self._chance.choice(types)}

    def _words(self, _: int) -> Any:
        if self._closed:
            return {"title": "T", "description": "D.", "type": "string"}
        if self._chance.random() < 0.5:
            return {"title": "T", "description": "D."}
        return {} if self.draft == "4" or self._chance.random() < 0.5 else True

    def _object(self, level: int) -> JsonSchema:
        names = self._chance.sample(PLAIN_NAMES + ODD_NAMES, self._chance.randrange(self._closed, 5))
        made: JsonSchema = {"type": "object", "properties": {name: self._below(level + 1) for name in names}}
        if required := [name for name in names if self._chance.random() < 0.5]:
            made["required"] = required
        how = self._chance.random()
        if how < 0.3:
            made["additionalProperties"] = False
        elif how < 0.4 and not self._closed:
            made["additionalProperties"] = self._below(level + 1)
        if not names and self._chance.random() < 0.5:
            del made["properties"]
        if self._takes("minProperties"):
            made["minProperties"] = 1
        if self._takes("patternProperties") and self._chance.random() < 0.5:
            made["patternProperties"] = {"^p_": self._below(level + 1)}
        if len(names) > 1 and self._takes("if"):
            made |= {"if": {"required": names[:1]}, "then": {"required": names[1:2]}}
        return made

    def _list(self, level: int) -> JsonSchema:
        made: JsonSchema = {"type": "array"}
        if self._closed or self._chance.random() < 0.9:
            made["items"] = self._below(level + 1)
        if self._takes("minItems"):
            made["minItems"] = self._chance.choice([0, 1, 2])
        if self._takes("maxItems"):
            made["maxItems"] = self._chance.choice([2, 3, 10])
        if self._takes("uniqueItems"):
            made["uniqueItems"] = True
        return made

    def _tuple(self, level: int) -> JsonSchema:
        places = [self._below(level + 1) for _ in range(self._chance.randrange(1, 4))]
        if self._chance.random() < 0.4:
            places = [places[0]] * len(places)
        closed = self._chance.random() < 0.7
        made: JsonSchema = {"type": "array", "minItems": len(places)}
        if self.draft == "2020":
            made |= {"prefixItems": places} | ({"items": False} if closed else {})
        else:
            made |= {"items": places} | ({"additionalItems": False} if closed else {})
        return made | ({"maxItems": len(places)} if closed else {})

    def _one_of(self) -> str:
        return "anyOf" if self._closed else self._chance.choice(["anyOf", "anyOf", "oneOf"])

    def _union(self, level: int) -> JsonSchema:
        if self._chance.random() < 0.4:
            members = [self._object(level + 1) for _ in range(self._chance.randrange(1, 4))]
            for index, member in enumerate(members):
                member.setdefault("properties", {})["tag"] = {"enum": [f"tag{index}"]}
                member["required"] = [*member.get("required", ()), "tag"]
            return {self._chance.choice(["anyOf", "oneOf"]): members}
        members = [self._node(level + 1) for _ in range(self._chance.randrange(1, 4))]
        if self._chance.random() < 0.3:
            members.append({"type": "null"})
        return {self._one_of(): members}

    def _both(self, level: int) -> JsonSchema:
        parts: list[Any] = [self._open(level), self._open(level)]
        if self._takes("minLength"):
            parts = [{"type": "string", "minLength": 1}, {"type": ["string", "null"], "maxLength": 9}]
        how = self._chance.random()
        if how < 0.2 and parts[0].get("properties"):
            return {**parts[0], "anyOf": [{"required": [name]} for name in parts[0]["properties"]]}
        if how < 0.4 and not self._closed:
            return {**parts[0], self._one_of(): [self._open(level), {"type": "object", "required": ["of_it"]}]}
        return {"allOf": parts[: self._chance.randrange(1, 3)]}

    def _open(self, level: int) -> JsonSchema:
        made = self._object(level + 1)
        made.pop("additionalProperties", None)
        return made

    def _reference(self, level: int) -> JsonSchema:
        known = self._definitions[self._free_from :]
        if not known or level < 2:
            return self._text(level)
        made: JsonSchema = {"$ref": f"#/{self._defs}/{self._chance.choice(known)}"}
        if self._chance.random() < 0.1 and not self._free_from:
            made = {"$ref": "#"}
        if self._chance.random() < 0.3:
            made["description"] = "There."
        return made

    def _spoil(self, root: JsonSchema) -> None:
        """Make a mistake somewhere."""
        holders = [node for node in _all(root) if isinstance(node, dict) and node]
        node = self._chance.choice(holders)
        key = self._chance.choice(
            [*node, "type", "properties", "required", "items", "enum", "$ref", "anyOf", "nullable"]
        )
        how = self._chance.random()
        if how < 0.4:
            node[key] = copy.deepcopy(self._chance.choice(ODD_VALUES))
        elif how < 0.5:
            node[key] = copy.deepcopy(self._chance.choice(holders))
        elif how < 0.6:
            lost = [
                "#/nowhere",
                "#/$defs/%20",
                "other.json",
                "#/required/0",
                "",
                "#Def0",
                "#/$defs/Def0/properties/name",
            ]
            node["$ref"] = self._chance.choice(lost)
        elif how < 0.7:
            node["allOf"] = [
                {"$ref": f"#/{self._defs}/Def0"},
                {"$ref": "#"},
                *self._chance.choice([[], [True], [False]]),
            ]
        elif how < 0.8:
            deep: JsonSchema = {"type": "string"}
            for _ in range(self._chance.choice([12, 40, 70])):
                deep = self._chance.choice(
                    [{"type": "array", "items": deep}, {"properties": {"a": deep}}, {"anyOf": [deep]}]
                )
            node["deep"] = node["not"] = deep
            node.setdefault("properties", {})
            if isinstance(node["properties"], dict):
                node["properties"]["deep"] = deep
        elif how < 0.9:
            node["nullable"] = True
        else:
            node.pop(key, None)


def _all(root: Any) -> list[Any]:
    found, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        found.append(node)
        if isinstance(node, dict):
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return found
