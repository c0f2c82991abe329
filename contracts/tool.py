"""Tools, and the decorator that makes one.

What a model sees of them, and what a workflow knows of them.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Generic, ParamSpec, overload

from pydantic import Field, JsonValue, ValidationError
from typing_extensions import TypeVar

from .contract import Contract, option_names, unknown_field
from .control.approval import Approval
from .control.reconciliation import Reconcile, is_hook
from .control.undoing import check_undoing, undoing_name
from .errors import SpecError
from .guardrails.any_guardrail import AnyGuardrail, check_guardrails
from .guardrails.guardrail import Guardrail
from .signature.callee import LAMBDA, Callee, callable_in, name_of
from .signature.hints import type_of_parameter
from .signature.tool_signature import ToolSignature
from .text import cut

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
ContextT = TypeVar("ContextT", default=Any)
"""Type of the context of a run."""
ResourcesT = TypeVar("ResourcesT", default=Any)
"""Type of what an app's lifespan yields."""

TOOL_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]{0,63}\Z")
"""Names that every provider takes."""
DEFAULT_TIMEOUT = timedelta(minutes=1)
_MOST_PROGRESS_CHARS = 1_000


class Effect(StrEnum):
    """What happens when a tool runs twice."""

    READ = "read"
    """Nothing: it only looks. Repeated freely."""
    IDEMPOTENT = "idempotent"
    """Nothing more, given the same idempotency key. Repeated with the same key."""
    ONCE = "once"
    """Harm. One attempt only; where its outcome is unknown, the model is told so."""


class ToolDefinition(Contract):
    """What a model sees of a tool."""

    name: str
    description: str = ""
    parameters: dict[str, Any]
    """JSON Schema (2020-12) of the arguments, an object."""


class ToolSpec(ToolDefinition):
    """What a workflow knows of a tool."""

    effect: Effect = Effect.ONCE
    fast: bool = False
    """Runs inside the workflow task's worker as a local activity: one history event instead of six."""
    timeout: timedelta = Field(default=DEFAULT_TIMEOUT, gt=timedelta(0))
    """Longest one attempt may take."""
    retries: int = Field(default=0, ge=0, le=20)
    """Further attempts after an exception, before the model is told. Always 0 for `once`."""
    asks: Approval | None = None
    """What it takes before it runs. None: nobody is asked."""
    reconciles: bool = False
    """Whether it can tell what came of a call that was cut off."""
    compensate: str = ""
    """Name of the tool that undoes it; empty where none does."""
    pii: bool = False
    """Whether it is given the originals in place of the placeholders that redaction left in its arguments."""
    guardrails: tuple[AnyGuardrail, ...] = ()
    """What its arguments and its result have to pass, beside what the agent that calls it has."""

    @property
    def definition(self) -> ToolDefinition:
        """The part that goes to the model."""
        return ToolDefinition(name=self.name, description=self.description, parameters=self.parameters)


@dataclass(frozen=True, slots=True)
class ToolContext(Generic[ContextT, ResourcesT]):
    """What a running tool may know and do.

    A tool asks for it with a parameter of this type, or of `ToolContext[Ctx]`, where `Ctx` is the type of the run's
    context, or of `ToolContext[Ctx, Shared]`, where `Shared` is that of what the app's lifespan yields.
    """

    run_id: str
    """Id of the run."""
    call_id: str
    """Id of the call, unique in the run."""
    idempotency_key: str
    """The same over every attempt of this call, and different for every other call."""
    attempt: int
    """From 1."""
    context: ContextT = None  # type: ignore[assignment]
    """The run's own values, which no model sees or chooses. A value of the type that the tool names, else of the app's;
    a dict where neither names one; None where the run has no context."""
    tenant: str = ""
    """Whom the run is for; empty where it is nobody's."""
    undoes: str = ""
    """Idempotency key of the call that this one undoes; empty where it undoes none."""
    resources: ResourcesT = None  # type: ignore[assignment]
    """What the app's `lifespan` yielded in this worker; None where it has none."""
    _heartbeat: Callable[[Any], None] = field(default=lambda _: None, repr=False)
    _is_cancelled: Callable[[], bool] = field(default=lambda: False, repr=False)
    _progress: Callable[[str, float | None, float | None], None] = field(default=lambda *_: None, repr=False)

    def heartbeat(self, progress: JsonValue = None) -> None:
        """Report progress, shown in the Temporal UI. Liveness is reported without it."""
        self._heartbeat(progress)

    def progress(self, text: str, *, done: float | None = None, total: float | None = None) -> _Done:
        """Tell those who watch how far the call is.

        As in `await ctx.progress("searching", done=2, total=3)`; in a sync tool without `await`. Nothing of it is kept.

        Args:
            text: What is being done. Of a long one the beginning is told.
            done: How much of it is done.
            total: Of how much.

        Raises:
            TypeError: `done` or `total` is not a finite number.
        """
        self._progress(cut(str(text), _MOST_PROGRESS_CHARS), _finite("done", done), _finite("total", total))
        return _Done()

    @property
    def cancelled(self) -> bool:
        """Whether the run wants this call to stop.

        An async tool is cancelled; a sync one looks here.
        """
        return self._is_cancelled()


