"""What a model is told of a runnable that it called as a tool."""

from __future__ import annotations

from ..message import ToolResultPart
from ..template import as_text
from .run import Result, Status


def delegate_answer(call_id: str, name: str, result: Result) -> ToolResultPart:
    """Return what the model that called a runnable is told of its result."""
    said = "" if result.output is None else as_text(result.output)
    if result.status is Status.COMPLETED:
        return ToolResultPart(call_id=call_id, name=name, content=said)
    ended = f"{name} ended as {result.status}: {result.reason}"
    return ToolResultPart(
        call_id=call_id, name=name, content=f"{ended}\nBefore that it said: {said}" if said else ended, is_error=True
    )
