"""Finds complaints that nothing has brought about."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable
from types import CodeType, FrameType
from typing import Any


def unheard(functions: Iterable[Any], run: Callable[[], object]) -> list[str]:
    """Return the lines in which functions yield something, but did not while `run` ran.

    Args:
        functions: Generators to watch.
        run: What is to make them yield everything that they can.
    """
    watched: dict[CodeType, set[int]] = {function.__code__: set() for function in functions}

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code not in watched:
            return None
        watched[frame.f_code].add(frame.f_lineno)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return [f"{code.co_name}: {line}" for code, ran in watched.items() for line in sorted(_yields(code) - ran)]


def _yields(code: CodeType) -> set[int]:
    lines, first = inspect.getsourcelines(code)
    tree = ast.parse(textwrap.dedent("".join(lines)))
    return {node.lineno + first - 1 for node in ast.walk(tree) if isinstance(node, ast.Yield)}
