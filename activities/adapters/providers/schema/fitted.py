"""Fits a JSON schema to what a provider takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from .alternatives import alternatives, merge, nullable
from .normal import Schema, normal
from .restoring import FittedSchema, Restoring
from .root import flattened
from .rules import SchemaRules

_MADE_OF: Final = frozenset(
    {
        "type",
        "properties",
        "required",
        "items",
        "enum",
        "anyOf",
        "oneOf",
        "allOf",
        "$ref",
        "$defs",
        "additionalProperties",
    }
)
_UNSAID: Final = frozenset({"title", "description", "examples", "prefixItems", "deprecated"})
"""What goes without a word where it is not taken."""
_LONGEST_NOTE: Final = 300
_PLAIN_PATTERN: Final = re.compile(r"\^[^\\?(]*\$")
_JSON_TEXT: Final = "JSON, as text"


class InexpressibleError(Exception):
    """The rules cannot say what the schema says."""


def fit_schema(schema: Any, rules: SchemaRules) -> FittedSchema:
    """Return the schema as the rules take it.

    Raises:
        InexpressibleError: They cannot say it.
    """
    whole = flattened(normal(schema))
    definitions = whole.pop("$defs", {})
    if not whole["properties"] and not rules.free_objects:
        return FittedSchema({})
    fitting = _Fitting(rules, definitions)
    root, restoring = fitting.node(whole, 0)
    if fitting.defs:
        root["$defs"] = fitting.defs
    return FittedSchema(root, restoring)


class _Fitting:
    def __init__(self, rules: SchemaRules, definitions: dict[str, Schema]) -> None:
        self.rules = rules
        self.defs: dict[str, Schema] = {}
        self._definitions = definitions
        self._open: list[str] = []
        self._properties = 0
        self._choices = 0

    def node(self, node: Schema, level: int) -> tuple[Schema, Restoring | None]:
        if level > self.rules.most_levels:
            raise InexpressibleError("it has too many levels")
        if "$ref" in node:
            return self._reference(node, level)
        if "allOf" in node and not self.rules.all_of:
            return self.node(self._merged(node), level)
        if self._is_free(node):
            return self._as_text(node)
        if self.rules.several_types == "nullable" and "nullable" not in node:
            node = nullable(node)
        if isinstance(node.get("type"), list) and self.rules.several_types != "list":
            return self.node(alternatives(node), level)
        fitted, notes = self._kept(node)
        below: dict[str, Restoring] = {}
        names = self._add_properties(fitted, node, level, below)
        self._add_items(fitted, node, level, below, notes)
        self._add_combinators(fitted, node, level, below)
        _describe(fitted, notes)
        restoring = Restoring(names=names, below=below) if names or below else None
        return fitted, restoring

    def _reference(self, node: Schema, level: int) -> tuple[Schema, Restoring | None]:
        name = node["$ref"].rpartition("/")[2]
        target = self._definitions[name]
        if name in self._open and not self.rules.recursion:
            return self._cut(target)
        if not self.rules.references or (not self.rules.recursion and self._is_recursive(name)):
            self._open.append(name)
            beside = {key: value for key, value in node.items() if key != "$ref"}
            fitted = self.node({**target, **beside}, level)
            self._open.pop()
            return fitted
        if name not in self.defs:
            self.defs[name] = {}
            self.defs[name], restoring = self.node(target, level)
            if restoring and restoring != Restoring():
                # A definition may stand anywhere: it is written out where something has to be restored.
                del self.defs[name]
                return self.node({**target, **{k: v for k, v in node.items() if k != "$ref"}}, level)
        kept = node if self.rules.beside_reference else {"$ref": node["$ref"]}
        return dict(kept), None

    def _is_recursive(self, name: str) -> bool:
        reached, waiting = set[str](), [name]
        while waiting:
            found = set(_references(self._definitions[waiting.pop()])) - reached
            reached |= found
            waiting += found
        return name in reached

    def _cut(self, target: Schema) -> tuple[Schema, Restoring | None]:
        if self.rules.strict:
            raise InexpressibleError("it contains itself")
        said = {"type": "object"} if "properties" in target else {}
        return self.node({**said, "description": target.get("description", "The same again.")}, 0)

    def _is_free(self, node: Schema) -> bool:
        """Return whether a value may be anything, where the rules want it said."""
        if not {"type", "anyOf", "oneOf", "allOf"} & node.keys():
            return not self.rules.untyped
        free = node.get("type") == "object" and not node.get("properties")
        if free and self.rules.strict and node.get("additionalProperties") is not False:
            raise InexpressibleError("an object may have any property")
        return free and not self.rules.free_objects

    def _as_text(self, node: Schema) -> tuple[Schema, Restoring | None]:
        if self.rules.strict:
            raise InexpressibleError("a value may be anything")
        what = " object" if node.get("type") == "object" else ""
        said = node.get("description", "")
        return {"type": "string", "description": f"{said} (a{what} value in {_JSON_TEXT})".strip()}, Restoring(
            is_text=True
        )

    def _kept(self, node: Schema) -> tuple[Schema, list[str]]:
        fitted: Schema = {}
        notes: list[str] = []
        for key, value in node.items():
            if key == "enum":
                self._add_enum(fitted, node, notes)
            elif self._takes(node, key, value):
                fitted[key] = value
            elif key not in _MADE_OF and key not in _UNSAID:
                notes.append(f"{'Default' if key == 'default' else key}: {_note(value)}")
        return fitted, notes

    def _takes(self, node: Schema, key: str, value: Any) -> bool:
        match key:
            case "type":
                return True
            case "additionalProperties":
                return isinstance(value, bool) and self.rules.additional
            case "format":
                return self._takes_format(node, value)
            case "pattern":
                return key in self.rules.keywords and self._takes_pattern(value)
            case "prefixItems":
                return False  # with the items
            case _:
                return key in self.rules.keywords

    def _takes_format(self, node: Schema, value: str) -> bool:
        return node.get("type") == "string" and (self.rules.formats is None or value in self.rules.formats)

    def _takes_pattern(self, pattern: str) -> bool:
        if re.search(r"\(\?<?[=!]", pattern):
            return False
        return not self.rules.anchored_patterns or bool(_PLAIN_PATTERN.fullmatch(pattern))

    def _add_enum(self, fitted: Schema, node: Schema, notes: list[str]) -> None:
        values = node["enum"]
        self._choices += len(values)
        if self._choices > self.rules.most_choices and self.rules.strict:
            raise InexpressibleError("it has too many values to choose from")
        if self.rules.text_enums and not all(isinstance(value, str) and value for value in values):
            notes.append(f"one of: {_note(values)}")
        else:
            fitted["enum"] = values

    def _add_properties(self, fitted: Schema, node: Schema, level: int, below: dict[str, Restoring]) -> dict[str, str]:
        if "properties" not in node:
            return {}
        self._properties += len(node["properties"])
        if self._properties > self.rules.most_properties and self.rules.strict:
            raise InexpressibleError("it has too many properties")
        names: dict[str, str] = {}
        properties: dict[str, Schema] = {}
        for own, sub in node["properties"].items():
            name = self._name(own, node["properties"], names)
            if name != own:
                names[name] = own
            properties[name], restoring = self.node(sub, level + ("object" in node.get("type", "")))
            if name != own:
                _describe(properties[name], [f"the property {own!r}"])
            if restoring:
                below[name] = restoring
        fitted["properties"] = properties
        called = {own: name for name, own in names.items()}
        required = [called.get(own, own) for own in node.get("required", ())]
        if self.rules.strict:
            if node.get("additionalProperties") not in (None, False):
                raise InexpressibleError("an object may have any property")
            fitted["additionalProperties"] = False
        if required or self.rules.all_required:
            fitted["required"] = list(properties) if self.rules.all_required else required
        self._add_additional(fitted, node, level)
        return names

    def _add_additional(self, fitted: Schema, node: Schema, level: int) -> None:
        more = node.get("additionalProperties")
        if isinstance(more, dict) and self.rules.additional and not self.rules.strict:
            fitted["additionalProperties"] = self.node(more, level + 1)[0] if more else True

    def _name(self, own: str, taken: dict[str, Schema], given: dict[str, str]) -> str:
        pattern = self.rules.property_names
        if pattern is None or pattern.fullmatch(own):
            return own
        plain = re.sub(r"[^a-zA-Z0-9_]+", "_", own).strip("_")[:56] or "property"
        plain = plain if plain[0].isalpha() else f"p_{plain}"
        name, number = plain, 1
        while name in taken or name in given:
            number += 1
            name = f"{plain}_{number}"
        return name

    def _add_items(
        self, fitted: Schema, node: Schema, level: int, below: dict[str, Restoring], notes: list[str]
    ) -> None:
        if "items" not in node:
            return
        if "prefixItems" in node and "prefixItems" not in self.rules.keywords:
            node = self._bounded(node, fitted, notes)
        items, restoring = self.node(node["items"] or {}, level)
        fitted["items"] = items
        if restoring:
            below["*"] = restoring
        if "prefixItems" in node:
            fitted["prefixItems"] = [self.node(sub, level)[0] for sub in node["prefixItems"]]
            if node["items"] is False:
                fitted["items"] = False

    def _bounded(self, node: Schema, fitted: Schema, notes: list[str]) -> Schema:
        """Say a tuple as a list of so many, of any of its types."""
        prefix = node["prefixItems"]
        kinds = [sub for index, sub in enumerate(prefix) if sub not in prefix[:index]]
        closed = node["items"] is False or node.get("maxItems") == len(prefix)
        bounds = {"minItems": len(prefix)} | ({"maxItems": len(prefix)} if closed else {})
        for key, value in bounds.items():
            if key in self.rules.keywords:
                fitted.setdefault(key, value)
        words = [sub.get("description") or sub.get("title") or str(sub.get("type", "anything")) for sub in prefix]
        notes.append(f"{'exactly' if closed else 'at least'} {len(prefix)} in this order: {', '.join(words)}")
        whole = {key: value for key, value in node.items() if key != "prefixItems"}
        return whole | {"items": kinds[0] if len(kinds) == 1 else {"anyOf": kinds}}

    def _add_combinators(self, fitted: Schema, node: Schema, level: int, below: dict[str, Restoring]) -> None:
        for key in ("anyOf", "oneOf", "allOf"):
            if key not in node:
                continue
            members = [self.node(member, level) for member in node[key]]
            sent = "anyOf" if key == "oneOf" and not self.rules.one_of else key
            fitted[sent] = [*fitted.get(sent, []), *(member for member, _ in members)]
            for _, restoring in members:
                if restoring:
                    below.update(restoring.below)

    def _merged(self, node: Schema) -> Schema:
        """Return an `allOf` as one schema."""
        whole = {key: value for key, value in node.items() if key != "allOf"}
        for member in node["allOf"]:
            seen: set[str] = set()
            while "$ref" in member:
                name = member["$ref"].rpartition("/")[2]
                if name in seen or name in self._open:
                    member = {}  # noqa: PLW2901 - it contains itself
                    break
                seen.add(name)
                member = {**self._definitions[name], **{k: v for k, v in member.items() if k != "$ref"}}  # noqa: PLW2901
            whole = merge(whole, member)
        return whole


def _describe(fitted: Schema, notes: list[str]) -> None:
    if notes and "$ref" not in fitted:
        said = fitted.get("description", "")
        fitted["description"] = " ".join(filter(None, (said, *notes)))


def _note(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_NOTE else f"{text[:_LONGEST_NOTE]}…"


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].rpartition("/")[2]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
