"""Undoing what a code-first workflow has done: `compensate`."""

from __future__ import annotations

from ...contracts.wire.control.compensation import Compensation
from .held import own_interpreter


async def compensate() -> Compensation:
    """Undo what the workflow did so far, the last first; return what became of each.

    Every call of `call_tool`, and of the runs that `run` made, whose tool has `compensate=`. What was undone once is
    not undone again. A cancel that comes meanwhile does not stop it, so it may be called where one was caught.
    """
    interpreter = own_interpreter()
    return await interpreter.compensator.undo(interpreter.root)
