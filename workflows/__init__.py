"""What workflows of your own may call: `run`, `ask` and `call_tool`, loaded on first use."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .code_first import ask, call_tool, run

__all__ = ["ask", "call_tool", "run"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from . import code_first  # noqa: PLC0415 - importing the package must cost nothing

        return getattr(code_first, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
