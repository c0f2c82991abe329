"""Turns a function's signature into a JSON schema, and JSON into its arguments.

The schema is what a model sees.
"""

from __future__ import annotations

import inspect
import json
import math
import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo
from pydantic_core import to_json

from ..errors import SpecError
from .argument_schema import ArgumentSchema
from .callee import LAMBDA, Callee
from .docstring import Docstring
from .hints import Names, as_list, awaited, bare, type_name, unfit, unknown_name, words

_FIELD = "parameter_"
_NOTHING = "done"
"""What a model is told of a call that returns nothing."""
_MOST_ITEMS = 100_000
"""So many items of an iterator are taken: one that never ends would fill the memory."""
_PARAMETER_NAME = re.compile(r"^[A-Za-z0-9_]{1,64}\Z")
"""Names of parameters that every provider takes."""


@dataclass(frozen=True, slots=True)
class ToolSignature:
    """A function's parameters and result as JSON."""

    schema: dict[str, Any]
    """JSON Schema of the arguments, an object without unknown keys."""
    description: str
    """The docstring up to its first section."""
    hidden: str | None
    """Name of the parameter that is filled in at run time."""
    hidden_type: Any
    """What its annotation has in brackets; None where it has nothing."""
    arguments: type[BaseModel]
    result: TypeAdapter[Any]
    returns: Any
    """The type of what the function returns; `Any` where it does not say."""

    @property
    def types(self) -> dict[str, Any]:
        """The types of the parameters, by their names."""
        fields = self.arguments.model_fields
        return {name.removeprefix(_FIELD): field.annotation for name, field in fields.items()}

    @property
    def defaults(self) -> dict[str, Any]:
        """The values of the parameters that a call may leave out."""
        fields = self.arguments.model_fields.items()
        may = {name: field for name, field in fields if not field.is_required()}
        return {name.removeprefix(_FIELD): one.get_default(call_default_factory=True) for name, one in may.items()}

    @classmethod
    def of(cls, callee: Callee, *, hidden: type) -> ToolSignature:
        """Read the signature.

        Raises:
            SpecError: A parameter cannot be described in JSON schema; names it.
        """
        label = callee.label
        reader = _Reader(callee, hidden)
        docstring = Docstring.of(callee.doc, [parameter.name for parameter in callee.parameters])
        fields: dict[str, Any] = {}
        hidden_name, hidden_type = None, None
        for parameter in callee.parameters:
            if reader.is_hidden(parameter):
                if hidden_name:
                    raise SpecError(
                        f"tool {label}: both {hidden_name!r} and {parameter.name!r} are {hidden.__name__}s: keep one"
                    )
                hidden_name, hidden_type = parameter.name, reader.in_brackets(parameter)
                continue
            # Parameters may have names that a model's fields may not, such as `schema` or `_id`.
            note = docstring.parameters.get(parameter.name, "")
            fields[f"{_FIELD}{parameter.name}"] = reader.field(parameter, note)
        arguments = reader.model(fields)
        schema = arguments.model_json_schema(schema_generator=ArgumentSchema)
        schema.pop("title", None)
        returns, result = reader.result()
        return cls(schema, docstring.text, hidden_name, hidden_type, arguments, result, returns)

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
        with suppress(ValidationError):
            value = self.result.validate_python(text, strict=True)
            # A path or bytes can be made of a text too, but were written as JSON.
            if isinstance(value, str):
                return value
        try:
            return self.result.validate_json(text)
        except ValidationError as error:
            return self._from_plain_text(text, error)

    def _from_plain_text(self, text: str, error: ValidationError) -> Any:
        """Return what is neither a text nor JSON.

        It is nothing, or a value that is a text as well, as of a `StrEnum`.
        """
        for value in (None, text) if text == _NOTHING else (text,):
            with suppress(ValidationError):
                return self.result.validate_python(value)
        raise error

    def render(self, value: Any) -> str:
        """Return the function's result as text: strings as they are, all else as JSON.

        An iterator becomes a list.

        JSON has no NaN and no infinity: they become the texts `NaN`, `Infinity` and `-Infinity`, which `parse` reads.

        Raises:
            ValueError: It cannot be written as JSON.
        """
        if value is None:
            return _NOTHING
        if isinstance(value, Iterator):
            value = list(islice(value, _MOST_ITEMS + 1))
            if len(value) > _MOST_ITEMS:
                raise ValueError(f"it is an iterator of more than {_MOST_ITEMS:,} items")
        if isinstance(value, str):
            # Of an enum that is a text as well, the text.
            return str.__str__(value)
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


