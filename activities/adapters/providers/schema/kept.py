"""Keeps of a part those keywords that are taken, and says the others in words."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from .keywords import COMBINATORS, JsonSchema
from .meeting import ALSO
from .rules import InexpressibleError, SchemaRules

SUBSCHEMAS: Final = frozenset(
    {
        *("not", "if", "then", "else", "contains", "propertyNames", "unevaluatedProperties", "unevaluatedItems"),
        *("patternProperties", "dependentSchemas"),
    }
)
_MADE_OF: Final = frozenset({"properties", "required", "items", "prefixItems", "$ref", *COMBINATORS})
"""What is fitted, not kept as it is."""
_UNSAID: Final = frozenset({"title", "description", "examples", "deprecated"})
"""What goes without a word where it is not taken."""
_SHAPING: Final = frozenset({"if", "then", "else", "dependentSchemas", "patternProperties"})
"""What may ask for properties that a closed object does not have: no words can make up for it."""
_LENGTHS: Final = ("minLength", "maxLength")
_LONGEST_NOTE: Final = 300
_PLAIN_PATTERN: Final = re.compile(r"\^[^\\?(]*\$")
_TIMES: Final = re.compile(r"(?<=[{,])\d+(?=[,}])")
_SMALL: Final = 2**31 - 1


def kept(node: JsonSchema, rules: SchemaRules) -> tuple[JsonSchema, list[str]]:
    """Return the keywords of a part that are taken, and a note on each of the others.

    Raises:
        InexpressibleError: One cannot be done without, where the rules are strict.
    """
    fitted: JsonSchema = {}
    notes: list[str] = []
    has_form = any(key in node and _takes(node, key, node[key], rules) for key in ("pattern", "format"))
    without = _LENGTHS if has_form and not rules.lengths_of_forms else ()
    for key, value in node.items():
        if key == "enum" and rules.strict and any(isinstance(one, dict | list) for one in value):
            raise InexpressibleError("it has lists or objects to choose from")
        if key in _MADE_OF or (key in SUBSCHEMAS and key in rules.keywords):
            continue
        if key == "additionalProperties":
            if isinstance(value, dict) and not rules.additional:
                notes.append(f"further properties: {_note(value)}")
        elif key not in without and _takes(node, key, value, rules):
            fitted[key] = value
        elif key not in _UNSAID:
            aside = value if key == ALSO else [{key: value}]
            for name, one in (pair for part in aside for pair in part.items()):
                _check_words_will_do(name, one, rules)
                notes.append(_told(name, one))
    return fitted, notes


def described(fitted: JsonSchema, notes: list[str]) -> JsonSchema:
    """Add notes to the description of a part; a reference can have none."""
    if notes and "$ref" not in fitted:
        fitted["description"] = " ".join(filter(None, (fitted.get("description", ""), *notes)))
    return fitted


def _takes(node: JsonSchema, key: str, value: Any, rules: SchemaRules) -> bool:
    match key:
        case "type":
            return True
        case "enum":
            return not rules.text_enums or all(isinstance(one, str) and one for one in value)
        case "format":
            return rules.formats is None or (value in rules.formats and "string" in node.get("type", ""))
        case "pattern":
            return key in rules.keywords and _takes_pattern(value, rules)
        case "minLength" | "maxLength" | "minItems" | "maxItems":
            return key in rules.keywords and (rules.repetitions is None or value <= rules.repetitions)
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
            return key in rules.keywords and (not rules.small_numbers or abs(value) <= _SMALL)
        case _:
            return key in rules.keywords


def _takes_pattern(pattern: str, rules: SchemaRules) -> bool:
    if re.search(r"\(\?<?[=!]", pattern):
        return False
    try:
        re.compile(pattern)
    except re.error:
        return False
    if rules.repetitions is not None and any(int(times) > rules.repetitions for times in _TIMES.findall(pattern)):
        return False
    return not rules.anchored_patterns or bool(_PLAIN_PATTERN.fullmatch(pattern))


def _check_words_will_do(key: str, value: Any, rules: SchemaRules) -> None:
    if rules.strict and (key in _SHAPING or (key.startswith("unevaluated") and value is not False)):
        raise InexpressibleError(f"it says {key!r}")


def _told(key: str, value: Any) -> str:
    return f"{'Default' if key == 'default' else 'one of' if key == 'enum' else key}: {_note(value)}"


def _note(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_NOTE else f"{text[:_LONGEST_NOTE]}…"
