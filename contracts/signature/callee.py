"""Reads what is to be called.

It is a function, a bound method, a partial or an object with `__call__`. Says of each what it is called, what it takes
and in which names its types are written. Must not know types.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from functools import partialmethod
from types import CodeType, FunctionType, MethodType
from typing import Any

from ..errors import SpecError

LAMBDA = "<lambda>"

_MOST_LAYERS = 50
_DOC_OF_EVERY_CALL = type.__call__.__doc__
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class Callee:
    """What is to be called, as its author wrote it."""

    label: str
    """What errors call it."""
    doc: str
    """Its docstring; empty where there is none."""
    parameters: tuple[inspect.Parameter, ...]
    """What a call has to give: without what a partial or a bound method has given already."""
    returns: Any
    """The annotation of what it returns. `inspect.Signature.empty` where there is none."""
    is_async: bool
    """Whether calling it makes a coroutine, as far as can be seen without calling it."""
    function: Any
    """The innermost function, in whose names its annotations are written."""

    @classmethod
    def of(cls, called: Any, label: str) -> Callee:
        """Read what is called.

        Args:
            called: Anything that can be called.
            label: What errors call it.

        Raises:
            SpecError: It is of a kind that cannot be called by the names of its parameters; says what to write.
        """
        layers = tuple(_layers(called))
        _check(layers, label)
        try:
            signature = _signature(called)
        except (TypeError, ValueError, RecursionError) as error:
            raise SpecError(
                f"tool {label}: what it takes cannot be read ({error}): write a function that calls it, with a type "
                "for each parameter"
            ) from None
        return cls(
            label=label,
            doc=_doc(layers),
            parameters=tuple(signature.parameters.values()),
            returns=signature.return_annotation,
            is_async=_any_call(called, inspect.iscoroutinefunction),
            function=layers[-1],
        )

    def names(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the names that its annotations use: its module's, and local ones.

        Those of functions are known as long as they run, and of what the function itself uses for ever.
        """
        found: dict[str, Any] = {}
        code = getattr(self.function, "__code__", None)
        frame = inspect.currentframe() if code else None
        while frame is not None:
            if frame.f_locals is not frame.f_globals and _is_within(code, frame.f_code):
                found = {**frame.f_locals, **found}
            frame = frame.f_back
        found.update(_closure(self.function))
        return getattr(self.function, "__globals__", {}), found


def name_of(called: Any) -> str:
    """Return the name of what is called, of an object its class in snake case."""
    for layer in _layers(called):
        name = getattr(layer, "__name__", None)
        if isinstance(name, str):
            return name
        if not isinstance(layer, functools.partial) and not callable(getattr(layer, "__wrapped__", None)):
            return _WORD_START.sub("_", type(layer).__name__).lower()
    return "tool"


def callable_in(wrapped: Any) -> Callable[..., Any]:
    """Return what is to be called of what is to be a tool.

    Raises:
        SpecError: It cannot be called; says what to write.
    """
    if isinstance(wrapped, staticmethod):
        called: Callable[..., Any] = wrapped.__func__
        return called
    if isinstance(wrapped, classmethod | partialmethod):
        method = wrapped.__func__ if isinstance(wrapped, classmethod) else wrapped.func
        raise SpecError(
            f"@tool: the {type(wrapped).__name__} {name_of(method)} is not bound: take @tool off it, and write "
            f"tool(effect=...)(Shop.{name_of(method)}) below its class, such as Shop"
        )
    if not callable(wrapped):
        raise SpecError(f"@tool: {wrapped!r} is not a function: name a tool by name=, describe it by description=")
    function: Callable[..., Any] = wrapped
    return function


def _layers(called: Any) -> Iterator[Any]:
    """Yield what is called, then what that calls in turn, down to a function."""
    for _ in range(_MOST_LAYERS):
        yield called
        inner = _inner(called)
        if inner is None:
            return
        called = inner


