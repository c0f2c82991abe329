"""Gives the output of a result the type that its runnable has in this process."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..contracts.errors import SpecError
from ..contracts.text import plural
from ..contracts.wire.run import Result


def typed(what: str, output_type: TypeAdapter[Any] | None, result: Result) -> Result:
    """Return a result whose output is a value of a type, where it completed.

    Args:
        what: Whose result, for an error.
        output_type: The type. None: it is not known.
        result: As the history has it.

    Raises:
        SpecError: The output is no value of that type.
    """
    try:
        return result.typed(output_type)
    except ValidationError as error:
        raise SpecError(
            f"{what}: its output is not of the type that its runnable has here: get it without runnable= "
            f"to see it as it is ({plural(error.error_count(), 'problem')}: {error.errors()[0]['msg']})"
        ) from error
