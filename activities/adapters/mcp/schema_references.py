"""Tells whether the references in a schema lead to something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

_Schema = dict[str, Any]


def broken_reference(root: _Schema, inside: Sequence[_Schema]) -> str:
    """Return why a reference leads nowhere; empty where each leads somewhere.

    Args:
        root: The schema.
        inside: It and all schemas in it.
    """
    references = _References(root, inside)
    found = (schema[key] for schema in inside for key in ("$ref", "$dynamicRef") if key in schema)
    return next((why for one in found if (why := references.why_broken(one))), "")


class _References:
    """Where the references of one schema may lead."""

    def __init__(self, root: _Schema, inside: Sequence[_Schema]) -> None:
        self._documents = [root, *(schema for schema in inside if "$id" in schema)]
        self._ids = {str(schema["$id"]).removesuffix("#") for schema in inside if "$id" in schema}
        self._anchors = {schema[key] for schema in inside for key in ("$anchor", "$dynamicAnchor") if key in schema}
        self._ending: set[int] = set()
        """Schemas from which references do not lead in a circle."""

    def why_broken(self, reference: str) -> str:
        base, _, place = reference.partition("#")
        if base and not any(one == base or one.endswith(f"/{base}") for one in self._ids):
            return f"its inputSchema refers to another document, {reference!r}"
        nowhere = f"its inputSchema refers to {reference!r}, where nothing is"
        if place and not place.startswith("/"):
            return "" if place in self._anchors else nowhere
        target = self._target(place)
        if not isinstance(target, dict | bool):
            return nowhere
        circle = f"its inputSchema refers to {reference!r}, which refers to itself"
        return circle if isinstance(target, dict) and self._is_circle(target) else ""

    def _target(self, place: str) -> Any:
        return next((found for one in self._documents if (found := _at(place, one)) is not None), None)

    def _is_circle(self, start: _Schema) -> bool:
        """Return whether a schema is nothing but a reference that leads back to it."""
        passed: set[int] = set()
        target: Any = start
        while isinstance(target, dict) and isinstance(target.get("$ref"), str) and id(target) not in self._ending:
            if id(target) in passed:
                return True
            passed.add(id(target))
            base, _, place = target["$ref"].partition("#")
            if base or (place and not place.startswith("/")):
                break
            target = self._target(place)
        self._ending |= passed
        return False


def _at(place: str, document: Any) -> Any:
    found = document
    for step in unquote(place).split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict):
            found = found.get(name)
        elif isinstance(found, list) and name.isdecimal() and len(name) < 6 and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found
