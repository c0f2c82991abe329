"""Finds what the code of a workflow of one's own names, without running it.

So that what it lacks is told when a worker starts, and not in the middle of a run. What is made up at run time is not
found.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Iterable, Iterator
from types import CodeType

from ..contracts.errors import SpecError
from ..contracts.model import Model
from ..contracts.specs.node import Node


def named_models(workflow: type, providers: Iterable[str]) -> Iterator[Model]:
    """Yield the models that a workflow names as texts or by global names.

    Args:
        workflow: Its class.
        providers: Of which models: another text with a `/` in it need not be a model.
    """
    known = tuple(f"{provider}/" for provider in providers)
    for value in _named(workflow):
        if isinstance(value, Model):
            yield value
        elif isinstance(value, str) and value.startswith(known):
            try:
                yield Model(value)
            except SpecError:
                continue


def named_runnables(workflow: type) -> Iterator[Node]:
    """Yield the runnables that a workflow names by global names."""
    for value in _named(workflow):
        if isinstance(value, Node):
            yield value


def _named(workflow: type) -> Iterator[object]:
    for _, function in inspect.getmembers(workflow, inspect.isfunction):
        for code in _codes(function.__code__):
            yield from code.co_consts
            yield from (function.__globals__[name] for name in _global_names(code) if name in function.__globals__)


def _global_names(code: CodeType) -> Iterator[str]:
    """Yield the global names that code reads, and none of attributes."""
    steps = dis.get_instructions(code)
    yield from dict.fromkeys(step.argval for step in steps if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"))


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield a function's code, and that of the functions in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
