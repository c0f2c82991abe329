"""Finds what references within a document lead to."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from .keywords import JsonSchema


class Places:
    """The places of a document that references may lead to.

    Args:
        root: The document.
    """

    def __init__(self, root: JsonSchema) -> None:
        self._root = root
        self._named: dict[str, Any] | None = None

    def at(self, reference: str) -> JsonSchema | bool | None:
        """Return what a reference leads to at last; None for nothing, or a circle."""
        passed: set[str] = set()
        while reference not in passed:
            passed.add(reference)
            found = self._step(reference)
            if not isinstance(found, dict) or found.keys() != {"$ref"} or not isinstance(found["$ref"], str):
                return found
            reference = found["$ref"]
        return None

    def _step(self, reference: str) -> JsonSchema | bool | None:
        document, _, fragment = reference.partition("#")
        found: Any = self._by_name(document) if document else self._root
        if fragment and not fragment.startswith("/"):
            found = self._by_name(f"#{fragment}")
        for step in filter(None, unquote(fragment).split("/")) if fragment.startswith("/") else ():
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and name in found:
                found = found[name]
            elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
                found = found[int(name)]
            else:
                return None
        return found if isinstance(found, dict | bool) else None

    def _by_name(self, name: str) -> Any:
        """Return the part that goes by a name of its own: an id or an anchor."""
        if self._named is None:
            self._named = {}
            waiting: list[Any] = [self._root]
            while waiting:
                node = waiting.pop()
                if isinstance(node, dict):
                    for key, sign in (("$id", ""), ("id", ""), ("$anchor", "#"), ("$dynamicAnchor", "#")):
                        if isinstance(node.get(key), str):
                            self._named.setdefault(f"{sign}{node[key]}", node)
                    waiting.extend(node.values())
                elif isinstance(node, list):
                    waiting.extend(node)
        return self._named.get(name) or self._named.get(f"{name}#")
