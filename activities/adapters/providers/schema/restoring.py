"""Brings what a model writes into the form of the original schema, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic_core import from_json

from .....contracts.limits import is_too_deep
from .keywords import JsonSchema


@dataclass(slots=True, eq=False, repr=False)
class Restoring:
    """What is to be done to a value to have it in the original's form.

    Of a schema that contains itself that is a circle.
    """

    names: dict[str, str] = field(default_factory=dict)
    """Properties that go by another name, and their own."""
    properties: dict[str, Restoring] = field(default_factory=dict)
    """By the names that they go by."""
    rest: Restoring | None = None
    """Of all other properties."""
    items: Restoring | None = None
    """Of a list."""
    places: tuple[Restoring, ...] = ()
    """Of a list that is written as an object, `item_1` and so on."""
    wraps: Restoring | None = None
    """Of what is written as the `value` of an object."""
    text: Literal["", "any", "object"] = ""
    """What is written as the text of its JSON."""
    either: list[Restoring] = field(default_factory=list)
    """What else is to be done, each where it is about such a value."""

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to be done."""
        return not (
            self.names
            or self.properties
            or self.rest
            or self.items
            or self.places
            or self.wraps
            or self.text
            or self.either
        )


@dataclass(frozen=True, slots=True)
class FittedSchema:
    """A schema as it is sent."""

    schema: JsonSchema
    """Empty where there is nothing to say, and that may not be said."""
    restoring: Restoring | None = None
    """None where the model's values are right as they are."""

    def restored(self, value: Any) -> Any:
        """Return what the model wrote in the original's form."""
        return _restored(value, _all_of([self.restoring])) if self.restoring else value

    def renamed(self, value: Any) -> Any:
        """Return a value in the original's form as the model would write it."""
        return _renamed(value, _all_of([self.restoring])) if self.restoring else value


def place_name(index: int) -> str:
    """Return the name of a place of a list that is written as an object."""
    return f"item_{index + 1}"


def _all_of(given: Iterable[Restoring | None]) -> list[Restoring]:
    """Return all that there is to be done, each thing once."""
    found: dict[int, Restoring] = {}
    waiting = [one for one in given if one]
    while waiting:
        one = waiting.pop()
        if id(one) not in found:
            found[id(one)] = one
            waiting += one.either
    return list(found.values())


def _restored(value: Any, ways: list[Restoring]) -> Any:
    if isinstance(value, str):
        return _read(value, ways)
    if isinstance(value, list):
        items = _all_of(way.items for way in ways)
        return [_restored(one, items) for one in value] if items else value
    if not isinstance(value, dict):
        return value
    wrapped = _all_of(way.wraps for way in ways)
    if wrapped and value.keys() == {"value"}:
        return _restored(value["value"], wrapped)
    places = _places(len(value), ways)
    if places and value.keys() == places.keys():
        return [_restored(value[name], below) for name, below in places.items()]
    names = {name: own for way in ways for name, own in way.names.items()}
    return {names.get(name, name): _restored(one, _below(name, ways)) for name, one in value.items()}


def _renamed(value: Any, ways: list[Restoring]) -> Any:
    if wrapped := _all_of(way.wraps for way in ways):
        return {"value": _renamed(value, wrapped)}
    if isinstance(value, list) and (places := _places(len(value), ways)):
        return {name: _renamed(one, below) for one, (name, below) in zip(value, places.items(), strict=True)}
    if any(way.text == "any" for way in ways):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        items = _all_of(way.items for way in ways)
        return [_renamed(one, items) for one in value] if items else value
    if not isinstance(value, dict):
        return value
    if any(way.text for way in ways) and not any(way.properties or way.names for way in ways):
        return json.dumps(value, ensure_ascii=False)
    return _renamed_object(value, ways)


def _renamed_object(value: dict[str, Any], ways: list[Restoring]) -> dict[str, Any]:
    names = {own: name for way in ways for name, own in way.names.items()}
    sent = {own: names.get(own, own) for own in value}
    return {sent[own]: _renamed(one, _below(sent[own], ways)) for own, one in value.items()}


def _places(count: int, ways: list[Restoring]) -> dict[str, list[Restoring]]:
    """Return the places of a list that is written as an object, by their names."""
    found = [way.places for way in ways if way.places and len(way.places) == count]
    return {place_name(index): _all_of(places) for index, places in enumerate(zip(*found, strict=True))}


def _below(name: str, ways: list[Restoring]) -> list[Restoring]:
    return _all_of(way.properties.get(name, way.rest) for way in ways)


def _read(text: str, ways: list[Restoring]) -> Any:
    """Return what a text is the JSON of, where it is meant to be JSON."""
    kinds = {way.text for way in ways} - {""}
    if not kinds:
        return text
    try:
        value = from_json(text, allow_inf_nan=False)
    except ValueError:
        return text
    if is_too_deep(value) or not ("any" in kinds or isinstance(value, dict)):
        return text
    return value
