"""Brings a JSON schema of any draft into one plain form.

The form: every reference is to `#/$defs/…` and leads somewhere; types are known ones, and there where they can be told;
an object has `properties`, an array `items`; tuples are `prefixItems`; a single value is an `enum`; a combinator has at
least two members. Keywords that say nothing of values are gone, as is what no reader could make sense of.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote

Schema = dict[str, Any]

_TYPE_NAMES: Final = {
    **{name: name for name in ("object", "array", "string", "number", "integer", "boolean", "null")},
    "str": "string",
    "text": "string",
    "int": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "bool": "boolean",
    "dict": "object",
    "map": "object",
    "list": "array",
}
_OF_VALUES: Final = {bool: "boolean", str: "string", int: "integer", float: "number", type(None): "null"}
_HINTS: Final = (
    (
        "object",
        ("properties", "patternProperties", "additionalProperties", "minProperties", "maxProperties", "required"),
    ),
    ("array", ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains")),
    ("string", ("minLength", "maxLength", "pattern", "format")),
    ("number", ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")),
)
_PLAIN: Final = frozenset(
    {
        *("title", "description", "default", "examples", "format", "pattern", "minLength", "maxLength", "minimum"),
        *("maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems"),
        *("minProperties", "maxProperties", "minContains", "maxContains", "dependentRequired", "deprecated"),
    }
)
_COMBINATORS: Final = ("anyOf", "oneOf", "allOf")
_SINGLE: Final = ("not", "if", "then", "else", "contains", "propertyNames", "unevaluatedProperties", "unevaluatedItems")
_NAMED: Final = ("patternProperties", "dependentSchemas")
_MOST_LEVELS: Final = 60


def normal(schema: Any) -> Schema:
    """Return the plain form of a schema, an object at its root."""
    return _Normaliser(schema).whole()


class _Normaliser:
    def __init__(self, root: Any) -> None:
        self._root = root if isinstance(root, dict) else {}
        self._names: dict[str, str] = {}
        self._defs: dict[str, Schema] = {}

    def whole(self) -> Schema:
        schema = self._node(self._root, 0)
        if not {"type", "$ref", *_COMBINATORS} & schema.keys():
            schema = {"type": "object", "properties": {}, **schema}
        return schema | ({"$defs": self._defs} if self._defs else {})

    def _node(self, node: Any, level: int) -> Schema:
        if not isinstance(node, dict) or level > _MOST_LEVELS:
            return {}
        if isinstance(node.get("$ref"), str):
            return self._reference(node, level)
        plain: Schema = {key: value for key, value in node.items() if key in _PLAIN and value is not None}
        _mend_texts(plain)
        _mend_bounds(plain, node)
        self._add_values(plain, node)
        self._add_type(plain, node)
        self._add_object(plain, node, level)
        self._add_array(plain, node, level)
        for key in _SINGLE:
            if isinstance(node.get(key), dict):
                plain[key] = self._node(node[key], level + 1)
        for key in _NAMED:
            if isinstance(node.get(key), dict):
                plain[key] = {str(name): self._node(sub, level + 1) for name, sub in node[key].items()}
        return self._with_combinators(plain, node, level)

    def _reference(self, node: Schema, level: int) -> Schema:
        """Return a reference to a definition of the root, made one where it is none."""
        reference = node["$ref"]
        beside = {key: value for key, value in node.items() if key not in ("$ref", "$defs", "definitions")}
        target = _at(self._root, reference)
        if target is None:
            return self._node(beside, level)
        if reference not in self._names:
            self._names[reference] = self._free(reference.rpartition("/")[2])
            self._defs[self._names[reference]] = {}
            self._defs[self._names[reference]] = self._node(target, 0)
        link: Schema = {"$ref": f"#/$defs/{self._names[reference]}"}
        said = self._node(beside, level)
        words = {key: said.pop(key) for key in ("title", "description", "default", "examples") if key in said}
        return ({"allOf": [link, said]} if said else link) | words

    def _free(self, wanted: str) -> str:
        name = (
            "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in wanted.strip("#")) or "Root"
        )
        taken, number = set(self._names.values()), 1
        while (free := name if number == 1 else f"{name}_{number}") in taken:
            number += 1
        return free

    def _add_values(self, plain: Schema, node: Schema) -> None:
        if "const" in node:
            plain["enum"] = [node["const"]]
        elif isinstance(node.get("enum"), list) and node["enum"]:
            plain["enum"] = node["enum"]

    def _add_type(self, plain: Schema, node: Schema) -> None:
        given = node.get("type")
        names = [name.lower() for name in (given if isinstance(given, list) else [given]) if isinstance(name, str)]
        types = list(dict.fromkeys(_TYPE_NAMES[name] for name in names if name in _TYPE_NAMES))
        if not types and "enum" in plain:
            types = list(dict.fromkeys(_OF_VALUES[type(value)] for value in plain["enum"] if type(value) in _OF_VALUES))
        if not types and not any(key in node for key in _COMBINATORS):
            types = [kind for kind, hints in _HINTS if any(hint in node for hint in hints)][:1]
        if node.get("nullable") is True and types and "null" not in types:
            types.append("null")
        if types:
            plain["type"] = types[0] if len(types) == 1 else types

    def _add_object(self, plain: Schema, node: Schema, level: int) -> None:
        if "object" not in plain.get("type", "") and "properties" not in node:
            return
        given = node.get("properties")
        given = given if isinstance(given, dict) else {}
        plain["properties"] = {str(name): self._node(sub, level + 1) for name, sub in given.items() if sub is not False}
        required = node.get("required")
        named = [name for name in (required if isinstance(required, list) else ()) if name in plain["properties"]]
        # Of older drafts: each property says for itself whether it is required.
        named += [name for name, sub in given.items() if isinstance(sub, dict) and sub.get("required") is True]
        if named:
            plain["required"] = list(dict.fromkeys(named))
        more = node.get("additionalProperties")
        if isinstance(more, dict):
            plain["additionalProperties"] = self._node(more, level + 1)
        elif isinstance(more, bool):
            plain["additionalProperties"] = more

    def _add_array(self, plain: Schema, node: Schema, level: int) -> None:
        if "array" not in plain.get("type", "") and "items" not in node:
            return
        items, prefix = node.get("items"), node.get("prefixItems")
        if isinstance(items, list):
            prefix, items = items, node.get("additionalItems", True)
        if isinstance(prefix, list) and prefix:
            plain["prefixItems"] = [self._node(sub, level + 1) for sub in prefix]
            plain["items"] = False if items is False else self._node(items, level + 1)
        else:
            plain["items"] = self._node(items, level + 1)

    def _with_combinators(self, plain: Schema, node: Schema, level: int) -> Schema:
        for key in _COMBINATORS:
            members = node.get(key)
            subs = [self._node(sub, level + 1) for sub in (members if isinstance(members, list) else ())]
            if node.get("nullable") is True and key == "anyOf" and subs and "type" not in plain:
                subs.append({"type": "null"})
            if len(subs) > 1:
                plain[key] = subs
            elif subs:
                plain = _joined(subs[0], plain)
        return plain


def _joined(only: Schema, plain: Schema) -> Schema:
    """Return a combinator's one member together with what stands beside it."""
    if not only.keys() & plain.keys() - {"title", "description", "default", "examples"}:
        return {**only, **plain}
    return {"allOf": [only, plain]}


