"""What a runnable finds at its place in the tree: its path, what it is asked, and the names that templates may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue
from pydantic_core import from_json

from ..contracts import template
from ..contracts.errors import SpecError
from ..contracts.message import Message, TextPart
from ..contracts.wire.places import Place


@dataclass(frozen=True, slots=True)
class Scope:
    """A place in the runnable tree of one workflow."""

    path: Place
    message: Message
    """What the runnable here is asked."""
    names: Mapping[str, JsonValue]
    """What templates here may call by name: what the nearest runnable around them was asked, as `input`, its fields,
    and the outputs of earlier steps."""

    @classmethod
    def root(cls, path: Place, message: Message) -> Scope:
        """The place of a runnable that nothing is known around."""
        return cls(path, message, _names(message))

    def step(self, name: str) -> Scope:
        """A place within this one, asked the same."""
        return Scope(self.path / name, self.message, self.names)

    def asked(self, message: Message) -> Scope:
        """This place, asked something else."""
        return Scope(self.path, message, {**self.names, **_names(message)})

    def knowing(self, names: Mapping[str, JsonValue]) -> Scope:
        """This place, with further names."""
        return Scope(self.path, self.message, {**self.names, **names})

    def render(self, text: str) -> Message:
        """A message of a template, with the pictures and files of what is asked here.

        Raises:
            SpecError: A name of the template is not known here.
        """
        parts = [part for part in self.message.parts if not isinstance(part, TextPart)]
        try:
            return Message.user([template.render(text, self.names), *parts])
        except KeyError as missing:
            raise SpecError(f"{{{missing.args[0]}}} is unknown: it is no field of what was asked") from None


def message_of(value: JsonValue) -> Message:
    """An output as what the next runnable is asked."""
    return Message.user(template.as_text(value))


def listed(value: JsonValue) -> list[JsonValue] | None:
    """The items of a list, or of a text that is one in JSON; None where it is neither."""
    if isinstance(value, str):
        try:
            # Unlike Python's own, it takes no half of an emoji, which could be sent nowhere.
            value = from_json(value)
        except ValueError:
            return None
    return value if isinstance(value, list) else None


def _names(message: Message) -> dict[str, JsonValue]:
    return {**template.fields(message.text), template.INPUT: message.text}
