"""Brings a JSON schema of any draft into one plain form.

The form: every reference is to `#/$defs/…`, leads somewhere and has nothing but words beside it; types are known ones,
and there where they can be told; an object has `properties`, an array `items`; tuples are `prefixItems`; a single value
is an `enum`; a combinator has at least two members; what nothing fits is `NEVER`. Keywords that say nothing of values
are gone, as is what no reader could make sense of.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from .keywords import (
    COMBINATORS,
    WORDS,
    JsonSchema,
    guessed_types,
    is_sound,
    json_key,
    known_types,
    type_of,
    without_foreign,
)
from .places import Places

NEVER: Final[JsonSchema] = {"not": {}}
"""What no value fits."""

_IN_PLACE: Final = ("not", "if", "then", "else")
_OF_OTHERS: Final = ("contains", "propertyNames")
_UNEVALUATED: Final = ("unevaluatedProperties", "unevaluatedItems")
_PLAIN: Final = frozenset(
    {
        *("title", "description", "default", "examples", "format", "pattern", "minLength", "maxLength", "minimum"),
        *("maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems"),
        *("minProperties", "maxProperties", "minContains", "maxContains", "dependentRequired", "deprecated"),
    }
)
_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
_RARE: Final = frozenset(
    {
        *(*_REFERENCES, *COMBINATORS, *_IN_PLACE, *_OF_OTHERS, *_UNEVALUATED, "patternProperties", "extends"),
        *("dependencies", "dependentRequired", "dependentSchemas", "exclusiveMinimum", "exclusiveMaximum"),
        "divisibleBy",
    }
)
"""What most parts have nothing of."""
_MOST_LEVELS: Final = 60
"""What is deeper is left open."""


def normal(schema: Any) -> JsonSchema:
    """Return the plain form of a schema."""
    return _Normaliser(schema).whole()


class _Normaliser:
    def __init__(self, root: Any) -> None:
        self._root: JsonSchema = root if isinstance(root, dict) else {}
        self._places = Places(self._root)
        self._names: dict[int, str] = {}
        self._taken: set[str] = set()
        self._waiting: list[tuple[str, JsonSchema]] = []

    def whole(self) -> JsonSchema:
        schema = self._node(self._root, 0, guess=True)
        definitions: dict[str, JsonSchema] = {}
        # Not one within the other: a chain of them may be longer than the stack is deep.
        while self._waiting:
            name, target = self._waiting.pop()
            definitions[name] = self._node(target, 0, guess=True)
        return {**schema, "$defs": definitions} if definitions else schema

    def _node(self, node: Any, level: int, *, guess: bool) -> JsonSchema:
        """Return the plain form of a part.

        Args:
            node: The part.
            level: How deep it is.
            guess: Whether its type is to be guessed where it is not said: not of what stands beside a type.
        """
        if node is False:
            return dict(NEVER)
        if not isinstance(node, dict) or level > _MOST_LEVELS:
            return {}
        rare = not _RARE.isdisjoint(node) or isinstance(node.get("type"), list)
        for key in _REFERENCES if rare else ():
            if isinstance(node.get(key), str):
                return self._reference(node, key, level, guess=guess)
        plain: JsonSchema = {key: value for key, value in node.items() if key in _PLAIN and is_sound(key, value)}
        _add_values(plain, node)
        _add_type(plain, node, guess=guess)
        self._add_object(plain, node, level)
        self._add_array(plain, node, level)
        if not rare:
            return without_foreign(plain)
        _mend_bounds(plain, node)
        below = guess and "type" not in plain
        self._add_subschemas(plain, node, level, guess=below)
        return without_foreign(self._with_combinators(plain, node, level, guess=below))

    def _reference(self, node: JsonSchema, key: str, level: int, *, guess: bool) -> JsonSchema:
        """Return a reference to a definition of the root, made one where it is none."""
        beside = {name: value for name, value in node.items() if name not in (key, "$defs", "definitions")}
        target = self._places.at(node[key])
        said = self._node(beside, level, guess=guess and not isinstance(target, dict)) if beside else {}
        if target is False:
            return dict(NEVER)
        if not isinstance(target, dict):
            return said
        if id(target) not in self._names:
            name = self._names[id(target)] = self._free(node[key].rpartition("/")[2])
            self._waiting.append((name, target))
        return _joined({"$ref": f"#/$defs/{self._names[id(target)]}"}, said)

    def _free(self, wanted: str) -> str:
        plain = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in wanted.strip("#"))[:60]
        name, number = plain or "Root", 1
        while name in self._taken:
            number += 1
            name = f"{plain or 'Root'}_{number}"
        self._taken.add(name)
        return name

    def _add_object(self, plain: JsonSchema, node: JsonSchema, level: int) -> None:
        if "object" in plain.get("type", ()) or "properties" in node:
            given = node.get("properties")
            given = given if isinstance(given, dict) else {}
            plain["properties"] = {str(name): self._node(sub, level + 1, guess=True) for name, sub in given.items()}
        else:
            given = {}
            if "type" in plain:
                return
        required = node.get("required")
        named = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
        # Of older drafts: each property says for itself whether it is required.
        named += [name for name, sub in given.items() if isinstance(sub, dict) and sub.get("required") is True]
        if named:
            plain["required"] = list(dict.fromkeys(named))
        more = node.get("additionalProperties")
        if isinstance(more, bool):
            plain["additionalProperties"] = more
        elif isinstance(more, dict):
            plain["additionalProperties"] = self._node(more, level + 1, guess=True)

    def _add_array(self, plain: JsonSchema, node: JsonSchema, level: int) -> None:
        if "array" not in plain.get("type", ()) and "items" not in node and "prefixItems" not in node:
            return
        items, prefix = node.get("items"), node.get("prefixItems")
        if isinstance(items, list):
            prefix, items = items, node.get("additionalItems", True)
        rest = self._node(items, level + 1, guess=True)
        if isinstance(prefix, list) and prefix:
            plain["prefixItems"] = [self._node(sub, level + 1, guess=True) for sub in prefix]
            plain["items"] = False if items is False else rest
        else:
            plain["items"] = rest

    def _add_subschemas(self, plain: JsonSchema, node: JsonSchema, level: int, *, guess: bool) -> None:
        for key in _IN_PLACE:
            if isinstance(node.get(key), dict | bool):
                plain[key] = self._node(node[key], level + 1, guess=guess)
        for key in _OF_OTHERS:
            if isinstance(node.get(key), dict | bool):
                plain[key] = self._node(node[key], level + 1, guess=key != "propertyNames")
        for key in _UNEVALUATED:
            if isinstance(node.get(key), dict | bool):
                plain[key] = node[key] and self._node(node[key], level + 1, guess=True)
        if isinstance(node.get("patternProperties"), dict):
            subs = node["patternProperties"].items()
            plain["patternProperties"] = {str(name): self._node(sub, level + 1, guess=True) for name, sub in subs}
        needs, schemas = _dependencies(node)
        if needs:
            plain["dependentRequired"] = needs
        if schemas:
            subs = schemas.items()
            plain["dependentSchemas"] = {str(name): self._node(sub, level + 1, guess=guess) for name, sub in subs}

    def _with_combinators(self, plain: JsonSchema, node: JsonSchema, level: int, *, guess: bool) -> JsonSchema:
        only: list[JsonSchema] = []
        for key in COMBINATORS:
            subs = [self._node(sub, level + 1, guess=guess) for sub in _members(node, key)]
            if key == "allOf":
                subs = [sub for sub in subs if sub]
            elif subs:
                subs = [sub for sub in subs if sub != NEVER] or [dict(NEVER)]
            if key == "anyOf" and subs and node.get("nullable") is True and "type" not in plain:
                subs.append({"type": "null"})
            if len(subs) > 1:
                plain[key] = subs
            only += subs if len(subs) == 1 else []
        for sub in only:
            plain = _joined(sub, plain)
        return plain


def _members(node: JsonSchema, key: str) -> Iterable[Any]:
    """Return what a combinator combines; of the third draft, too, which had others."""
    members = node.get(key)
    found = [one for one in members if isinstance(one, dict | bool)] if isinstance(members, list) else []
    if key == "allOf" and "extends" in node:
        parents = node["extends"] if isinstance(node["extends"], list) else [node["extends"]]
        found += [one for one in parents if isinstance(one, dict)]
    if key == "anyOf" and isinstance(node.get("type"), list):
        subs = [one for one in node["type"] if isinstance(one, dict)]
        if subs and not found:
            found = [*({"type": name} for name in known_types(node["type"])), *subs]
    return found


def _joined(only: JsonSchema, beside: JsonSchema) -> JsonSchema:
    """Return a reference, or an only member, together with what stands beside it."""
    said = beside.keys() - WORDS
    if not said:
        return {**only, **beside}
    if not only.keys() - WORDS:
        return {**only, **beside}
    apart = {"$ref", "items", "if", "contains", "additionalProperties", "patternProperties", "unevaluatedProperties"}
    if said.isdisjoint(only.keys()) and apart.isdisjoint(said | only.keys()):
        return {**only, **beside}
    words = {key: value for key, value in beside.items() if key in WORDS}
    return {"allOf": [only, {key: value for key, value in beside.items() if key not in WORDS}], **words}


def _add_values(plain: JsonSchema, node: JsonSchema) -> None:
    if "const" in node:
        plain["enum"] = [node["const"]]
    elif isinstance(node.get("enum"), list) and node["enum"]:
        plain["enum"] = list({json_key(value): value for value in node["enum"]}.values())


def _add_type(plain: JsonSchema, node: JsonSchema, *, guess: bool) -> None:
    given = node.get("type")
    combined = any(isinstance(one, dict) for one in given) if isinstance(given, list) else False
    types = [] if combined else known_types(given)
    if "enum" in plain:
        fitting = [value for value in plain["enum"] if type_of(value, types)] if types else []
        # Where none of the values is of the type, the values are what was meant.
        plain["enum"] = fitting or plain["enum"]
        types = list(dict.fromkeys(type_of(value, types if fitting else ()) for value in plain["enum"]))
    elif not types and guess and not combined:
        types = guessed_types(node)
    if node.get("nullable") is True and types and "null" not in types:
        types.append("null")
        if "enum" in plain:
            plain["enum"] = [*plain["enum"], None]
    if types:
        plain["type"] = types[0] if len(types) == 1 else types


def _mend_bounds(plain: JsonSchema, node: JsonSchema) -> None:
    """Bring bounds of older drafts, which are flags beside others, into numbers."""
    for flag, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if node.get(flag) is True and bound in plain:
            plain[flag] = plain.pop(bound)
    if "divisibleBy" in node and is_sound("multipleOf", node["divisibleBy"]):
        plain.setdefault("multipleOf", node["divisibleBy"])


def _dependencies(node: JsonSchema) -> tuple[dict[str, list[str]], dict[str, Any]]:
    """Return which properties need others, and which have their object fit more."""
    needs: dict[str, list[str]] = {}
    schemas: dict[str, Any] = {}
    for key in ("dependencies", "dependentRequired", "dependentSchemas"):
        for name, what in node[key].items() if isinstance(node.get(key), dict) else ():
            if isinstance(what, str):
                needs[name] = [what]
            elif isinstance(what, list):
                needs[name] = list(dict.fromkeys(one for one in what if isinstance(one, str)))
            elif isinstance(what, dict | bool):
                schemas[name] = what
    return needs, schemas
