"""The JSON schema of a type."""

from __future__ import annotations

import inspect
from typing import Any

from pydantic import TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError, PydanticUserError

from ..contract import brief
from ..errors import SpecError


def type_schema(kind: Any, where: str) -> dict[str, Any]:
    """Return the JSON schema of a type.

    Raises:
        SpecError: It is no type, or has none.
    """
    if inspect.isroutine(kind) or isinstance(kind, str):
        raise SpecError(f"{where}: {brief(kind)} is not a type: pass one, or a JSON schema as a dict")
    try:
        return TypeAdapter(kind).json_schema()
    except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema, PydanticUserError) as error:
        label = getattr(kind, "__name__", str(kind))
        raise SpecError(f"{where}: {label} has no JSON schema: use a pydantic model or a dataclass") from error
