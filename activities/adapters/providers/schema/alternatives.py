"""Says in other keywords what is said by `allOf`, or by several types at once."""

from __future__ import annotations

from .normal import Schema


def merge(one: Schema, other: Schema) -> Schema:
    """Return a schema of what fits both.

    Where they say different things by one keyword, the first one counts.
    """
    merged = {**other, **one}
    if "properties" in one and "properties" in other:
        merged["properties"] = {**other["properties"], **one["properties"]}
    if "required" in one or "required" in other:
        merged["required"] = list(dict.fromkeys([*one.get("required", ()), *other.get("required", ())]))
    if "allOf" in one and "allOf" in other:
        merged["allOf"] = [*one["allOf"], *other["allOf"]]
    return merged


def alternatives(node: Schema) -> Schema:
    """Say a value of several types as one of several values."""
    shared: Schema = {key: node[key] for key in _WORDS if key in node}
    own = {key: value for key, value in node.items() if key not in (*_WORDS, "type")}
    return {**shared, "anyOf": [{**_of_type(own, kind), "type": kind} for kind in node["type"]]}


def nullable(node: Schema) -> Schema:
    """Say by `nullable` that a value may be null."""
    if isinstance(node.get("type"), list) and "null" in node["type"]:
        types = [kind for kind in node["type"] if kind != "null"]
        plain = {**node, "type": types[0] if len(types) == 1 else types, "nullable": True}
        if "enum" in plain:
            plain["enum"] = [value for value in plain["enum"] if value is not None]
        return plain
    for key in ("anyOf", "oneOf"):
        members = [member for member in node.get(key, ()) if member.get("type") != "null"]
        if members and len(members) < len(node[key]):
            beside = {one: value for one, value in node.items() if one != key} | {"nullable": True}
            return {**members[0], **beside} if len(members) == 1 else {**beside, key: members}
    return node


_WORDS = ("title", "description", "default")
_OF_OBJECTS = ("properties", "required", "additionalProperties")
_OF_ARRAYS = ("items", "prefixItems")
_PYTHON: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}


def _of_type(own: Schema, kind: str) -> Schema:
    foreign = (() if kind == "object" else _OF_OBJECTS) + (() if kind == "array" else _OF_ARRAYS)
    kept = {key: value for key, value in own.items() if key not in foreign}
    if "enum" in kept:
        kept["enum"] = [value for value in kept["enum"] if _is_of(value, kind)]
    return kept


def _is_of(value: object, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _PYTHON.get(kind, (object,)))
