"""Structured output: from a Python type to the schema that a model is held to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import JsonValue, TypeAdapter

from ..collection.citation import Cited
from ..contract import as_tuple, brief
from ..errors import SpecError
from ..model import OutputSchema
from ..signature.type_schema import type_schema

Validator = Callable[..., Any]
"""Takes an answer (a text, or the value of the output type). Raises ValueError, or returns what is wrong with it: a
text, several, or None. Sync or async; it may do I/O, and is called again with every repeated model call. One that has
a parameter `context` is given the run's context there."""


def output_schema(output: Any, where: str) -> OutputSchema | None:
    """Return the schema of a type or of a JSON schema; None and schemas as they are.

    Providers want objects, so any other type is wrapped into one with the field `value`.

    Raises:
        SpecError: The type has no JSON schema.
    """
    if output is None or isinstance(output, OutputSchema):
        return output
    if isinstance(output, Mapping):
        return _wrapped(str(output.get("title", "")), dict(output))
    made = _wrapped(getattr(output, "__name__", str(output)), type_schema(output, where))
    is_cited = isinstance(output, type) and issubclass(output, Cited)
    return made.model_copy(update={"cited": True}) if is_cited else made


def output_type(output: Any) -> TypeAdapter[Any] | None:
    """Return the type that checks answers in this process, where `output` is one."""
    if output is None or isinstance(output, OutputSchema | Mapping):
        return None
    return TypeAdapter(output)


def unwrapped(output: OutputSchema, answer: JsonValue) -> JsonValue:
    """Return the value that an answer which fits the schema stands for."""
    return answer["value"] if output.wrapped and isinstance(answer, dict) else answer


def named_validators(given: Iterable[Validator | str], where: str) -> dict[str, Validator | None]:
    """Return validators by name: functions, or None where only the name is known.

    Raises:
        SpecError: One is neither a function with a name nor a name, or two have the same.
    """
    found: dict[str, Validator | None] = {}
    for index, item in enumerate(as_tuple(given, where)):
        name = item if isinstance(item, str) else getattr(item, "__name__", "")
        if not name or name == "<lambda>" or not (isinstance(item, str) or callable(item)):
            raise SpecError(f"{where}[{index}]: {brief(item)} is not a validator: pass a function that has a name")
        if name in found:
            raise SpecError(f"{where}[{index}]: there is already a validator named {name!r}")
        found[name] = None if isinstance(item, str) else item
    return found


def _wrapped(label: str, schema: dict[str, Any]) -> OutputSchema:
    name = re.sub(r"[^A-Za-z0-9_-]", "_", label)[:64] or "output"
    if schema.get("type") == "object":
        return OutputSchema(name=name, json_schema=schema)
    # References into them start at the root.
    definitions: dict[str, Any] = {key: schema.pop(key) for key in ("$defs", "definitions") if key in schema}
    whole: dict[str, Any] = {
        "type": "object",
        "properties": {"value": schema},
        "required": ["value"],
        "additionalProperties": False,
        **definitions,
    }
    return OutputSchema(name=name, json_schema=whole, wrapped=True)
