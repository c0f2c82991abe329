"""Workflows decide, deterministically: no I/O, no clock, no chance.

Here is what code-first workflows call, loaded on first use: `run`, `ask`, `search`, `call_tool`,
`ask_person`, `compensate` and `context`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .code_first.compensation import compensate
    from .code_first.context import context
    from .code_first.questions import ask_person
    from .code_first.runs import ask, run, search
    from .code_first.tool_calls import call_tool

__all__ = ["ask", "ask_person", "call_tool", "compensate", "context", "run", "search"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from .code_first import compensation, context, questions, runs, tool_calls  # noqa: PLC0415 - importing the package must cost nothing

        homes = (home for home in (runs, tool_calls, questions, compensation, context) if hasattr(home, name))
        return getattr(next(homes), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
