"""What the calls of one code-first workflow share."""

from __future__ import annotations

from temporalio import workflow

from ...contracts import names
from ...contracts.wire.places import Place
from ..interpreter import Interpreter

_HELD = "_sostenuto_interpreter"


def own_interpreter() -> Interpreter:
    """Return what the calls of one workflow share, kept on its instance."""
    instance = workflow.instance()
    interpreter: Interpreter | None = getattr(instance, _HELD, None)
    if interpreter is None:
        interpreter = Interpreter(Place(workflow.info().workflow_type))
        setattr(instance, _HELD, interpreter)
        interpreter.serve()
        workflow.set_query_handler(names.TRANSCRIPT_QUERY, interpreter.page)
    return interpreter
