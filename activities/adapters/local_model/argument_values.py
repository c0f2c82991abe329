"""Finds the values that a tool's arguments can take.

So the local model picks a value instead of inventing one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from pydantic import JsonValue

from ....contracts.tool import ToolDefinition
from .exchange import PastCall

# Parameters with these words in their name refer to something that exists: their values are found, never written.
_REFERENCE: Final = re.compile(
    r"paths?|file|filename|directory|dir|folder|page|document|doc|ids?|uuid|key|url|uri|href|link|ref|reference|slug|number|code|sku"
    r"|email|recipient|address|account|order"
)
# Those of them whose values have a slash or a dot in them.
_PLACE: Final = re.compile(r"paths?|file|filename|directory|dir|folder|url|uri|href|link")
# Parameters that take whatever is asked for.
_SUBJECT: Final = re.compile(r"query|q|search|question|keywords?|subject|topic|terms?|phrase|about")
# Parameters that take a text of the asker's own words.
_TEXT: Final = re.compile(r"body|message|content|note|comment|text")
# Words that no value begins or ends with.
_FILLER: Final = re.compile(
    r"an?|the|is|are|was|were|am|be|been|do|does|did|has|have|had|how|what|which|who|whom|whose|where|when|why|in|on|of"
    r"|for|to|at|by|with|from|into|about|than|its?|i|me|my|we|us|our|you|your|he|she|they|them|this|that|these|those|and"
    r"|or|but|if|so|not|can|could|would|will|shall|should|may|might|must|please|tell|show|give|there|any|some|"
)
_WORD = re.compile(r"[^\s]+")
_EDGE = " \t\n,;:?!.'\"`()[]{}<>*"
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*\w)")
# Has a digit, a slash, an at sign or an inner dot: what paths, addresses and numbers look like and words do not.
_IDENTIFIER = re.compile(r"^(?=.*(?:\d|/|@|\w\.\w))[\w./@#:~+-]+$")
_FORMS: Final = {
    "date": r"^\d{4}-\d\d-\d\d$",
    "time": r"^\d\d:\d\d(:\d\d)?",
    "date-time": r"^\d{4}-\d\d-\d\dT\d\d:\d\d",
}
_LONGEST_SPAN: Final = 6
_LONGEST_VALUE: Final = 200
_MOST_OPTIONS: Final = 60


class Source(StrEnum):
    """Where the values of an argument come from."""

    SCHEMA = "schema"
    """The schema lists them."""
    QUESTION = "question"
    """They stand in the question."""
    RESULTS = "results"
    """They stand in results of earlier calls."""
    MODEL = "model"
    """The model writes it, under the schema's grammar."""


@dataclass(frozen=True, slots=True)
class Option:
    """A value that an argument can take."""

    value: JsonValue
    context: str
    """What stands with it: says what the value is about."""


@dataclass(frozen=True, slots=True)
class Slot:
    """An argument to be filled."""

    name: str
    source: Source
    options: tuple[Option, ...] = ()
    schema: dict[str, Any] | None = None
    """For a value that the model writes."""
    reference: bool = False
    """Refers to something that exists, such as a path or a number."""
    subject: bool = False
    """Takes whatever is asked for, such as the query of a search."""


def find_slots(tool: ToolDefinition, question: str, calls: Sequence[PastCall]) -> tuple[Slot, ...] | None:
    """Find the values for the tool's arguments.

    None where a required argument cannot be known yet.

    Optional arguments keep their defaults, save where the question says one of their listed values.
    """
    required = tool.parameters.get("required", [])
    slots = []
    for name, schema in tool.parameters.get("properties", {}).items():
        slot = _slot(name, _resolved(schema, tool.parameters), question, calls)
        if name not in required:
            slot = _said(slot, question)
        elif slot is None:
            return None
        if slot:
            slots.append(slot)
    return tuple(_without_taken(slot, slots) for slot in slots)


