"""A run's own values.

As somebody gives them, as a history keeps them, and as a type reads them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_type_hints

from pydantic import BaseModel, JsonValue, SecretBytes, SecretStr, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError
from typing_extensions import is_typeddict

from ..contract import place_text, problems_of, to_plain
from ..errors import SpecError
from ..limits import MAX_DEPTH, MAX_TENANT_BYTES, excess, is_too_deep
from ..names import CONTEXT_MEMO
from ..template import CONTEXT
from ..text import encodable, one_line

MAX_CONTEXT_BYTES: Final = 16_000
"""Longest context as JSON. It stands once in every execution of a run."""

TENANT_VALUE: Final = "tenant"
"""The value that says whom a run is for."""

Values = Mapping[str, JsonValue]
"""A context as JSON."""


def context_values(given: Any) -> dict[str, JsonValue]:
    """Return a context as JSON.

    Args:
        given: A pydantic model, a dataclass, or a dict. None: there is none.

    Raises:
        SpecError: It is no object, too large, or does not come back from JSON as it was.
    """
    if given is None:
        return {}
    if not _is_object(given):
        raise SpecError(f"context: a {type(given).__name__} is not an object: {_WHAT_IT_MAY_BE}")
    for place, problem in _unkept(given, ()):
        raise SpecError(f"context: {f'{place}: ' if place else ''}{problem}")
    try:
        values = to_plain(given)
    except (PydanticSerializationError, ValueError) as error:
        raise SpecError(f"context: it is not JSON: {problems_of(error)}") from None
    if not isinstance(values, dict):
        raise SpecError(f"context: a {type(given).__name__} is not written as an object: {_WHAT_IT_MAY_BE}")
    check_values(values)
    if not isinstance(given, Mapping):
        _check_readable(given, values)
    return values


_WHAT_IT_MAY_BE: Final = "pass a pydantic model, a dataclass or a dict"


def with_tenant(values: Values, tenant: str | None) -> tuple[dict[str, JsonValue], str]:
    """Return a context with its tenant, and the tenant.

    Raises:
        SpecError: They say two, it is no text, or one that is too long; or with it the context is too large.
    """
    there = values.get(TENANT_VALUE)
    if there is not None and not isinstance(there, str):
        raise SpecError("context: tenant: it is no text: a value of this name says whom the run is for")
    if tenant and there and there != tenant:
        raise SpecError(f"tenant={tenant!r}, and the context has the tenant {there!r}: give one of them")
    whose = tenant or there or ""
    if (size := len(whose.encode(errors="replace"))) > MAX_TENANT_BYTES:
        raise SpecError(excess("the tenant", size, MAX_TENANT_BYTES))
    whole = {**values, TENANT_VALUE: whose} if whose else dict(values)
    check_values(whole)
    return whole, whose


def check_values(values: Values) -> None:
    """Check that a context can stand in a run, whole as it is.

    Raises:
        SpecError: It is too large, nested too deeply, or has something that is no JSON; names its place.
    """
    if is_too_deep(dict(values)):
        raise SpecError(f"context: it is nested deeper than {MAX_DEPTH} levels")
    for place, problem in _no_json(dict(values), ()):
        raise SpecError(f"context: {place}: {problem}")
    size = len(json.dumps(values, ensure_ascii=False).encode())
    if size > MAX_CONTEXT_BYTES:
        raise SpecError(
            f"context: it has {size:,} bytes as JSON and the limit is {MAX_CONTEXT_BYTES:,}: give what finds the data, "
            "such as an id, and let tools fetch it"
        )


def context_memo(values: Values) -> dict[str, Any]:
    """Return what a memo has of a context; nothing where there is none."""
    return {CONTEXT_MEMO: dict(values)} if values else {}


def typed_context(kind: Any, values: Values) -> Any:
    """Return a context as a value of a type; as it is where there is none.

    Raises:
        ValueError: It is no value of that type; says what is wrong with which.
        SpecError: The type is none that JSON can be read as.
    """
    if kind is None or kind is Any:
        return dict(values)
    adapter = _adapter(kind)
    try:
        return _read(adapter, values)
    except ValidationError as error:
        # A type that takes no other fields need not have the tenant, nor reads what it computes.
        rest = {name: value for name, value in values.items() if name not in (TENANT_VALUE, *computed_fields(kind))}
        if len(rest) < len(values):
            try:
                return _read(adapter, rest)
            except ValidationError:
                pass
        raise ValueError(f"context: {problems_of(error)}") from None
    except Exception as error:
        # Of its own code, such as a default that asks the clock, which a workflow may not.
        why = one_line(f"{type(error).__name__}: {error}", 300)
        raise ValueError(f"context: a {_name_of(kind)} cannot be made of it: {why}: give all of its values") from error


def computed_fields(kind: Any) -> tuple[str, ...]:
    """Return what a type writes and does not read, as JSON calls it."""
    known = kind.model_computed_fields if isinstance(kind, type) and issubclass(kind, BaseModel) else {}
    return tuple(field.alias or name for name, field in known.items())


def names_of_kind(kind: Any) -> tuple[str, ...]:
    """Return the names of the values that a type of contexts has, as JSON calls them.

    Empty where it may have any.
    """
    if not isinstance(kind, type):
        return ()
    if issubclass(kind, BaseModel):
        if kind.model_config.get("extra") == "allow":
            return ()
        return (*(f.serialization_alias or name for name, f in kind.model_fields.items()), *computed_fields(kind))
    if is_typeddict(kind) or hasattr(kind, "__dataclass_fields__"):
        return tuple(getattr(kind, "__dataclass_fields__", None) or get_type_hints(kind))
    return ()


def check_type(kind: Any, where: str) -> None:
    """Check that a context can be read as a type.

    Raises:
        SpecError: It cannot.
    """
    if isinstance(kind, BaseModel | Mapping):
        raise SpecError(
            f"{where}: context: this {type(kind).__name__} is a value: name its type, and give the value to the run"
        )
    try:
        _adapter(kind)
    except SpecError as error:
        raise SpecError(f"{where}: {error}") from None


def _read(adapter: TypeAdapter[Any], values: Values) -> Any:
    # As JSON, in which strict types take what they themselves wrote.
    return adapter.validate_json(json.dumps(values))


def _adapter(kind: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(kind)
    except PydanticUserError:
        raise SpecError(
            f"context: {_name_of(kind)} is no type that can be read from JSON: use a pydantic model, a dataclass or a "
            "TypedDict"
        ) from None


def _name_of(kind: Any) -> str:
    return str(getattr(kind, "__name__", type(kind).__name__))


def _is_object(value: Any) -> bool:
    return isinstance(value, BaseModel | Mapping) or hasattr(value, "__dataclass_fields__")


_Place = tuple[int | str, ...]


def _unkept(value: Any, place: _Place) -> Iterator[tuple[str, str]]:
    """Yield what JSON would not keep of what somebody gave, each with its place."""
    if len(place) > MAX_DEPTH:
        return  # told when all of it is written
    if isinstance(value, SecretStr | SecretBytes):
        yield place_text(place), f"a {type(value).__name__} is written as stars: {_NO_SECRETS}"
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if problem := _wrong_name(name):
                yield place_text(place), problem
            else:
                yield from _unkept(item, (*place, name))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _unkept(item, (*place, index))
    elif place and _is_object(value) and not isinstance(value, type):
        # Inside a dict: what is of a type all through is compared as a whole.
        yield from _unread(value, place)


def _unread(value: Any, place: _Place) -> Iterator[tuple[str, str]]:
    try:
        _check_readable(value, to_plain(value))
    except SpecError as error:
        yield place_text(place), str(error).removeprefix("context: ")
    except ValueError:
        return  # told with its own words, when all of it is written


def _wrong_name(name: object) -> str:
    if not isinstance(name, str):
        return f"a name in it is of type {type(name).__name__}: write it as a text"
    return "" if encodable(name) == name else f"the name {encodable(name)!r} in it has half of a surrogate pair"


_NO_SECRETS: Final = "give what it is found by, and let tools fetch it"


def _no_json(value: JsonValue, place: _Place) -> Iterator[tuple[str, str]]:
    """Yield what no JSON can hold, or not every reader takes, each with its place."""
    if isinstance(value, str):
        if encodable(value) != value:
            yield place_text(place), "it is not Unicode: it has half of a surrogate pair"
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _no_json(item, (*place, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _no_json(item, (*place, index))
    elif isinstance(value, float) and not math.isfinite(value):
        yield place_text(place), f"{value} is no number of JSON: leave it out, or give null"
    elif isinstance(value, int) and value.bit_length() > _INTEGER_BITS:
        yield place_text(place), f"it is a number of more than {_INTEGER_BITS} bits: write it as a text"


_INTEGER_BITS: Final = 64


def _check_readable(given: Any, values: Values) -> None:
    """Check that nothing is lost on the way: a `SecretStr` is written as stars."""
    kind = type(given)
    try:
        back = typed_context(kind, values)
    except ValueError as error:
        why = str(error).removeprefix("context: ")
        raise SpecError(f"context: a {kind.__name__} cannot be read from its own JSON: {why}") from None
    if back != given:
        raise SpecError(
            f"context: {kind.__name__} does not come back from JSON as it was: use types that JSON keeps. A secret is "
            f"written as stars: {_NO_SECRETS}"
        )


def what_lacks(name: str, values: Mapping[str, Any]) -> str:
    """Return what a run's context lacks, and what to do.

    Args:
        name: What is wanted of it, such as `context.user.plan`.
        values: The context.
    """
    if values:
        return f"{{{name}}}: the run's context has no such value: it has {', '.join(values)}"
    first = name.removeprefix(CONTEXT).partition(".")[0]
    given = f"pass context=… when it is started, or --context '{{\"{first}\": …}}' in a shell"
    return f"{{{name}}}: the run has no context: {given}"
