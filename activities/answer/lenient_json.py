"""Finds the JSON that a model meant, and puts it in the place of all it said.

Where no schema can be enforced, models put answers into fences, explain them, or leave commas at the end of lists.
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterator

from ...contracts.message import CitationPart, Message, OpaquePart, Part, TextPart

_MOST_CHARS = 1_000_000
"""A longer text is taken as it is."""


def json_object(text: str) -> str | None:
    """Return the JSON object that a text has, as JSON.

    None where it has none, or nothing but that. Of several the last one counts: what comes before it is how the model
    got there.
    """
    if _is_object(text) or len(text) > _MOST_CHARS:
        return None
    for candidate in _candidates(text):
        for written in (candidate, _without_trailing_commas(candidate)):
            if _is_object(written):
                return written
    return None


def with_text_alone(message: Message, text: str) -> Message:
    """Return a message with one text, at its end, in place of all that it has."""
    kept = (part for part in message.parts if not _is_of_text(part))
    return message.model_copy(update={"parts": (*kept, TextPart(text=text))})


def _is_of_text(part: Part) -> bool:
    # What a provider says of a text, such as where it stands, holds for no other.
    of_text = isinstance(part, OpaquePart) and part.data.get("type") == "message"
    return isinstance(part, TextPart | CitationPart) or of_text


def _candidates(text: str) -> Iterator[str]:
    # Every other piece stands within a fence, behind the name of its language.
    for fenced in reversed(text.split("```")[1::2]):
        yield fenced.lstrip(string.ascii_letters)
    begin, end = text.find("{"), text.rfind("}")
    if 0 <= begin < end:
        yield text[begin : end + 1]
    # Several in a row: the last one that begins a line.
    last = text.rfind("\n{")
    if last >= 0 and end > last:
        yield text[last + 1 : end + 1]


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _without_trailing_commas(text: str) -> str:
    """Return the text without commas before a closing bracket."""
    kept: list[str] = []
    in_string = escaped = False
    for letter in text:
        if letter in "]}" and not in_string:
            blank = len(kept)
            while blank and kept[blank - 1].isspace():
                blank -= 1
            if blank and kept[blank - 1] == ",":
                del kept[blank - 1]
        kept.append(letter)
        if letter == '"' and not escaped:
            in_string = not in_string
        escaped = letter == "\\" and not escaped
    return "".join(kept)
