"""Checks a model's answer against its output type and its validators."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from ...contracts import limits
from ...contracts.errors import InvalidRequest
from ...contracts.head import Head
from ...contracts.model import OutputSchema
from ...contracts.signature.hints import type_of_parameter
from ...contracts.specs.node import Node
from ...contracts.specs.output import Validator, unwrapped
from ..call.failure import told
from ..call.given.run_context import NO_CONTEXT, RunContext
from ..call.user_code import UserCode
from ..not_served import NotServedError
from .validators import objections, reasons, sendable

_CONTEXT = "context"
"""Name of the parameter by which a validator asks for the run's context."""
_LEAST = timedelta(seconds=1)
"""What validators have left, whatever the check of the type took."""


class OutputValidator:
    """The output types of the runnables that this worker serves, and its validators.

    A runnable that the worker does not know, or knows with another schema, is held to its JSON schema alone: types
    cannot travel with a run.

    Args:
        runnables: With the nested ones: `App.walk()`.
        validators: Functions by name: `App.validators`.
        user: Runs the validators, and those of the types. Default: threads and a loop of its own.
    """

    def __init__(
        self,
        runnables: Iterable[Node] = (),
        validators: Mapping[str, Validator] | None = None,
        *,
        user: UserCode | None = None,
    ) -> None:
        self._types: dict[tuple[str, str], TypeAdapter[Any]] = {}
        for node in runnables:
            output: OutputSchema | None = getattr(node, "output", None)
            if output and node.output_type:
                self._types[node.name, output.model_dump_json()] = node.output_type
        self._validators = dict(validators or {})
        self._wanting = {name: kind for name, one in self._validators.items() if (kind := _context_of(name, one))}
        self._user = user or UserCode()

    def check(self, head: Head, context: RunContext = NO_CONTEXT) -> None:
        """Check that the validators can be asked, before an answer is paid for.

        Raises:
            NotServedError: This worker lacks one; names it and says how to serve it.
            InvalidRequest: One cannot read the run's context, which no other answer would mend; says why.
        """
        for name in head.validators:
            if name not in self._validators:
                known = ", ".join(sorted(self._validators)) or "none"
                raise NotServedError(
                    f"{head.agent}: this worker has no validator {name!r} (it has: {known}): "
                    f"serve it by App(..., validators=[{name}])"
                )
            try:
                self._asked(name, context)
            except ValueError as error:
                raise InvalidRequest(f"validator {name}: {error}") from None

    async def problems(
        self,
        head: Head,
        text: str,
        *,
        limit: timedelta,
        refused: bool = False,
        context: RunContext = NO_CONTEXT,
    ) -> tuple[str, ...]:
        """Return what is wrong with an answer, a sentence each.

        Empty where it is good.

        Args:
            head: Says what the answer must be like.
            text: The answer.
            limit: Longest the check of the type and the validators may take together.
            refused: The model declined to answer: no validator is asked about that.
            context: That of the run, for validators that have a parameter of this name.
        """
        wrong: tuple[str, ...] = ()
        answer: Any = text
        if head.output is not None:
            # A type may have validators of its own.
            began = asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(limit.total_seconds()):
                    wrong, answer = await self._user.aside(lambda: self._parsed(head, text))
            except TimeoutError:
                return (f"answer: the check of its type did not end within {limit.total_seconds():g} s",)
            limit = max(limit - timedelta(seconds=asyncio.get_running_loop().time() - began), _LEAST)
        if head.output is None and not refused and not text.strip():
            return ("it is empty",)
        if wrong or refused or not head.validators:
            return sendable(wrong)
        wanted = {name: self._asked(name, context) for name in head.validators}
        return await objections(wanted, answer, limit=limit, user=self._user)

    def _asked(self, name: str, context: RunContext) -> Validator:
        """Return a validator as it is asked in a run with this context.

        Raises:
            ValueError: The context is not of the type that the validator wants, or there is none and it wants one.
        """
        validator = self._validators[name]
        if name not in self._wanting:
            return validator
        if not context.values and not _may_lack_context(validator, self._wanting[name]):
            raise ValueError("it wants a context, and the run has none: pass context=… when it is started")
        return partial(validator, **{_CONTEXT: context.typed(self._wanting[name])})

    def _parsed(self, head: Head, text: str) -> tuple[tuple[str, ...], Any]:
        """Return what does not fit the form of the answer, and the parsed answer."""
        if head.output is None:
            return (), text
        adapter = self._types.get((head.agent, head.output.model_dump_json()))
        if adapter is None:
            return _by_schema(head.output, text)
        try:
            return _by_type(adapter, head.output, text)
        except BaseException as error:  # noqa: BLE001 - a faulty validator would have the answer paid for again and again
            return (f"answer: its check ended by {told(error)}",), None


def _context_of(name: str, validator: Validator) -> Any:
    """Return the type of the context that a validator wants.

    `Any` where it names none; None where it wants no context.
    """
    try:
        has_it = _CONTEXT in inspect.signature(validator).parameters
    except (TypeError, ValueError):
        return None
    return (type_of_parameter(validator, f"validator {name}", _CONTEXT) or Any) if has_it else None


def _may_lack_context(validator: Validator, kind: Any) -> bool:
    """Return whether a validator says that it takes no context as well."""
    if inspect.signature(validator).parameters[_CONTEXT].default is not inspect.Parameter.empty:
        return True
    try:
        TypeAdapter(kind).validate_python(None)
    except ValidationError:
        return False
    return True


def _by_type(adapter: TypeAdapter[Any], output: OutputSchema, text: str) -> tuple[tuple[str, ...], Any]:
    wrong, whole = _json(text)
    if wrong:
        return wrong, None
    if not output.wrapped:
        try:
            return (), adapter.validate_json(text)
        except ValidationError as error:
            return reasons(error), None
    if not isinstance(whole, dict) or "value" not in whole:
        return ("value: it is missing: answer with a JSON object that has it",), None
    try:
        return (), adapter.validate_json(to_json(whole["value"]))
    except ValidationError as error:
        return reasons(error, "value"), None


def _by_schema(output: OutputSchema, text: str) -> tuple[tuple[str, ...], Any]:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - workflows load this module through `activities.model`

    wrong, value = _json(text)
    if wrong:
        return wrong, None
    errors = Draft202012Validator(output.json_schema).iter_errors(value)
    wrong = tuple(f"{e.json_path.removeprefix('$.')}: {e.message}" for e in errors)
    return wrong, None if wrong else unwrapped(output, value)


def _json(text: str) -> tuple[tuple[str, ...], Any]:
    try:
        return (), limits.parsed_json(text)
    except ValueError as error:
        return (f"answer: {error}",), None
