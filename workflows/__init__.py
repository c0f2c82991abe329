"""Workflows decide, deterministically: no I/O, no clock, no chance.

Here is what code-first workflows call, loaded on first use: `run`, `ask`, `search` and `call_tool`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .code_first import ask, call_tool, run, search

__all__ = ["ask", "call_tool", "run", "search"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from . import code_first  # noqa: PLC0415 - importing the package must cost nothing

        return getattr(code_first, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
