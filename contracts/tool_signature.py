"""Turns a function's signature into a JSON schema, and JSON into its arguments.

The schema is what a model sees.
"""

from __future__ import annotations

import inspect
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError, PydanticUserError
from pydantic.fields import FieldInfo
from pydantic_core import to_json

from .errors import SpecError

_SECTION = re.compile(r"^(Args|Arguments|Parameters|Returns|Raises|Yields|Examples?|Note|Notes):\s*$", re.MULTILINE)
_FIELD = "parameter_"
_NOTHING = "done"
"""What a model is told of a call that returns nothing."""
_ARGUMENT = re.compile(r"^(\w+)\s*(?:\([^)]*\))?:\s*(.*)$")


@dataclass(frozen=True, slots=True)
class ToolSignature:
    """A function's parameters and result as JSON."""

    schema: dict[str, Any]
    """JSON Schema of the arguments, an object without unknown keys."""
    description: str
    """The docstring up to its first section."""
    hidden: str | None
    """Name of the parameter that is filled in at run time."""
    arguments: type[BaseModel]
    result: TypeAdapter[Any]

    @classmethod
    def of(cls, function: Callable[..., Any], label: str, *, hidden: type) -> ToolSignature:
        """Read the signature.

        Raises:
            SpecError: A parameter cannot be described in JSON schema; names it.
        """
        hints = _hints(function, label)
        description, notes = _docstring(function)
        fields: dict[str, Any] = {}
        hidden_name = None
        for parameter in inspect.signature(function).parameters.values():
            if hints.get(parameter.name) is hidden:
                if hidden_name:
                    raise SpecError(f"tool {label}: both {hidden_name!r} and {parameter.name!r} are {hidden.__name__}s")
                hidden_name = parameter.name
                continue
            # Parameters may have names that a model's fields may not, such as `schema` or `_id`.
            fields[f"{_FIELD}{parameter.name}"] = _field(parameter, hints, label, notes.get(parameter.name))
        arguments: type[BaseModel] = create_model(
            label, __config__=ConfigDict(extra="forbid", arbitrary_types_allowed=False), **fields
        )
        schema = arguments.model_json_schema()
        schema.pop("title", None)
        return cls(schema, description, hidden_name, arguments, _result(hints.get("return", Any), label))

    def bind(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call as the function takes them, by name.

        Raises:
            ToolArgumentsError: They do not validate; says for each what would have been valid.
        """
        try:
            bound = self.arguments.model_validate_json(json.dumps(arguments))
        except ValidationError as error:
            raise ToolArgumentsError(error, self.schema) from None
        return {name.removeprefix(_FIELD): getattr(bound, name) for name in type(bound).model_fields}

    def parse(self, text: str) -> Any:
        """Return the function's result from its text: what `render` was given.

        Raises:
            ValueError: The text is of another type than the function returns.
        """
        try:
            return self.result.validate_python(text)
        except ValidationError:
            if text == _NOTHING:
                return None
            return self.result.validate_json(text)

    def render(self, value: Any) -> str:
        """Return the function's result as text: strings as they are, all else as JSON.

        JSON has no NaN and no infinity: they become the texts `NaN`, `Infinity` and `-Infinity`, which `parse` reads.

        Raises:
            ValueError: It cannot be written as JSON.
        """
        if value is None:
            return _NOTHING
        if isinstance(value, str):
            return value
        written = self.result.dump_json(value)
        # A number that JSON does not have was written as null, silently.
        if b"null" in written:
            for plain in (self.result.dump_python(value, mode="json"), value):
                if _has_no_number(plain):
                    return to_json(plain, inf_nan_mode="strings").decode()
        return written.decode()


def _has_no_number(value: Any) -> bool:
    """Return whether a float that is none stands in plain lists and dicts."""
    if isinstance(value, dict):
        return any(map(_has_no_number, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_has_no_number, value))
    return isinstance(value, float) and not math.isfinite(value)


class ToolArgumentsError(ValueError):
    """The arguments of a call do not fit the tool's schema."""

    def __init__(self, error: ValidationError, schema: dict[str, Any]) -> None:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'arguments'}: {e['msg']}" for e in error.errors())
        super().__init__(f"The arguments do not fit. {wrong}. Valid arguments follow this JSON schema: {_text(schema)}")


def _text(schema: dict[str, Any]) -> str:
    return to_json(schema).decode()


def _hints(function: Callable[..., Any], label: str) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError as error:
        raise SpecError(
            f"tool {label}: the annotation {error.name!r} cannot be resolved: define it at module level"
        ) from error


def _field(parameter: inspect.Parameter, hints: dict[str, Any], label: str, note: str | None) -> tuple[Any, FieldInfo]:
    where = f"tool {label}: parameter {parameter.name!r}"
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
        raise SpecError(f"{where} is {parameter.kind.description}: give every parameter a name and a type")
    if parameter.name not in hints:
        raise SpecError(f"{where} has no type: annotate it, such as {parameter.name}: str")
    annotation = hints[parameter.name]
    try:
        TypeAdapter(annotation).json_schema()
    except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema, PydanticUserError) as error:
        raise SpecError(
            f"{where} has the type {_type_name(annotation)}, which has no JSON schema: "
            "use a pydantic model, a dataclass, or a JSON type"
        ) from error
    default = ... if parameter.default is parameter.empty else parameter.default
    given = default if isinstance(default, FieldInfo) else Field(default=default)
    named = Field(alias=parameter.name, description=note) if note else Field(alias=parameter.name)
    return Annotated[annotation, given, named], given


def _result(annotation: Any, label: str) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(annotation)
    except (PydanticSchemaGenerationError, PydanticUserError) as error:
        raise SpecError(
            f"tool {label}: the return type {_type_name(annotation)} cannot be written as JSON: "
            "return a pydantic model, a dataclass, or a JSON type"
        ) from error


def _type_name(annotation: Any) -> str:
    return annotation.__qualname__ if isinstance(annotation, type) else str(annotation)


def _docstring(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """Split a Google style docstring into its text and the notes on the arguments."""
    doc = inspect.getdoc(function) or ""
    pieces = _SECTION.split(doc)
    sections = dict(zip(pieces[1::2], pieces[2::2], strict=False))
    body = next((sections[s] for s in ("Args", "Arguments", "Parameters") if s in sections), "")
    notes: dict[str, str] = {}
    current = ""
    for line in inspect.cleandoc(body).splitlines():
        found = _ARGUMENT.match(line)
        if found:
            current = found[1]
            notes[current] = found[2].strip()
        elif current and line.strip():
            notes[current] = f"{notes[current]} {line.strip()}".strip()
    return pieces[0].strip(), notes
