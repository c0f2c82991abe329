"""What is taken of JSON Schema: sets of rules that profiles refer to by name."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, Literal

_WORDS: Final = frozenset({"title", "description", "default", "examples"})
_NUMBERS: Final = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_LENGTHS: Final = frozenset({"minLength", "maxLength"})
_COUNTS: Final = frozenset({"minItems", "maxItems"})
_REST: Final = frozenset(
    {
        *("uniqueItems", "minProperties", "maxProperties", "minContains", "maxContains", "contains", "propertyNames"),
        *("patternProperties", "unevaluatedProperties", "unevaluatedItems", "dependentRequired", "dependentSchemas"),
        *("not", "if", "then", "else", "prefixItems", "deprecated"),
    }
)
_OPENAI_FORMATS: Final = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
)

_REPETITIONS: Final = 1_990
"""Grammars of llama.cpp may repeat nothing 2000 times, to which it counts some that it adds itself."""


class InexpressibleError(Exception):
    """The rules cannot say what the schema says."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a schema may have at most, in all."""

    levels: int = 10
    """Objects within one another."""
    properties: int = 5_000
    optional: int = 5_000
    """Properties that are not required. Where there are more, all are."""
    unions: int = 5_000
    choices: int = 1_000
    """Values to choose from."""
    letters: int = 120_000
    """Of names and of values to choose from."""
    letters_of_choice: int = 15_000
    """Of the values of one choice of more than 250."""


@dataclass(frozen=True, slots=True)
class SchemaRules:
    """What is taken. What is not goes into the description, for the model to read."""

    keywords: frozenset[str] = _WORDS | _NUMBERS | _LENGTHS | _COUNTS | _REST | {"pattern"}
    """Keywords that are taken, besides those that say what a value is made of."""
    formats: frozenset[str] | None = None
    """Formats of texts that are taken. None: any."""
    strict: bool = False
    """Whether every object is closed. What cannot be said so cannot be said at all."""
    all_required: bool = False
    """Whether every property is required."""
    references: bool = True
    recursion: bool = True
    beside_reference: bool = True
    """Whether a reference may have other keywords beside it."""
    one_of: bool = True
    combined: bool = True
    """Whether there is `allOf`, and whether anything may stand beside `anyOf`."""
    additional: bool = True
    """Whether an object may say what more it may have."""
    several_types: Literal["list", "nullable", "any_of"] = "list"
    """How a value of several types is said."""
    text_enums: bool = False
    """Whether only texts may be chosen from."""
    untyped: bool = True
    """Whether anything at all may be asked for; otherwise it is asked for as the text of JSON."""
    free_objects: bool = True
    """Whether an object may have no named property; otherwise it is asked for as the text of JSON."""
    property_names: re.Pattern[str] | None = None
    """Names of properties that are taken; others are replaced, there and back."""
    anchored_patterns: bool = False
    """Whether patterns have to be whole and plain."""
    lengths_of_forms: bool = True
    """Whether a text that has a pattern or a format may have a length, too."""
    repetitions: int | None = None
    """Most that a length, a count or a repetition in a pattern may be. None: anything."""
    small_numbers: bool = False
    """Whether numbers are bounded only by what fits into 32 bits."""
    bounds: Bounds | None = None
    """What a strict schema may have at most."""


PLAIN: Final = SchemaRules(property_names=re.compile(r"[a-zA-Z0-9_.-]{1,64}"))
"""JSON Schema as every large provider takes it for tools."""

CLOSED: Final = SchemaRules(
    keywords=frozenset({"title", "description", "pattern"}) | _NUMBERS | _COUNTS,
    formats=_OPENAI_FORMATS,
    strict=True,
    all_required=True,
    beside_reference=False,
    one_of=False,
    combined=False,
    untyped=False,
    property_names=PLAIN.property_names,
    bounds=Bounds(),
)
"""OpenAI's strict mode, which others have taken over."""

RULES: Final[dict[str, SchemaRules]] = {
    "plain": PLAIN,
    "closed": CLOSED,
    "closed-fine-tuned": replace(CLOSED, keywords=frozenset({"title", "description"}), formats=frozenset()),
    "closed-anthropic": replace(
        CLOSED,
        keywords=frozenset({"title", "description"}),
        formats=_OPENAI_FORMATS | {"uri"},
        all_required=False,
        recursion=False,
        several_types="any_of",
        bounds=Bounds(levels=30, optional=24, unions=16),
    ),
    "closed-xai": replace(CLOSED, keywords=frozenset({"title", "description"}) | _NUMBERS, formats=frozenset()),
    "open-xai": SchemaRules(
        keywords=frozenset({"title", "description"}) | _NUMBERS,
        combined=False,
        beside_reference=False,
        one_of=False,
        property_names=PLAIN.property_names,
    ),
    "gemini": SchemaRules(
        keywords=frozenset({"title", "description", "minimum", "maximum", "minItems", "maxItems", "nullable"}),
        formats=frozenset({"date-time"}),
        references=False,
        recursion=False,
        beside_reference=False,
        one_of=False,
        combined=False,
        additional=False,
        several_types="nullable",
        text_enums=True,
        untyped=False,
        free_objects=False,
        property_names=re.compile(r"[a-zA-Z_][a-zA-Z0-9_.-]{0,63}"),
    ),
    "closed-grammar": replace(
        CLOSED,
        keywords=frozenset({"title", "description", "pattern"}) | _NUMBERS | _COUNTS | _LENGTHS,
        formats=None,
        repetitions=_REPETITIONS,
        small_numbers=True,
    ),
    "grammar": SchemaRules(
        keywords=_WORDS | _NUMBERS - {"multipleOf"} | _LENGTHS | _COUNTS | {"pattern"},
        combined=False,
        beside_reference=False,
        anchored_patterns=True,
        lengths_of_forms=False,
        repetitions=_REPETITIONS,
        small_numbers=True,
        property_names=PLAIN.property_names,
    ),
    "grammar-fireworks": SchemaRules(
        keywords=_WORDS | _NUMBERS,
        one_of=False,
        combined=False,
        beside_reference=False,
        property_names=PLAIN.property_names,
    ),
}
"""All sets, by the names that profiles have for them."""
