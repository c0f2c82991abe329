"""Templates of prompts: names in braces and nothing else.

No attribute, no index, no code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping

from pydantic import JsonValue
from pydantic_core import from_json

from .text import shorten

INPUT = "input"
"""Name of what the nearest chain, router, parallel or run around a template was asked."""

HISTORY = "history"
"""Name of what was said before, in a chat."""

_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def names(template: str) -> tuple[str, ...]:
    """Return the names that a template refers to, each once, in their order.

    Raises:
        ValueError: A brace stands alone, or holds something else than a name.
    """
    found: dict[str, None] = {}
    for match in _FIELD.finditer(template):
        name = match.group(1)
        if name is None and match.group() in "{}":
            raise ValueError(
                f"the brace at position {match.start()} stands alone: write {match.group() * 2} for a brace"
            )
        if name is not None:
            if not _NAME.fullmatch(name):
                raise ValueError(
                    f"{shorten(match.group(), 40)} is not a name: a template has names like {{input}}, without "
                    "attributes, indices or formats; write {{ and }} for braces"
                )
            found[name] = None
    return tuple(found)


def check_name(name: str) -> None:
    """Check that templates can call something by this name.

    Raises:
        ValueError: It is not a name that templates can use.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is not a name for a template: use letters, digits, '_' and '-', and begin with a letter or digit"
        )


def render(template: str, values: Mapping[str, JsonValue]) -> str:
    """Replace the names of a template: texts as they are, everything else as JSON.

    Raises:
        KeyError: There is no value of that name.
    """

    def replaced(match: re.Match[str]) -> str:
        name = match.group(1)
        return match.group()[0] if name is None else as_text(values[name])

    return _FIELD.sub(replaced, template)


def pieces(template: str, values: Mapping[str, JsonValue], apart: Collection[str] = ()) -> list[str]:
    """Render a template in pieces that belong together.

    Args:
        template: The template.
        values: By the names of the template.
        apart: Values that are a piece of their own.

    Raises:
        KeyError: There is no value of a name.
    """
    if not apart:
        return [render(template, values)]
    found, begin = [], 0
    for match in _FIELD.finditer(template):
        name = match.group(1)
        of_value = [] if name is None else pieces_of(values[name], apart)
        if any(piece in apart for piece in of_value):
            found += [render(template[begin : match.start()], values), *of_value]
            begin = match.end()
    found.append(render(template[begin:], values))
    return [piece for piece in found if piece] or [""]


def pieces_of(value: JsonValue, apart: Collection[str]) -> list[str]:
    """Return a value as text in pieces.

    Texts that are to be apart stand alone. An object that has some of them is written under its keys, line by line: as
    JSON they would be other texts.
    """
    if isinstance(value, dict) and any(_is_apart(item, apart) for item in value.values()):
        found: list[str] = []
        for key, item in value.items():
            found += [f"{key}:\n", as_text(item), "\n\n"]
        return found[:-1]
    return [as_text(value)]


def _is_apart(value: JsonValue, apart: Collection[str]) -> bool:
    return isinstance(value, str) and value in apart


def as_text(value: JsonValue) -> str:
    """Return a text as it is, and everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def fields(text: str) -> dict[str, JsonValue]:
    """Return the fields of an input that is a JSON object; none of any other input."""
    if not text.lstrip().startswith("{"):
        return {}
    try:
        # Unlike Python's own, it takes no half of an emoji, which could be sent nowhere.
        value = from_json(text)
    except (ValueError, TypeError):  # a TypeError for half of an emoji that stands in the text itself
        return {}
    return value if isinstance(value, dict) else {}
