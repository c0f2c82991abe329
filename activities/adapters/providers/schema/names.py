"""Gives properties names that are taken, the same wherever they stand."""

from __future__ import annotations

import re
from typing import Any, Final

_LONGEST: Final = 56


class PropertyNames:
    """The names that the properties of a schema go by.

    Args:
        taken: What names may be like; None: like anything.
        *schemas: All that has properties.
    """

    def __init__(self, taken: re.Pattern[str] | None, *schemas: Any) -> None:
        self._pattern = taken
        self._schemas = schemas
        self._given: dict[str, str] = {}
        self._own: set[str] = set()

    def sent(self, own: str) -> str:
        """Return the name that a property goes by: its own, or one that no other has."""
        if self._pattern is None or self._pattern.fullmatch(own):
            return own
        if own not in self._given:
            self._own = self._own or _names_in(self._schemas)
            plain = re.sub(r"[^a-zA-Z0-9_]+", "_", own).strip("_")[:_LONGEST] or "property"
            plain = plain if plain[0].isalpha() else f"p_{plain}"
            name, number = plain, 1
            while name in self._own:
                number += 1
                name = f"{plain}_{number}"
            self._own.add(name)
            self._given[own] = name
        return self._given[own]


def _names_in(schemas: Any) -> set[str]:
    found: set[str] = set()
    waiting = list(schemas)
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            found.update(node.get("properties", ()))
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return found
