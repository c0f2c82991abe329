"""The context of a code-first workflow: `context`."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from pydantic import JsonValue

from ...contracts.context.values import typed_context
from ...contracts.errors import SpecError
from ..run_context import own_context

T = TypeVar("T")


@overload
def context() -> dict[str, JsonValue]: ...


@overload
def context(kind: type[T]) -> T: ...


def context(kind: Any = None) -> Any:
    """Return the context of the workflow: what its client gave it as `context=`.

    Args:
        kind: Its type. None: it is wanted as a dict, which is empty where there is none.

    Raises:
        SpecError: It is no value of that type; says what is wrong with which.
    """
    values = own_context()
    try:
        return typed_context(kind, values)
    except ValueError as error:
        lack = "" if values else ": the workflow was started without one: pass context="
        raise SpecError(f"{error}{lack}") from None
