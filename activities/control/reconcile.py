"""Asks a tool's own hook what came of a call whose outcome is unknown."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from temporalio import activity

from ...contracts import names
from ...contracts.control.reconciliation import Done, NotDone, Reconcile
from ...contracts.errors import ToolError
from ...contracts.text import cut, encodable
from ...contracts.tool import Tool
from ...contracts.wire.control.reconcile_call import ReconcileCall, Reconciled
from ...contracts.wire.tool_call import ToolInvocation, ToolOutput
from ..call.failure import failure, told, ungrouped
from ..call.heartbeat import heartbeats
from ..call.tool_call import fit, idempotency_key
from ..call.user_code import UserCode, is_cancelled
from ..not_served import cannot

HOOK_TIMEOUT: Final = timedelta(seconds=30)
"""Longest one question to a hook may take."""
_ATTEMPTS: Final = 5
_MOST_NOTE_CHARS: Final = 500


class ReconcileActivities:
    """What this worker can find out of calls that were cut off.

    Args:
        tools: The app's functions, by name.
        user: Runs their hooks.
    """

    def __init__(self, tools: Mapping[str, Tool[..., Any]], user: UserCode) -> None:
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
        key = call.key or idempotency_key(ToolInvocation(call_id=call.call_id, reply=call.reply))
        async with heartbeats():
            try:
                async with asyncio.timeout(HOOK_TIMEOUT.total_seconds()):
                    return _found(tool, await self._said(tool.spec.name, tool.reconcile, key))
            except TimeoutError as error:
                late = f"its reconcile= did not end within {HOOK_TIMEOUT.total_seconds():g} s"
                return self._nothing(error, late)
            except _RaisedError as error:
                return self._nothing(error, str(error))

    def _nothing(self, error: Exception, why: str) -> Reconciled:
        if activity.info().attempt < _ATTEMPTS:
            raise failure(error, why, kind=names.TOOL_FAILED, retryable=True) from None
        return Reconciled(note=cut(encodable(why), _MOST_NOTE_CHARS))

    async def _said(self, name: str, hook: Reconcile, key: str) -> Any:
        if inspect.iscoroutinefunction(hook):
            return await self._user.on_loop(name, lambda: _awaited(hook, key))
        said = await self._user.in_thread(lambda: _called(hook, key))
        return (
            await self._user.on_loop(name, lambda: _awaited(lambda _: said, key)) if inspect.isawaitable(said) else said
        )


class _RaisedError(Exception):
    """What a hook raised, in words."""


def _called(hook: Reconcile, key: str) -> Any:
    try:
        return hook(key)
    except BaseException as error:  # noqa: BLE001 - whatever it is, nothing is known of the call
        raise _RaisedError(f"its reconcile= raised {told(ungrouped(error))}") from None


async def _awaited(hook: Reconcile, key: str) -> Any:
    try:
        return await hook(key)
    except BaseException as error:
        if is_cancelled(error):
            raise
        raise _RaisedError(f"its reconcile= raised {told(ungrouped(error))}") from None


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
