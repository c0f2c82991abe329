"""Code-first workflows: how one is named and asked, and its values as JSON.

Does no I/O.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError
from pydantic_core import to_json

from ..contracts.contract import brief
from ..contracts.errors import SpecError
from ..contracts.limits import reads_back


@dataclass(frozen=True, slots=True)
class CodeFirstWorkflow:
    """A workflow that is not a run of ours, but calls `run`, `ask` and their like."""

    name: str
    """Its workflow type."""
    arguments: int
    """How many its run method takes: none or one."""
    input_type: TypeAdapter[Any] | None
    """Type of its argument, where it has one."""
    output_type: TypeAdapter[Any] | None

    @classmethod
    def of(cls, workflow: type | Callable[..., Any]) -> CodeFirstWorkflow:
        """Read what a class made by `@workflow.defn`, or its run method, says of itself.

        Raises:
            SpecError: It is not a workflow, or takes more than one argument.
        """
        definition = getattr(workflow, "__temporal_workflow_definition", None)
        label = getattr(workflow, "__qualname__", repr(workflow))
        if definition is None or definition.name is None:
            raise SpecError(
                f"{label} cannot be started: pass a runnable, or a class made by @workflow.defn or its run method"
            )
        types = definition.arg_types or ()
        if len(types) > 1:
            raise SpecError(f"{label} takes {len(types)} arguments: let it take one, such as a dataclass of them")
        return cls(definition.name, len(types), _adapter(types[0]) if types else None, _adapter(definition.ret_type))

    def argument(self, text: str) -> Any:
        """Return the argument that a text stands for: itself, or what it says as JSON.

        Raises:
            SpecError: It is not JSON of the type that is wanted.
        """
        if not self.arguments and not text:
            return None
        if self.input_type is None:
            return text
        try:
            return self.input_type.validate_python(text, strict=True)
        except ValidationError:
            pass
        try:
            return self.input_type.validate_json(text)
        except ValidationError as error:
            raise SpecError(f"{self.name} cannot take this input, as JSON: {error}") from None

    def check(self, value: Any) -> None:
        """Check that a value is what it takes: it would fail to read it for ever.

        Raises:
            SpecError: The argument is not of the type that the workflow takes.
        """
        if self.input_type is None and isinstance(value, bytes):
            return  # sent as they are
        try:
            written = to_json(value)
            if self.input_type is not None:
                self.input_type.validate_json(written)
        except ValueError as error:
            raise SpecError(f"{self.name} cannot take {brief(value)}: {error}") from None
        if not reads_back(written):
            raise SpecError(f"{self.name} cannot take its argument: it is nested deeper than can be read again")


def _adapter(kind: Any) -> TypeAdapter[Any] | None:
    if kind is None or kind is Any:
        return None
    try:
        return TypeAdapter(kind)
    except (PydanticSchemaGenerationError, PydanticUserError):
        return None
