"""Makes the root of a schema a plain object: every provider wants that of a tool."""

from __future__ import annotations

from .normal import Schema

_COMBINATORS = ("anyOf", "oneOf", "allOf")


def flattened(schema: Schema) -> Schema:
    """Return a schema whose root has neither a reference nor combinators.

    What may be one of several objects becomes one with the properties of all, of which only those are required that are
    required in each.
    """
    definitions = schema.get("$defs", {})
    root = _flat({key: value for key, value in schema.items() if key != "$defs"}, definitions, ())
    root["type"] = "object"
    root.setdefault("properties", {})
    return root | ({"$defs": definitions} if definitions else {})


def _flat(node: Schema, definitions: dict[str, Schema], within: tuple[str, ...]) -> Schema:
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        if name in within:
            return {}
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return _flat({**definitions[name], **beside}, definitions, (*within, name))
    whole = {key: value for key, value in node.items() if key not in _COMBINATORS}
    if whole.get("type") != "object":
        whole.pop("enum", None)
    for key in _COMBINATORS:
        members = [_flat(member, definitions, within) for member in node.get(key, ())]
        objects = [member for member in members if "properties" in member]
        if objects:
            whole = _together(whole, objects, every=key == "allOf")
    return whole


def _together(whole: Schema, members: list[Schema], *, every: bool) -> Schema:
    properties = dict(whole.get("properties", {}))
    for member in members:
        for name, sub in member["properties"].items():
            known = properties.get(name)
            properties[name] = sub if known in (None, sub) else _either(known, sub)
    required = [set(member.get("required", ())) for member in members]
    needed = set.union(*required) if every else set.intersection(*required)
    named = [name for name in properties if name in needed or name in whole.get("required", ())]
    open_ones = [member for member in members if member.get("additionalProperties") not in (None, False)]
    said = {"properties": properties} | ({"required": named} if named else {})
    more = {"additionalProperties": open_ones[0]["additionalProperties"]} if open_ones else {}
    return {**members[0], **whole, **said, **more} if every else {**whole, **said, **more}


def _either(one: Schema, other: Schema) -> Schema:
    both = [*one["anyOf"], other] if set(one) == {"anyOf"} else [one, other]
    enums = [sub.get("enum") for sub in both]
    if all(
        enum and sub.keys() <= {"enum", "type", "description", "title"} for enum, sub in zip(enums, both, strict=True)
    ):
        values = [value for enum in enums for value in enum or ()]
        return {**both[0], "enum": [value for index, value in enumerate(values) if value not in values[:index]]}
    return {"anyOf": both}