def _finite(name: str, number: Any) -> float | None:
    try:
        found = None if number is None else float(number)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if found is not None and not math.isfinite(found):
        raise TypeError(f"progress: {name} is not a finite number")
    return found


class _Done:
    """Something that may be awaited, and is done already."""

    def __await__(self) -> Generator[None]:
        return
        yield


class Tool(Generic[P, R_co]):
    """A typed function that models can call. Still callable as the function it was."""

    def __init__(
        self,
        function: Callable[P, R_co],
        spec: ToolSpec,
        signature: ToolSignature,
        callee: Callee,
        when: Callable[[Any], bool] | None = None,
        reconcile: Reconcile | None = None,
        compensate: Tool[..., Any] | str | None = None,
    ) -> None:
        self.compensate = compensate
        """What undoes it, or the name of that. None: nothing does."""
        self.reconcile = reconcile
        """Tells by its idempotency key what came of a call that was cut off. None: nothing does."""
        self.when = when
        """Says by the context of a run whether the tool is offered in it. None: in every run."""
        self.when_type = type_of_parameter(when, f"{spec.name}: when") if when else None
        """The type that it takes, where it says so."""
        self.context_type = signature.hidden_type
        """The type of the context that it wants, where it says so."""
        self.function = function
        self.spec = spec
        self.signature = signature
        self.is_async = callee.is_async
        """Whether calling it makes a coroutine. A sync function may return an awaitable all the same."""
        self.__name__ = spec.name
        self.__doc__ = callee.doc or None
        self.__wrapped__ = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Call the function itself, as if it were undecorated."""
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<tool {self.spec.name} ({self.spec.effect})>"


@overload
def tool(function: Callable[P, R], /) -> Tool[P, R]: ...


@overload
def tool(
    *,
    effect: Effect | str = ...,
    fast: bool = ...,
    timeout: timedelta = ...,
    retries: int = ...,
    name: str | None = ...,
    description: str | None = ...,
    when: Callable[[Any], bool] | None = ...,
    approval: Approval | str | bool = ...,
    reconcile: Reconcile | None = ...,
    compensate: Tool[..., Any] | str | None = ...,
    pii: bool = ...,
    guardrails: Iterable[Guardrail] = ...,
) -> Callable[[Callable[P, R]], Tool[P, R]]: ...


def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    effect: Effect | str = Effect.ONCE,
    fast: bool = False,
    timeout: timedelta = DEFAULT_TIMEOUT,
    retries: int = 0,
    name: str | None = None,
    description: str | None = None,
    when: Callable[[Any], bool] | None = None,
    approval: Approval | str | bool = False,
    reconcile: Reconcile | None = None,
    compensate: Tool[..., Any] | str | None = None,
    pii: bool = False,
    guardrails: Iterable[Guardrail] = (),
    **unknown: Any,
) -> Any:
    """Make a tool of a typed function, or of whatever else can be called.

    The JSON schema comes from the signature and the docstring's `Args:`. What a partial has bound is hidden.

    Args:
        function: The function, where the decorator is used without parentheses.
        effect: What happens when it runs twice: `read`, `idempotent` or `once`. The safe default is `once`.
        fast: Run it as a local activity: for reads that end within a second or two.
        timeout: Longest one attempt may take.
        retries: Further attempts after an exception before the model is told. Not for `once`.
        name: What the model calls it. Default: the function's name; of an object that of its class, in snake case.
        description: What the model reads of it. Default: the docstring up to its first section.
        when: Says once, by the run's context, whether the run has the tool: `when=lambda context: context.pro`.
        approval: Who has to say yes before it runs: `True` for anybody, an approval of the app by name, or one itself.
        reconcile: Tells by its idempotency key what came of a `once` call that was cut off: `Done`, `NotDone` or None.
        compensate: The tool, or its name, that undoes a call: takes its arguments by name, and `result`.
        pii: Whether it is given the originals in place of what redaction left in its arguments.
        guardrails: What its arguments (`tool_call`) and its result (`tool_result`) have to pass.
        **unknown: None: a mistake that is told as one.

    Raises:
        SpecError: There is no such option, options contradict each other, or a parameter has no type that is JSON.
    """
    if unknown:
        raise SpecError(unknown_field("@tool", next(iter(unknown)), option_names(tool)))

    def make(wrapped: Callable[..., Any]) -> Tool[..., Any]:
        options = {"effect": effect, "fast": fast, "timeout": timeout, "retries": retries, "pii": pii}
        hooks = {"when": when, "reconcile": reconcile, "compensate": compensate}
        return _make(wrapped, name, description, {**options, "asks": approval, "guardrails": guardrails}, hooks)

    return make if function is None else make(function)


def _make(
    wrapped: Callable[..., Any],
    name: str | None,
    description: str | None,
    options: dict[str, Any],
    hooks: dict[str, Any],
) -> Tool[..., Any]:
    called = callable_in(wrapped.function if isinstance(wrapped, Tool) else wrapped)
    label = name or name_of(called)
    if label == LAMBDA:
        raise SpecError("@tool: a lambda has no name: give it one by name=, or write a function with def")
    callee = Callee.of(called, label)
    signature = ToolSignature.of(callee, hidden=ToolContext)
    asks = Approval.of(options["asks"], f"tool {label}: approval")
    guardrails = check_guardrails(options["guardrails"], f"tool {label}: guardrails")
    try:
        spec = ToolSpec(
            name=label,
            description=signature.description if description is None else inspect.cleandoc(description),
            parameters=signature.schema,
            reconciles=is_hook(hooks["reconcile"], f"tool {label}"),
            compensate=undoing_name(hooks["compensate"], f"tool {label}"),
            **{**options, "effect": _effect(options["effect"], label), "asks": asks, "guardrails": guardrails},
        )
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SpecError(f"tool {label}: {problems}") from None
    check_spec(spec)
    if spec.asks:
        spec.asks.check_when(spec.parameters.get("properties", {}), f"tool {label}: approval")
    made = Tool(called, spec, signature, callee, **hooks)
    if isinstance(made.compensate, Tool):
        check_undoing(made, made.compensate, f"tool {label}")
    return made


def _effect(effect: Effect | str, label: str) -> Effect:
    try:
        return Effect(effect)
    except ValueError:
        known = ", ".join(repr(e.value) for e in Effect)
        raise SpecError(f"tool {label}: effect is {effect!r}, not one of {known}") from None


def check_spec(spec: ToolSpec) -> None:
    """Find what contradicts itself in a tool.

    Raises:
        SpecError: Not every provider takes the name, or `fast` or `retries` do not go with the effect.
    """
    if not TOOL_NAME.match(spec.name):
        raise SpecError(
            f"tool {spec.name!r}: a name has up to 64 letters, digits, '_' and '-', and starts with a letter or '_'"
        )
    if spec.fast and spec.effect is not Effect.READ:
        raise SpecError(
            f"tool {spec.name}: fast=True needs effect='read', not {spec.effect.value!r}: "
            "a local activity may run again after a crash"
        )
    if spec.reconciles and spec.effect is not Effect.ONCE:
        raise SpecError(f"tool {spec.name}: reconcile= is for effect='once', not {spec.effect.value!r}")
    if spec.retries and spec.effect is Effect.ONCE:
        raise SpecError(f"tool {spec.name}: retries={spec.retries} needs effect='read' or 'idempotent', not 'once'")