class _Reader:
    """Reads the parameters and the result of one function."""

    def __init__(self, callee: Callee, hidden: type) -> None:
        self._callee = callee
        self._hidden = hidden
        self._names = Names(callee)
        self._resolved: dict[str, Any] = {}

    def is_hidden(self, parameter: inspect.Parameter) -> bool:
        """Return whether a parameter is filled in at run time."""
        if parameter.annotation is parameter.empty:
            return False
        kind = bare(self._type(parameter))
        return kind is self._hidden or get_origin(kind) is self._hidden

    def in_brackets(self, parameter: inspect.Parameter) -> Any:
        """Return what the annotation of a hidden parameter has in brackets.

        None where it has nothing, or what stands for anything.
        """
        given = get_args(bare(self._type(parameter)))
        return given[0] if given and not isinstance(given[0], TypeVar) else None

    def field(self, parameter: inspect.Parameter, note: str) -> tuple[Any, FieldInfo]:
        """Return the field of a parameter.

        Args:
            parameter: The parameter.
            note: What the docstring says of it.
        """
        self._check(parameter)
        annotation = self._json_type(parameter)
        default = ... if parameter.default is parameter.empty else parameter.default
        given = default if isinstance(default, FieldInfo) else Field(default=default)
        description = note or ("" if given.description else words(annotation))
        named = Field(alias=parameter.name, description=description) if description else Field(alias=parameter.name)
        return Annotated[annotation, given, named], given

    def model(self, fields: dict[str, Any]) -> type[BaseModel]:
        """Return a model of all fields."""
        config = ConfigDict(extra="forbid", arbitrary_types_allowed=False)
        made: type[BaseModel] = create_model(self._callee.label, __config__=config, **fields)
        made.model_rebuild(_types_namespace=self._names.local)
        return made

    def result(self) -> tuple[Any, TypeAdapter[Any]]:
        """Return the type of what the function returns, and what pydantic makes of it."""
        where = f"tool {self._callee.label}: the return type"
        given = self._callee.returns
        annotation = Any if given is inspect.Signature.empty else self._resolve(given, "the return type")
        annotation = as_list(awaited(annotation), (Iterable, Iterator, Generator))
        try:
            return self._adapted(annotation)
        except Exception as error:
            otherwise = "return a pydantic model, a dataclass, or a JSON type"
            problem = unfit(annotation, error, lack=" cannot be written as JSON", otherwise=otherwise)
            raise SpecError(f"{where} {problem}") from error

    def _check(self, parameter: inspect.Parameter) -> None:
        where = self._where(parameter)
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise SpecError(
                f"{where} is {parameter.kind.description}: give every parameter a name and a type, and put "
                "functools.wraps on the inner function of a decorator that hides them"
            )
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise SpecError(f"{where} is {parameter.kind.description}: give every parameter a name and a type")
        if parameter.annotation is parameter.empty:
            raise SpecError(f"{where} has no type: {self._type_to_write(parameter)}")
        if not _PARAMETER_NAME.match(parameter.name):
            raise SpecError(f"{where}: providers take names of up to 64 letters a to z, digits and '_': rename it")

    def _type_to_write(self, parameter: inspect.Parameter) -> str:
        callee = self._callee
        if parameter.name in ("self", "cls") and parameter is callee.parameters[0]:
            return (
                "a method is a tool only when it is bound to its object: take @tool off it, and write "
                f"tool(effect=...)(shop.{callee.label}) where there is an object, such as shop"
            )
        if getattr(callee.function, "__name__", "") == LAMBDA:
            return "a lambda has no place for one: write a function with def"
        default = parameter.default
        is_told = default is not parameter.empty and default is not None and not isinstance(default, FieldInfo)
        return f"annotate it, such as {parameter.name}: {type(default).__name__ if is_told else 'str'}"

    def _json_type(self, parameter: inspect.Parameter) -> Any:
        annotation = as_list(self._type(parameter))
        try:
            fitting, adapter = self._adapted(annotation)
            adapter.json_schema(schema_generator=ArgumentSchema)
            if isinstance(parameter.default, FieldInfo):
                self.model({_FIELD: (fitting, parameter.default)}).model_json_schema(schema_generator=ArgumentSchema)
        except Exception as error:
            problem = self._unfit(parameter, annotation, error)
            raise SpecError(f"{self._where(parameter)} has the type {problem}") from error
        return fitting

    def _unfit(self, parameter: inspect.Parameter, annotation: Any, error: Exception) -> str:
        if any(given is self._hidden or get_origin(given) is self._hidden for given in get_args(annotation)):
            hidden = self._hidden.__name__
            return f"{type_name(annotation)}: write {parameter.name}: {hidden}, it is filled in at every call"
        otherwise = "use a pydantic model, a dataclass, or a JSON type"
        return unfit(annotation, error, lack=", which has no JSON schema", otherwise=otherwise)

    def _adapted(self, annotation: Any) -> tuple[Any, TypeAdapter[Any]]:
        """Return the type as pydantic takes it, and what pydantic makes of it."""
        try:
            return annotation, self._names.adapter(annotation)
        except PydanticUserError as error:
            if error.code != "typed-dict-version":
                raise
        own = self._names.with_own_typed_dicts(annotation)
        return own, self._names.adapter(own)

    def _type(self, parameter: inspect.Parameter) -> Any:
        if parameter.name not in self._resolved:
            where = f"parameter {parameter.name!r}"
            self._resolved[parameter.name] = self._resolve(parameter.annotation, where)
        return self._resolved[parameter.name]

    def _resolve(self, annotation: Any, where: str) -> Any:
        tool = f"tool {self._callee.label}"
        try:
            return self._names.resolved(annotation)
        except NameError as error:
            raise SpecError(
                f"{tool}: the annotation {error.name!r} cannot be resolved, in {where}: {unknown_name(error.name)}"
            ) from error
        except Exception as error:
            raise SpecError(
                f"{tool}: {where} has the annotation {annotation!r}, which cannot be read "
                f"({type(error).__name__}: {error}): write a type"
            ) from error

    def _where(self, parameter: inspect.Parameter) -> str:
        return f"tool {self._callee.label}: parameter {parameter.name!r}"
