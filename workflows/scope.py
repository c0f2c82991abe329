"""What a runnable finds at its place: what it is asked, and names for templates."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

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
    def root(cls, path: Place, message: Message, names: Mapping[str, JsonValue] = MappingProxyType({})) -> Scope:
        """Return the scope of a runnable that nothing is known around but these names.

        They go before fields of the message.
        """
        return cls(path, message, {**_names(message), **names})

    def step(self, name: str) -> Scope:
        """Return the scope of a place within this one that is asked the same."""
        return Scope(self.path / name, self.message, self.names)

    def asked(self, message: Message) -> Scope:
        """Return this scope with another message."""
        return Scope(self.path, message, {**self.names, **_names(message)})

    def knowing(self, names: Mapping[str, JsonValue]) -> Scope:
        """Return this scope with further names for templates."""
        return Scope(self.path, self.message, {**self.names, **names})

    def render(self, text: str, apart: Collection[str] = ()) -> Message:
        """Render a template as a message, with the pictures and files of this one.

        Args:
            text: The template.
            apart: Values that are to be parts of their own, which may be referred to.

        Raises:
            SpecError: A name of the template is not known here.
        """
        parts = [part for part in self.message.parts if not isinstance(part, TextPart)]
        try:
            return Message.user([*template.pieces(text, self.names, apart), *parts])
        except KeyError as missing:
            raise SpecError(f"{{{missing.args[0]}}} is unknown: it is not a field of what was asked") from None


def message_of(value: JsonValue, apart: Collection[str] = ()) -> Message:
    """Return an output as the message that the next runnable is asked.

    Args:
        value: The output.
        apart: Texts that are to be parts of their own, which may be referred to.
    """
    return Message.user([*template.pieces_of(value, apart)])


def items_of(value: JsonValue) -> list[JsonValue] | None:
    """Return the items of a list or of a JSON text of one; None where it is neither."""
    if isinstance(value, str):
        try:
            # Unlike Python's own, it takes no half of an emoji, which could be sent nowhere.
            value = from_json(value)
        except (ValueError, TypeError):
            return None
    return value if isinstance(value, list) else None


def _names(message: Message) -> dict[str, JsonValue]:
    return {**template.fields(message.text), template.INPUT: message.text}