def _mend_texts(plain: Schema) -> None:
    for key in ("title", "description", "format", "pattern"):
        if key in plain and not isinstance(plain[key], str):
            del plain[key]


def _mend_bounds(plain: Schema, node: Schema) -> None:
    """Bring bounds of draft 4, which are flags beside others, into numbers."""
    for flag, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(node.get(flag), bool):
            del plain[flag]
            if node[flag] and bound in plain:
                plain[flag] = plain.pop(bound)
    for key in [key for key in plain if key.startswith(("min", "max", "exclusive", "multiple"))]:
        if isinstance(plain[key], bool) or not isinstance(plain[key], int | float):
            del plain[key]


def _at(root: Schema, reference: str) -> Any:
    """Return what a reference within a document leads to at last.

    None where it leads nowhere, or round in a circle.
    """
    passed: set[str] = set()
    while reference.startswith("#") and reference not in passed:
        passed.add(reference)
        found = _step_by_step(root, reference)
        if not isinstance(found, dict) or found.keys() != {"$ref"} or not isinstance(found["$ref"], str):
            return found
        reference = found["$ref"]
    return None


def _step_by_step(root: Schema, reference: str) -> Any:
    found: Any = root
    for step in filter(None, unquote(reference.removeprefix("#")).split("/")):
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found if isinstance(found, dict | bool) else None
