"""Says how an effect is undone: by which tool of the app, and with what.

Runs beside the workflow as a local activity, so it must be quick.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue
from pydantic_core import to_jsonable_python
from temporalio import activity

from ...contracts import limits, names
from ...contracts.control.undoing import RESULT, undoing_of
from ...contracts.errors import SpecError
from ...contracts.tool import Tool
from ...contracts.wire.control.compensation import Undoing, UndoingCall
from ..call.failure import failure, told
from ..not_served import cannot


class UndoingActivities:
    """What this worker knows of tools that undo others.

    Args:
        tools: The app's functions, by name.
    """

    def __init__(self, tools: Mapping[str, Tool[..., Any]]) -> None:
        self._tools = tools

    @activity.defn(name=names.UNDOING_ACTIVITY)
    async def ask(self, call: UndoingCall) -> Undoing:
        """Return what undoes an effect, and what that is given.

        Repeatable: it changes nothing. Fails as `NotServed` where this worker lacks the tool, or what undoes it. Costs
        nothing.
        """
        tool = self._tools.get(call.tool)
        try:
            undoing = undoing_of(tool, self._tools, call.tool) if tool else None
        except SpecError as error:
            raise await cannot(str(error)) from None
        if tool is None or undoing is None:
            raise await cannot(f"no worker here knows what undoes {call.tool}: serve it with its compensate=")
        try:
            return _found(tool, undoing, call)
        except Exception as error:  # noqa: BLE001 - a local activity that is retried for ever would hang its run
            raise failure(error, told(error), kind=names.TOOL_FAILED, retryable=False) from None


def _found(tool: Tool[..., Any], undoing: Tool[..., Any], call: UndoingCall) -> Undoing:
    spec = undoing.spec.model_copy(update={"parameters": {}, "description": ""})
    taken, own = undoing.signature.types, tool.signature.types
    defaults = {name: value for name, value in tool.signature.defaults.items() if name in taken}
    found = Undoing(
        tool=spec,
        takes=tuple(name for name in taken if name in own),
        given=_plain({name: value for name, value in defaults.items() if name not in call.has}),
    )
    if RESULT not in taken or RESULT in own:
        return found
    if call.incomplete:
        return found.model_copy(update={"refused": f"what it returned is not known: {call.incomplete}"})
    try:
        given = found.given | _plain({RESULT: tool.signature.parse(call.content)})
    except ValueError as error:
        return found.model_copy(update={"refused": f"what it returned cannot be read: {told(error)}"})
    if limits.is_too_deep(given):
        return found.model_copy(update={"refused": "what it returned is nested too deeply"})
    return found.model_copy(update={"given": given})


def _plain(values: Mapping[str, Any]) -> dict[str, JsonValue]:
    plain: dict[str, JsonValue] = to_jsonable_python(dict(values), inf_nan_mode="strings")
    return plain
