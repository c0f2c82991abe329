"""Fits a JSON schema to what a provider takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from .alternatives import alternatives, always_written, nullable
from .bounds import TooManyOptionalError, hold_to_bounds
from .cases import Cases
from .definitions import Definitions, definition_name
from .kept import SUBSCHEMAS, described, kept
from .keywords import COMBINATORS, JsonSchema
from .names import PropertyNames
from .normal import NEVER, normal
from .restoring import FittedSchema, Restoring, place_name
from .root import flattened
from .rules import InexpressibleError, SchemaRules

Fitted = tuple[JsonSchema, Restoring | None]

_MOST_PARTS: Final = 20_000
_MOST_COPIES: Final = 1_000
"""Parts of definitions that are written out again."""
_DEEPEST: Final = 80
_HAVE_PARTS: Final = SUBSCHEMAS | {*COMBINATORS, "dependentRequired"}


def fit_schema(schema: Any, rules: SchemaRules) -> FittedSchema:
    """Return the schema as the rules take it.

    Raises:
        InexpressibleError: The rules are strict, and cannot say it.
    """
    root = normal(schema)
    definitions = Definitions(root.pop("$defs", {}))
    try:
        return _Fitting(rules, root, definitions).whole()
    except TooManyOptionalError:
        return _Fitting(replace(rules, all_required=True), root, definitions).whole()


class _Fitting:
    def __init__(self, rules: SchemaRules, root: JsonSchema, definitions: Definitions) -> None:
        self._rules = rules
        self._root = root
        self._definitions = definitions
        self._cases = Cases(definitions, rules)
        self._names = PropertyNames(rules.property_names, root, definitions)
        self._sent: dict[str, JsonSchema] = {}
        self._ways: dict[str, Restoring] = {}
        self._waiting: list[str] = []
        self._open: list[str] = []
        self._written: set[str] = set()
        self._parts = self._copies = self._copying = self._depth = self._dropped = 0
        self._changes = False

    def whole(self) -> FittedSchema:
        rules = self._rules
        root = self._cases.simple({"allOf": [self._root]}) if rules.strict else flattened(self._root, self._definitions)
        if root.get("type") == "object" and not rules.free_objects and _takes_nothing(root):
            return FittedSchema({})
        fitted, way = self.node(root)
        if fitted.get("type") != "object":
            closed = {"additionalProperties": False} if rules.additional else {}
            fitted = {"type": "object", "properties": {"value": fitted}, "required": ["value"], **closed}
            way, self._changes = Restoring(wraps=way or Restoring()), True
        while self._waiting:
            name = self._waiting.pop()
            self._sent[name], below = self.node(self._definitions[name])
            self._ways[name].either += [below] if below else []
        if self._sent:
            fitted["$defs"] = self._sent
        if rules.bounds:
            hold_to_bounds(fitted, rules.bounds)
        return FittedSchema(fitted, way if self._changes else None)

    def node(self, node: JsonSchema) -> Fitted:
        self._parts += 1
        self._copies += self._copying
        if self._depth > _DEEPEST or self._parts > _MOST_PARTS or self._copies > _MOST_COPIES:
            return self._free(node, "it is too large")
        self._depth += 1
        try:
            if not self._rules.combined:
                node = self._cases.simple(node)
            return self._reference(node) if "$ref" in node else self._part(node)
        finally:
            self._depth -= 1

    def _reference(self, node: JsonSchema) -> Fitted:
        name = definition_name(node["$ref"])
        beside = {key: value for key, value in node.items() if key != "$ref"}
        if not self._rules.recursion and self._definitions.is_recursive(name) and name in self._open:
            return self._free({**self._definitions[name], **beside}, "it contains itself")
        if self._is_written_out(name, beside):
            again = name in self._written
            self._written.add(name)
            self._open.append(name)
            self._copying += again
            try:
                return self.node({**self._definitions[name], **beside})
            finally:
                self._copying -= again
                self._open.pop()
        if name not in self._ways:
            self._ways[name] = Restoring()
            self._waiting.append(name)
        return dict(node) if self._rules.beside_reference else {"$ref": node["$ref"]}, self._ways[name]

    def _is_written_out(self, name: str, beside: JsonSchema) -> bool:
        if not self._rules.references:
            return True
        if self._definitions.is_recursive(name):
            return not self._rules.recursion
        return not self._rules.beside_reference and "description" in beside and self._copies < _MOST_COPIES // 2

    def _part(self, node: JsonSchema) -> Fitted:
        rules = self._rules
        if self._is_free(node):
            return self._free(node, "a value may be anything")
        if rules.several_types == "nullable" and "nullable" not in node:
            said = nullable(node)
            if said is not node:
                return self.node(said)
        is_tuple = "prefixItems" in node and "prefixItems" not in rules.keywords
        if isinstance(node.get("type"), list) and (rules.several_types != "list" or (is_tuple and rules.strict)):
            node, is_tuple = alternatives(node), False
        if is_tuple:
            return self._tuple(node)
        fitted, notes = kept(node, rules)
        self._dropped += len(notes)
        way = Restoring()
        self._add_object(fitted, node, way)
        self._add_array(fitted, node, way)
        self._add_subschemas(fitted, node, way)
        return described(fitted, notes), None if way.is_idle else way

    def _is_free(self, node: JsonSchema) -> bool:
        """Return whether a value may be anything at all, and that cannot be said."""
        if node.keys().isdisjoint(("type", "enum", *COMBINATORS)):
            return not self._rules.untyped
        return not self._rules.free_objects and node.get("type") == "object" and not _names_any(node)

    def _free(self, node: JsonSchema, why: str) -> Fitted:
        """Return what takes anything, or any object where it is of one."""
        if self._rules.strict:
            raise InexpressibleError(why)
        said: JsonSchema = {key: node[key] for key in ("title", "description", "nullable") if key in node}
        is_object = node.get("type") == "object"
        self._dropped += 1
        if self._rules.untyped:
            return said | ({"type": "object", "properties": {}} if is_object else {}), None
        self._changes = True
        note = f"(a{'n object' if is_object else ' value'} in JSON, as text)"
        _, notes = kept(node, self._rules)
        return described({"type": "string", **said}, [note, *notes]), Restoring(text="object" if is_object else "any")

    def _add_object(self, fitted: JsonSchema, node: JsonSchema, way: Restoring) -> None:
        properties = node.get("properties")
        required = [name for name in node.get("required", ()) if properties is None or properties.get(name) != NEVER]
        if properties is not None:
            _check_may_be_closed(node, self._rules)
            # What is required has to be there, even where nothing is said of it.
            given = {**properties, **{name: {} for name in required if name not in properties}}
            given = {own: sub for own, sub in given.items() if sub != NEVER}
            fitted["properties"] = {self._names.sent(own): self._property(own, sub, way) for own, sub in given.items()}
            required = self._required(required, given)
        if required or (self._rules.all_required and properties is not None):
            fitted["required"] = [self._names.sent(own) for own in required]
        self._add_additional(fitted, node, way)

    def _required(self, required: list[str], given: dict[str, JsonSchema]) -> list[str]:
        if self._rules.all_required:
            return list(given)
        if self._rules.strict:
            return always_written(required, given)
        return required

    def _property(self, own: str, sub: JsonSchema, way: Restoring) -> JsonSchema:
        name = self._names.sent(own)
        fitted, below = self.node(sub)
        if below:
            way.properties[name] = below
        if name == own:
            return fitted
        way.names[name] = own
        self._changes = True
        return described(fitted, [f"the property {own!r}"])

    def _add_additional(self, fitted: JsonSchema, node: JsonSchema, way: Restoring) -> None:
        more = node.get("additionalProperties")
        if self._rules.strict:
            if "properties" in node:
                fitted["additionalProperties"] = False
        elif not self._rules.additional or (
            "patternProperties" in node and "patternProperties" not in self._rules.keywords
        ):
            return
        elif isinstance(more, bool):
            fitted["additionalProperties"] = more
        elif more is not None:
            fitted["additionalProperties"], way.rest = self.node(more) if more else (True, None)
        if way.rest:
            way.properties = {name: Restoring() for name in fitted.get("properties", ())} | way.properties

    def _add_array(self, fitted: JsonSchema, node: JsonSchema, way: Restoring) -> None:
        if "items" not in node:
            return
        found: list[Fitted] = [self.node(sub) for sub in node.get("prefixItems", ())]
        if found:
            fitted["prefixItems"] = [sub for sub, _ in found]
        if node["items"] is False:
            fitted["items"] = False
        else:
            found.append(self.node(node["items"]))
            fitted["items"] = found[-1][0]
        way.items = _either(way.items, *(below for _, below in found))

    def _add_subschemas(self, fitted: JsonSchema, node: JsonSchema, way: Restoring) -> None:
        if _HAVE_PARTS.isdisjoint(node):
            return
        for key in COMBINATORS:
            if key in node:
                members = [self.node(member) for member in node[key]]
                fitted[key] = [member for member, _ in members]
                way.either += [below for _, below in members if below]
        # In the order of the schema: a provider knows again only what is the same to the letter.
        for key in [key for key in node if key in SUBSCHEMAS and key in self._rules.keywords]:
            if node[key] is False:
                fitted[key] = False
            elif key in ("patternProperties", "dependentSchemas"):
                subs = {name: self.node(sub) for name, sub in node[key].items()}
                names = {name: name if key == "patternProperties" else self._names.sent(name) for name in subs}
                fitted[key] = {names[name]: sub for name, (sub, _) in subs.items()}
                _place(key, way, [below for _, below in subs.values()])
            else:
                self._add_subschema(fitted, key, node[key], way)
        if "if" not in fitted:
            fitted.pop("then", None)
            fitted.pop("else", None)
        if "dependentRequired" in fitted:
            sent = self._names.sent
            fitted["dependentRequired"] = {
                sent(name): [sent(one) for one in needed] for name, needed in node["dependentRequired"].items()
            }

    def _add_subschema(self, fitted: JsonSchema, key: str, sub: JsonSchema, way: Restoring) -> None:
        before = self._dropped
        found, below = self.node(sub)
        # Of what must not be, less said is more forbidden.
        if key not in ("not", "if") or self._dropped == before:
            fitted[key] = found
            _place(key, way, [below])

    def _tuple(self, node: JsonSchema) -> Fitted:
        """Say a tuple as a list of so many, or as an object that has its places."""
        prefix = node["prefixItems"]
        places = prefix[: node.get("maxItems", len(prefix))]
        is_closed = node["items"] is False or node.get("maxItems", len(prefix) + 1) <= len(prefix)
        kinds = [sub for index, sub in enumerate(places) if sub not in places[:index]]
        if self._rules.strict:
            if (node["items"] and not is_closed) or not len(places) >= max(1, node.get("minItems", 0)):
                raise InexpressibleError("a list has more than its first members")
            if len(kinds) > 1 or not {"minItems", "maxItems"} <= self._rules.keywords:
                return self._as_object(node, places)
            node = {**node, "minItems": len(places), "maxItems": len(places)}
        else:
            words = [sub.get("description") or sub.get("title") or str(sub.get("type", "anything")) for sub in places]
            count = "exactly " if node.get("minItems") == len(places) else "no more than "
            note = f"{count if is_closed else ''}{len(places)} in this order: {', '.join(words)}"
            node = {**node, "description": " ".join(filter(None, (node.get("description"), note)))}
            node |= {"maxItems": len(places)} if is_closed else {}
            kinds += [node["items"]] if node["items"] and not is_closed else []
        whole = {key: value for key, value in node.items() if key != "prefixItems"}
        return self._part(whole | {"items": kinds[0] if len(kinds) == 1 else {"anyOf": kinds}})

    def _as_object(self, node: JsonSchema, places: list[JsonSchema]) -> Fitted:
        beside = {
            key: value for key, value in node.items() if key not in ("prefixItems", "items", "minItems", "maxItems")
        }
        fitted, notes = kept({**beside, "type": "object"}, self._rules)
        found = [self.node(sub) for sub in places]
        fitted["properties"] = {place_name(index): sub for index, (sub, _) in enumerate(found)}
        fitted |= {"required": list(fitted["properties"]), "additionalProperties": False}
        self._changes = True
        return described(fitted, notes), Restoring(places=tuple(below or Restoring() for _, below in found))


def _names_any(node: JsonSchema) -> bool:
    properties = node.get("properties", {})
    return any(properties.get(name) != NEVER for name in (*properties, *node.get("required", ())))


def _takes_nothing(node: JsonSchema) -> bool:
    open_for = node.get("additionalProperties", False) is not False or "patternProperties" in node
    return not _names_any(node) and not open_for


def _check_may_be_closed(node: JsonSchema, rules: SchemaRules) -> None:
    more = node.get("additionalProperties")
    if rules.strict and (more not in (None, False) or (more is None and not _names_any(node))):
        raise InexpressibleError("an object may have any property")


def _either(*ways: Restoring | None) -> Restoring | None:
    found = [way for way in ways if way]
    return found[0] if len(found) == 1 else Restoring(either=found) if found else None


def _place(key: str, way: Restoring, below: list[Restoring | None]) -> None:
    """Put what is to be done below a keyword where such values are."""
    if key in ("contains", "unevaluatedItems"):
        way.items = _either(way.items, *below)
    elif key in ("patternProperties", "unevaluatedProperties"):
        way.rest = _either(way.rest, *below)
    elif key != "propertyNames":
        way.either += [one for one in below if one]
