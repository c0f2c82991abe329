"""A run's own values.

As somebody gives them, as a history keeps them, and as a type reads them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from ..contract import brief
from ..errors import SpecError
from ..limits import MAX_DEPTH, is_too_deep
from ..names import CONTEXT_MEMO

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
    if not isinstance(given, BaseModel | Mapping) and not hasattr(given, "__dataclass_fields__"):
        raise SpecError(f"context: {brief(given)} is not an object: pass a pydantic model, a dataclass or a dict")
    try:
        values = to_jsonable_python(given)
    except (PydanticSerializationError, ValueError) as error:
        raise SpecError(f"context: it is not JSON: {error}") from None
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise SpecError(f"context: {brief(given)} is not an object: pass a pydantic model, a dataclass or a dict")
    _check_size(values)
    if not isinstance(given, Mapping):
        _check_readable(given, values)
    return values


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
        # A type that takes no other fields need not have this one.
        if TENANT_VALUE in values:
            try:
                return _read(adapter, {name: value for name, value in values.items() if name != TENANT_VALUE})
            except ValidationError:
                pass
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'it'}: {e['msg']}" for e in error.errors())
        raise ValueError(f"context: {wrong}") from None


def check_type(kind: Any, where: str) -> None:
    """Check that a context can be read as a type.

    Raises:
        SpecError: It cannot.
    """
    if isinstance(kind, BaseModel | Mapping):
        raise SpecError(f"{where}: context: {brief(kind)} is a value: name its type, and give the value to the run")
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
            f"context: {getattr(kind, '__name__', brief(kind))} is no type that can be read from JSON: use a pydantic "
            "model, a dataclass or a TypedDict"
        ) from None


def _check_size(values: Values) -> None:
    if is_too_deep(dict(values)):
        raise SpecError(f"context: it is nested deeper than {MAX_DEPTH} levels")
    size = len(json.dumps(values, ensure_ascii=False).encode(errors="replace"))
    if size > MAX_CONTEXT_BYTES:
        raise SpecError(
            f"context: it has {size:,} bytes as JSON and the limit is {MAX_CONTEXT_BYTES:,}: give what finds the data, "
            "such as an id, and let tools fetch it"
        )


def _check_readable(given: Any, values: Values) -> None:
    """Check that nothing is lost on the way: a `SecretStr` is written as stars."""
    try:
        back = _read(_adapter(type(given)), values)
    except ValidationError as error:
        raise SpecError(
            f"context: {brief(given)} cannot be read from its own JSON: {error.errors()[0]['msg']}"
        ) from None
    if back != given:
        raise SpecError(
            f"context: {type(given).__name__} does not come back from JSON as it was: use types that JSON keeps. A "
            "secret is written as stars: give what it is found by, and let tools fetch it"
        )
