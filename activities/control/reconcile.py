"""Asks a tool's own hook what came of a call whose outcome is unknown."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final

from temporalio import activity

from ...contracts import names
from ...contracts.control.reconciliation import Done, NotDone
from ...contracts.errors import ToolError
from ...contracts.text import cut, encodable
from ...contracts.tool import Tool
from ...contracts.wire.control.reconcile_call import ReconcileCall, Reconciled
from ...contracts.wire.tool_call import ToolInvocation, ToolOutput
from ..call.failure import failure
from ..call.heartbeat import heartbeats
from ..call.tool_call import fit, idempotency_key
from ..call.user_code import UserCode
from ..guardrails.guarded_call import GuardedCall
from ..guardrails.screening import Guards
from ..not_served import cannot
from .hook import HookError, hook_says

HOOK_TIMEOUT: Final = timedelta(seconds=30)
"""Longest one question to a hook may take."""
_ATTEMPTS: Final = 5
_MOST_NOTE_CHARS: Final = 500


class ReconcileActivities:
    """What this worker can find out of calls that were cut off.

    Args:
        tools: The app's functions, by name.
        user: Runs their hooks.
        guards: What guardrails need. Default: there are none.
    """

    def __init__(self, tools: Mapping[str, Tool[..., Any]], user: UserCode, guards: Guards | None = None) -> None:
        self._guards = guards or Guards()
        self._tools = tools
        self._user = user

    @activity.defn(name=names.RECONCILE_ACTIVITY)
    async def ask(self, call: ReconcileCall) -> Reconciled:
        """Return what came of a call.

        Repeatable: a hook only looks. Where it fails it is asked a few times more, then nothing is known. Fails as
        `NotServed` where this worker lacks the tool or its hook. Heartbeats on its own. Costs what the hook does.
        """
        tool = self._tools.get(call.name)
        if tool is None or tool.reconcile is None:
            raise await cannot(f"no worker here can tell what came of {call.name}: serve it with its reconcile=")
        invocation = ToolInvocation(call_id=call.call_id, reply=call.reply)
        guarded = GuardedCall(self._guards, invocation, tool)
        key = call.key or idempotency_key(invocation)
        hook, most = partial(tool.reconcile, key), HOOK_TIMEOUT.total_seconds()
        is_async = inspect.iscoroutinefunction(tool.reconcile)
        async with heartbeats():
            try:
                said = await hook_says(self._user, call.name, "reconcile=", hook, is_async=is_async, seconds=most)
            except HookError as error:
                told = guarded.text(str(error))
                if activity.info().attempt < _ATTEMPTS:
                    raise failure(error, told, kind=names.TOOL_FAILED, retryable=True) from None
                return Reconciled(note=cut(encodable(told), _MOST_NOTE_CHARS))
            found = _found(tool, said)
            # It is what the tool returned, told later.
            output = await guarded.output(found.output, call.name) if found.output else None
            return found.model_copy(update={"output": output})


def _found(tool: Tool[..., Any], said: Any) -> Reconciled:
    if said is None:
        return Reconciled()
    if isinstance(said, NotDone):
        return Reconciled(not_done=True)
    if not isinstance(said, Done):
        return Reconciled(note=f"its reconcile= returned a {type(said).__name__}, in place of Done, NotDone or None")
    try:
        output = fit(ToolOutput(content=tool.signature.render(said.result)), tool.spec.name, tool.spec.effect)
    except (ToolError, ValueError, TypeError) as error:
        output = ToolOutput(content="done", incomplete=cut(encodable(str(error)), _MOST_NOTE_CHARS))
    return Reconciled(output=output)
