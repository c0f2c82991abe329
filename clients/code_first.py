"""Code-first workflows: how one is named and asked, and its values as JSON.

Does no I/O.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError
from pydantic_core import to_json
from temporalio.converter import PayloadConverter

from ..contracts.contract import brief, problems_of
from ..contracts.errors import SpecError
from ..contracts.limits import HOW_TO_KEEP_OUTSIDE, reads_back, too_many_bytes


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
            raise SpecError(f"{self.name} cannot take this input, as JSON: {problems_of(error)}") from None

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
            raise SpecError(f"{self.name} cannot take {brief(value)}: {problems_of(error)}") from None
        if not reads_back(written):
            raise SpecError(f"{self.name} cannot take its argument: it is nested deeper than can be read again")


def check_sent(
    method: Callable[..., Any], kind: str, args: Sequence[Any], by: PayloadConverter, *, offload: bool
) -> None:
    """Check what is sent to a method of a workflow, as its worker will read it.

    That one drops a signal which it cannot read.

    Args:
        method: The method that takes it.
        kind: What it is: `signal`, `update` or `query`.
        args: What it is to be given.
        by: Writes and reads it.
        offload: Whether large payloads are kept outside the history.

    Raises:
        SpecError: It takes other arguments, one is of another type than it says, or too large; says which.
    """
    label = f"{kind} {getattr(method, '__name__', 'it')}"
    try:
        bound = inspect.signature(method).bind(None, *args)
    except TypeError as error:
        raise SpecError(f"{label} does not take these arguments: {error}") from None
    definition = getattr(method, f"__temporal_{kind}_definition", None) or getattr(method, "_defn", None)
    types = getattr(definition, "arg_types", None) or ()
    # As the SDK does: of fewer arguments than the method can take it reads none by its type.
    hints = types if len(types) == len(args) else (None,) * len(args)
    names = [*bound.signature.parameters][1:]
    for index, (value, hint) in enumerate(zip(args, hints, strict=True)):
        name = names[min(index, len(names) - 1)]
        try:
            payloads = by.to_payloads([value])
            by.from_payloads(payloads, None if hint is None else [hint])
        except Exception as error:  # noqa: BLE001 - whatever a type of theirs raises
            why = problems_of(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            raise SpecError(f"{label}: {name} cannot be {brief(value)}: {why}") from None
        size = sum(len(payload.data) for payload in payloads)
        if not offload and (reason := too_many_bytes(size, name)):
            raise SpecError(f"{label}: {reason}: pass less, or {HOW_TO_KEEP_OUTSIDE}")


def _adapter(kind: Any) -> TypeAdapter[Any] | None:
    if kind is None or kind is Any:
        return None
    try:
        return TypeAdapter(kind)
    except (PydanticSchemaGenerationError, PydanticUserError):
        return None