def _inner(called: Any) -> Any:
    if isinstance(called, functools.partial):
        return called.func
    if isinstance(called, MethodType):
        return called.__func__
    wrapped = getattr(called, "__wrapped__", None)
    # A proxy may answer to every name.
    if callable(wrapped):
        return wrapped
    return None if _is_plain(called) else called.__call__


def _is_plain(called: Any) -> bool:
    """Return whether it is a function or a class, not an object with `__call__`."""
    return isinstance(called, type) or inspect.isroutine(called)


def _signature(called: Any) -> inspect.Signature:
    """Return what is still to be given.

    `inspect.signature` alone shows what a partial has bound by keyword, and all of a partial that names what it wraps.
    """
    if isinstance(called, functools.partial):
        inner = _signature(called.func)
        bound = inner.bind_partial(*called.args, **called.keywords).arguments
        return inner.replace(parameters=[p for p in inner.parameters.values() if p.name not in bound])
    if isinstance(called, MethodType):
        inner = _signature(called.__func__)
        if not inner.parameters:
            raise ValueError("as a method it takes no self")
        first, *others = inner.parameters.values()
        return inner.replace(parameters=[first, *others] if first.kind is first.VAR_POSITIONAL else others)
    if isinstance(getattr(called, "__signature__", None), inspect.Signature):
        return inspect.signature(called)
    inner_call = _inner(called)
    return inspect.signature(called) if inner_call is None else _signature(inner_call)


def _doc(layers: tuple[Any, ...]) -> str:
    for layer in layers:
        # Of a partial and of an object their class would be told.
        doc = inspect.getdoc(layer) if _is_plain(layer) else _own_doc(layer)
        if doc and doc != _DOC_OF_EVERY_CALL:
            return doc
    for layer in layers:
        kind = type(layer)
        if not _is_plain(layer) and not isinstance(layer, functools.partial) and kind.__doc__:
            # A dataclass without a docstring has its signature there.
            generated = is_dataclass(kind) and kind.__doc__.startswith(f"{kind.__name__}(")
            return "" if generated else inspect.cleandoc(kind.__doc__)
    return ""


def _own_doc(called: Any) -> str:
    own = getattr(called, "__dict__", {}).get("__doc__")
    return inspect.cleandoc(own) if isinstance(own, str) else ""


def _any_call(called: Any, holds: Callable[[Any], bool]) -> bool:
    """Return whether something holds of what a call of it runs first.

    What it wraps is not asked: a wrapper may do otherwise.
    """
    if isinstance(called, functools.partial):
        return _any_call(called.func, holds)
    return holds(called) or (not _is_plain(called) and holds(called.__call__))


def _check(layers: tuple[Any, ...], label: str) -> None:
    called, function = layers[0], layers[-1]
    if _any_call(called, inspect.isgeneratorfunction) or _any_call(called, inspect.isasyncgenfunction):
        raise SpecError(f"tool {label}: it yields, but a model is told one result: return a list")
    for layer in layers:
        if isinstance(layer, type):
            raise SpecError(
                f"tool {label}: {layer.__qualname__} is a class: write a function that returns one, or pass an object "
                "that has __call__"
            )
        if str(getattr(getattr(layer, "register", None), "__qualname__", "")).startswith("singledispatch"):
            raise SpecError(
                f"tool {label}: it chooses by the type of its first argument, by singledispatch: write a function that "
                "calls it, with a type for each parameter"
            )
    if inspect.isroutine(function) and not isinstance(function, FunctionType):
        raise SpecError(
            f"tool {label}: {name_of(function)} is not written in Python and has no types: write a function that calls "
            "it, with a type for each parameter"
        )


def _is_within(code: CodeType | None, outer: CodeType) -> bool:
    inside = [const for const in outer.co_consts if isinstance(const, CodeType)]
    return any(const is code or _is_within(code, const) for const in inside)


def _closure(function: Any) -> Mapping[str, Any]:
    cells = getattr(function, "__closure__", None) or ()
    found = {}
    for name, cell in zip(function.__code__.co_freevars if cells else (), cells, strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # assigned later
            continue
    return found
