"""Brings what a model writes into the form of the original schema, and back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from .normal import Schema


@dataclass(frozen=True, slots=True)
class Restoring:
    """What is to be done to a value to have it in the original's form."""

    names: dict[str, str] = field(default_factory=dict)
    """Properties that go by another name, and their own."""
    is_text: bool = False
    """Whether the value is the text of its JSON."""
    below: dict[str, Restoring] = field(default_factory=dict)
    """Of properties, by the names that they go by; `*` for the members of a list."""


@dataclass(frozen=True, slots=True)
class FittedSchema:
    """A schema as it is sent."""

    schema: Schema
    """Empty where there is nothing to say, and that may not be said."""
    restoring: Restoring | None = None
    """None where the model's values are right as they are."""

    def restored(self, value: Any) -> Any:
        """Return what the model wrote in the original's form."""
        return _restored(value, self.restoring) if self.restoring else value

    def renamed(self, value: Any) -> Any:
        """Return a value in the original's form as the model would write it."""
        return _renamed(value, self.restoring) if self.restoring else value


def _restored(value: Any, restoring: Restoring) -> Any:
    if restoring.is_text:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            return value
    if isinstance(value, dict):
        return {
            restoring.names.get(name, name): _restored(one, restoring.below[name]) if name in restoring.below else one
            for name, one in value.items()
        }
    if isinstance(value, list) and "*" in restoring.below:
        return [_restored(one, restoring.below["*"]) for one in value]
    return value


def _renamed(value: Any, restoring: Restoring) -> Any:
    if restoring.is_text:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        called = {own: name for name, own in restoring.names.items()}
        named = [(called.get(own, own), one) for own, one in value.items()]
        return {name: _renamed(one, restoring.below[name]) if name in restoring.below else one for name, one in named}
    if isinstance(value, list) and "*" in restoring.below:
        return [_renamed(one, restoring.below["*"]) for one in value]
    return value