def _without_taken(slot: Slot, slots: Sequence[Slot]) -> Slot:
    """Return the slot without values that contain what another slot takes.

    Where none would be left, it stays as it is.
    """
    if slot.source is not Source.QUESTION or len(slot.options) == 1:
        return slot
    taken = {str(other.options[0].value) for other in slots if other is not slot and len(other.options) == 1}
    left = tuple(option for option in slot.options if not taken & {str(option.value), *str(option.value).split()})
    return replace(slot, options=left or slot.options)


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return _resolved(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    for choice in schema.get("anyOf", ()):
        if choice.get("type") != "null":
            return {**_resolved(choice, root), "description": schema.get("description", "")}
    return schema


def _slot(name: str, schema: dict[str, Any], question: str, calls: Sequence[PastCall]) -> Slot | None:
    listed = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if listed:
        return Slot(name, Source.SCHEMA, tuple(Option(value, str(value)) for value in listed))
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return _known(
            name,
            _named(name, _numbers(question, whole=kind == "integer"), question),
            _in_results(name, calls, (int, float)),
        )
    if kind != "string":
        return Slot(name, Source.MODEL, schema=schema)
    found = _in_results(name, calls, (str,))
    if _has(name, _REFERENCE) or schema.get("format") in ("uri", "uuid", "email"):
        return _known(name, _named(name, _identifiers(name, question), question), found)
    if "pattern" in schema or schema.get("format") in _FORMS:
        return Slot(name, Source.QUESTION, _formed(schema, question))
    if _has(name, _SUBJECT):
        return Slot(name, Source.QUESTION, _subjects(question), subject=True)
    if _has(name, _TEXT):
        return Slot(name, Source.QUESTION, (*_spans(question), *_wordings(question)))
    return Slot(name, Source.QUESTION, _spans(question))


def _formed(schema: dict[str, Any], question: str) -> tuple[Option, ...]:
    """Return the words of the question that have the required form.

    Without one any piece of it is taken, for the tool then says what is wrong; the model would make a value up.
    """
    form = schema.get("pattern") or _FORMS[schema["format"]]
    words = (word.strip(_EDGE) for word in question.split())
    return _options((word for word in words if re.search(form, word)), question) or _spans(question)


def _said(slot: Slot | None, question: str) -> Slot | None:
    if slot is None or slot.source is not Source.SCHEMA:
        return None
    said = tuple(o for o in slot.options if re.search(rf"\b{re.escape(str(o.value))}\b", question, re.IGNORECASE))
    return Slot(slot.name, slot.source, said) if said else None


def _named(name: str, options: tuple[Option, ...], question: str) -> tuple[Option, ...]:
    """Return values that stand right behind the parameter's name, as in `order 7`.

    All values where none does.
    """
    words = "|".join(re.escape(word) for word in _words(name))
    behind = [re.search(rf"\b(?:{words})s?\W+{re.escape(str(o.value))}", question, re.IGNORECASE) for o in options]
    return tuple(option for option, found in zip(options, behind, strict=True) if found) or options


def _known(name: str, asked: tuple[Option, ...], found: tuple[Option, ...]) -> Slot | None:
    if asked:
        return Slot(name, Source.QUESTION, asked, reference=True)
    return Slot(name, Source.RESULTS, found, reference=True) if found else None


def _words(name: str) -> set[str]:
    return set(re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().replace("-", "_").split("_"))


def _options(values: Iterator[str | int | float], context: str) -> tuple[Option, ...]:
    return tuple(Option(value, context) for value in list(dict.fromkeys(values))[:_MOST_OPTIONS])


def _numbers(question: str, *, whole: bool) -> tuple[Option, ...]:
    found = (match[0] for match in _NUMBER.finditer(question))
    return _options((int(n) if "." not in n else float(n) for n in found if not (whole and "." in n)), question)


def _identifiers(name: str, text: str) -> tuple[Option, ...]:
    words = (match[0].strip(_EDGE) for match in _WORD.finditer(text))
    return _options((word for word in words if _is_identifier(name, word)), text)


def _is_identifier(name: str, word: str) -> bool:
    fits = bool(_IDENTIFIER.match(word)) and len(word) <= _LONGEST_VALUE
    return fits and ("/" in word or "." in word or not _has(name, _PLACE))


def _subjects(question: str) -> tuple[Option, ...]:
    """Return the ends of the question that begin with a telling word.

    They have two words at least, where there are such.
    """
    words = question.strip(_EDGE).split()
    starts = [i for i, word in enumerate(words) if not _FILLER.fullmatch(word.strip(_EDGE).lower())]
    ends = [" ".join(words[i:]).strip(_EDGE) for i in starts]
    long = [end for end in ends if " " in end] or ends or [question.strip()]
    return _options(iter(long), question)


def _wordings(question: str) -> tuple[Option, ...]:
    """Return every end of the question."""
    words = question.strip(_EDGE).split()
    return _options((" ".join(words[start:]) for start in range(len(words))), question)


def _spans(question: str) -> tuple[Option, ...]:
    """Return pieces that begin and end with a telling word, shortest first."""
    words = question.split()
    telling = [not _FILLER.fullmatch(word.strip(_EDGE).lower()) for word in words]
    pieces = (
        " ".join(words[start : start + length]).strip(_EDGE)
        for length in range(1, _LONGEST_SPAN + 1)
        for start in range(len(words) - length + 1)
        if telling[start] and telling[start + length - 1]
    )
    return _options((piece for piece in pieces if piece), question)


def _in_results(name: str, calls: Sequence[PastCall], kinds: tuple[type, ...]) -> tuple[Option, ...]:
    found: dict[Any, Option] = {}
    for call in calls:
        if not call.is_error:
            for option in _from_result(name, call.content, kinds):
                found.setdefault(option.value, option)
    return tuple(found.values())


def _from_result(name: str, content: str, kinds: tuple[type, ...]) -> Iterator[Option]:
    try:
        parsed = json.loads(content)
    except ValueError:
        yield from _from_text(name, content) if str in kinds else ()
        return
    yield from _from_json(name, parsed, kinds)


def _from_json(name: str, value: JsonValue, kinds: tuple[type, ...]) -> Iterator[Option]:
    if isinstance(value, dict):
        context = " ".join(str(item) for item in value.values() if isinstance(item, str))
        for key, item in value.items():
            if isinstance(item, dict | list):
                yield from _from_json(name, item, kinds)
            elif _fits(item, kinds) and _same_thing(key, name):
                yield Option(item, context)
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict | list):
                yield from _from_json(name, item, kinds)
            elif _fits(item, kinds):
                yield Option(item, str(item))


def _from_text(name: str, content: str) -> Iterator[Option]:
    for line in content.splitlines():
        yield from _identifiers(name, line)


def _fits(value: JsonValue, kinds: tuple[type, ...]) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool) and len(str(value)) <= _LONGEST_VALUE


def _same_thing(key: str, name: str) -> bool:
    """Return whether a key of a result names what the parameter wants.

    The `id` of an order is an `order_id`.
    """
    key_words, name_words = _words(key), _words(name)
    shared = key_words & name_words
    return key_words <= name_words or any(_REFERENCE.fullmatch(word) for word in shared)


def _has(name: str, kind: re.Pattern[str]) -> bool:
    return any(kind.fullmatch(word) for word in _words(name))
