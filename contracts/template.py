"""Templates of prompts: names in braces and nothing else.

No index, no code, and no attribute but of the run's context, as in `{context.plan}`.
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

CONTEXT = "context."
"""Beginning of the names of a run's own values."""

_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_OF_CONTEXT = re.compile(r"context(?:\.[\w-]+)+")
_BRACED = re.compile(rf"\{{({_OF_CONTEXT.pattern})\}}")
_WORD = r"[A-Za-z_][A-Za-z0-9_]*(?:\.[\w-]+)*"
_IN_TEXT = re.compile(rf"\{{\{{({_WORD})\}}\}}|\{{({_WORD})\}}")


def names(template: str) -> tuple[str, ...]:
    """Return the names that a template refers to, each once, in their order.

    Without those of the run's context.

    Raises:
        ValueError: A brace stands alone, or holds something else than a name.
    """
    return tuple(name for name in _all_names(template) if not is_of_context(name))


def names_of_context(template: str) -> tuple[str, ...]:
    """Return the names of the run's context that a template has.

    Such as `context.plan`.

    Raises:
        ValueError: A brace stands alone, or holds something else than a name.
    """
    return tuple(filter(is_of_context, _all_names(template)))


def is_of_context(name: str) -> bool:
    """Return whether a name is that of a value of the run's context."""
    return bool(_OF_CONTEXT.fullmatch(name))


def _all_names(template: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for match in _FIELD.finditer(template):
        name = match.group(1)
        if name is None and match.group() in "{}":
            raise ValueError(
                f"the brace at position {match.start()} stands alone: write {match.group() * 2} for a brace"
            )
        if name is not None:
            if not (_NAME.fullmatch(name) or is_of_context(name)):
                raise ValueError(
                    f"{shorten(match.group(), 40)} is not a name: a template has names like {{input}} and "
                    "{context.plan}, without other attributes, indices or formats; write {{ and }} for braces"
                )
            found[name] = None
    return tuple(found)


def only_name(value: object) -> str:
    """Return the name that a value consists of, as in `{team}`.

    Empty where it is another value.

    Raises:
        ValueError: What stands in its braces is no name.
    """
    if not (isinstance(value, str) and value.startswith("{") and value.endswith("}")):
        return ""
    names = _all_names(value)
    return names[0] if len(names) == 1 and value == f"{{{names[0]}}}" else ""


def only_context_name(value: object) -> str:
    """Return the name of the run's context that a value consists of.

    As in `{context.team}`. Empty where it is another value.
    """
    found = _BRACED.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found else ""


def check_name(name: str) -> None:
    """Check that templates can call something by this name.

    Raises:
        ValueError: It is not a name that templates can use.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is not a name for a template: use letters, digits, '_' and '-', and begin with a letter or digit"
        )


def filled_template(template: str, values: Mapping[str, JsonValue]) -> str:
    """Replace the names of the run's context in a template.

    All others stay, and what takes their place has no names.

    Raises:
        KeyError: The context has no such value.
    """

    def replaced(match: re.Match[str]) -> str:
        name = match.group(1)
        if name is None or not is_of_context(name):
            return match.group()
        return as_text(of_context(name, values)).replace("{", "{{").replace("}", "}}")

    return _FIELD.sub(replaced, template)


def filled_text(text: str, values: Mapping[str, JsonValue]) -> str:
    """Replace the names of the run's context in a text that is no template.

    Such as instructions, in which braces may stand for themselves. A word in double braces is one in braces.

    Raises:
        KeyError: The context has no such value.
    """

    def replaced(match: re.Match[str]) -> str:
        escaped, name = match.groups()
        if escaped:
            return f"{{{escaped}}}"
        return as_text(of_context(name, values)) if is_of_context(name) else match.group()

    return _IN_TEXT.sub(replaced, text)


def filled_value(value: str, values: Mapping[str, JsonValue]) -> str:
    """Replace the names of the run's context in a value, such as a header.

    All else in it stands for itself.

    Raises:
        KeyError: The context has no such value.
    """
    return _BRACED.sub(lambda match: as_text(of_context(match.group(1), values)), value)


def wants_context(value: str) -> bool:
    """Return whether a value has a name of the run's context in it."""
    return bool(_BRACED.search(value))


def check_text(text: str) -> tuple[str, ...]:
    """Return the names of the run's context in a text that is no template.

    Raises:
        ValueError: A word in braces is no name of the context: nothing could fill it.
    """
    names = dict.fromkeys(match.group(2) for match in _IN_TEXT.finditer(text) if match.group(2))
    for name in names:
        if not is_of_context(name):
            meant = f"context.{'NAME' if name == 'context' else name}"
            raise ValueError(
                f"nothing fills {{{name}}}: write {{{meant}}} for a value of the run's context, "
                f"or {{{{{name}}}}} for the word in braces"
            )
    return tuple(names)


def check_shared_name(text: str) -> tuple[str, ...]:
    """Return the names of the run's context in a name that runs share.

    Such as that of a ledger.

    Raises:
        ValueError: As for `check_text`, or a brace is part of no name: all runs would share what is called so.
    """
    names = check_text(text)
    if stray := re.search(r"[{}]", _IN_TEXT.sub("", text)):
        raise ValueError(f"{text!r} has a {stray[0]!r} that is part of no {{context.NAME}}: nothing fills it")
    return names


def of_context(name: str, values: Mapping[str, JsonValue]) -> JsonValue:
    """Return the value of a name of the run's context.

    Such as `context.user.plan`.

    Raises:
        KeyError: There is none.
    """
    found: JsonValue = dict(values)
    for step in name.removeprefix(CONTEXT).split("."):
        if not isinstance(found, dict) or step not in found:
            raise KeyError(name)
        found = found[step]
    return found


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


def told_answer(text: str) -> str:
    """Return an answer as people are told it.

    A choice or a list stands in an object with a `value`, which is all that providers take.
    """
    found = fields(text)
    return as_text(found["value"]) if found.keys() == {"value"} else text


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
