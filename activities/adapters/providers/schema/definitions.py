"""The definitions of a schema, and which of them contain themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .keywords import JsonSchema


class Definitions(dict[str, JsonSchema]):
    """The definitions of a schema by their names."""

    _circular: frozenset[str] | None = None

    def is_recursive(self, name: str) -> bool:
        """Return whether a definition contains itself, or one that does."""
        if self._circular is None:
            self._circular = self._find_circular()
        return name in self._circular

    def within(self) -> dict[str, list[str]]:
        """Return for each definition those that contain it."""
        found: dict[str, list[str]] = {name: [] for name in self}
        for name, node in self.items():
            for other in set(_references(node)):
                found[other].append(name)
        return found

    def _find_circular(self) -> frozenset[str]:
        """Return what contains itself, or what does.

        That is left when those are taken away, time and again, that contain none of the others.
        """
        within = self.within()
        contained = dict.fromkeys(self, 0)
        for outers in within.values():
            for outer in outers:
                contained[outer] += 1
        ended = [name for name, others in contained.items() if not others]
        while ended:
            name = ended.pop()
            del contained[name]
            for outer in within[name]:
                contained[outer] -= 1
                if not contained[outer]:
                    ended.append(outer)
        return frozenset(contained)


def definition_name(reference: str) -> str:
    """Return the name of the definition that a reference leads to."""
    return reference.rpartition("/")[2]


def _references(node: Any) -> Iterator[str]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one.get("$ref"), str):
                yield definition_name(one["$ref"])
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
