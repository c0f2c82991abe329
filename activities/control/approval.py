"""Says of a call, before it is made, whether somebody has to say yes to it.

Runs beside the workflow as a local activity, so it must be quick, whatever people's predicates do.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping
from typing import Any, Final

from temporalio import activity

from ...contracts import names
from ...contracts.control.approval import USER_VALUE, Approval, Predicate, call_hash, given_to
from ...contracts.control.person import person
from ...contracts.mcp import McpServer
from ...contracts.signature.tool_signature import ToolArgumentsError
from ...contracts.text import cut, encodable
from ...contracts.tool import Tool
from ...contracts.wire.control.approval_call import ApprovalAsked, ApprovalCall
from ..call.failure import failure, told
from ..call.heartbeat import heartbeats
from ..call.user_code import UserCode
from ..not_served import NotServedError, cannot
from .hook import HookError, hook_says

PREDICATE_SECONDS: Final = 5.0
"""Longest a predicate may take. One that takes longer has not said that nobody need be asked."""
_MOST_REASON_CHARS: Final = 500
_IN_DOUBT: Final = (
    "it was interrupted, and nobody knows whether it took effect: answer with what came of it, or deny it"
)
_SCHEMA: Final = "Valid arguments follow the JSON schema of the tool."


class ApprovalActivities:
    """What this worker knows of approvals: predicates, and the app's own.

    Args:
        tools: The app's functions, by name.
        approvals: The app's approvals, by name.
        servers: Its MCP servers, by name.
        user: Runs the predicates.
    """

    def __init__(
        self,
        tools: Mapping[str, Tool[..., Any]],
        approvals: Mapping[str, Approval],
        servers: Mapping[str, McpServer],
        user: UserCode,
    ) -> None:
        self._tools = tools
        self._approvals = approvals
        self._servers = servers
        self._user = user

    @activity.defn(name=names.APPROVAL_ACTIVITY)
    async def ask(self, call: ApprovalCall) -> ApprovalAsked:
        """Return whether a call needs a yes, and what exactly that is for.

        Repeatable: it changes nothing. Fails as `NotServed` where this worker lacks the tool, its predicate or the
        app's approval. A predicate that fails or takes too long has the call asked about. Heartbeats on its own, and
        costs nothing.
        """
        try:
            async with heartbeats():
                return await self._asked(call)
        except NotServedError as error:
            raise await cannot(str(error)) from None
        except Exception as error:  # noqa: BLE001 - a local activity that is retried for ever would hang its run
            message = f"{call.name}: {type(error).__name__}: {error}"
            raise failure(error, message, kind=names.TOOL_FAILED, retryable=False) from None

    async def _asked(self, call: ApprovalCall) -> ApprovalAsked:
        asks = self._meant(call)
        try:
            async with asyncio.timeout(PREDICATE_SECONDS):
                values = await self._user.aside(lambda: self._bound(call))
        except TimeoutError:
            late = f"The check of the arguments did not end within {PREDICATE_SECONDS:g} s."
            return ApprovalAsked(needed=False, refused=late)
        except _UnfitError as error:
            return ApprovalAsked(needed=False, refused=cut(encodable(str(error)), _MOST_REASON_CHARS * 4))
        found = ApprovalAsked(
            name=call.name,
            hash=call_hash(call.name, call.arguments),
            asks=asks,
            arguments=call.arguments if call.direct else None,
            undoes=call.undoes,
            reason=_IN_DOUBT if call.in_doubt else "",
        )
        predicate = self._predicate(call, asks)
        if predicate and not call.edited:
            needed, reason = await self._says(call.name, predicate, values)
            if not needed:
                return ApprovalAsked(needed=False)
            found = found.model_copy(update={"reason": reason})
        if asks.four_eyes and not person(call.requester) and not call.in_doubt:
            lack = f"it takes another person than whoever asked, and the run's context has no {USER_VALUE!r}"
            return ApprovalAsked(needed=False, refused=f"{call.name} was not run: {lack}.")
        return found

    def _meant(self, call: ApprovalCall) -> Approval:
        """Return what the call takes, with the app's own approval in place of its name.

        Raises:
            NotServedError: This worker has no approval of that name.
        """
        asks = call.asks
        if not asks.policy:
            return in_doubt(asks) if call.in_doubt else asks
        own = self._approvals.get(asks.policy)
        if own is None:
            known = ", ".join(sorted(self._approvals)) or "none"
            raise NotServedError(
                f"this worker has no approval {asks.policy!r} (it has: {known}): "
                f"name it in App(approvals={{{asks.policy!r}: Approval(...)}})"
            )
        return in_doubt(own, asks.policy) if call.in_doubt else own.model_copy(update={"policy": asks.policy})

    def _predicate(self, call: ApprovalCall, asks: Approval) -> Predicate | None:
        """Return what says which calls ask.

        Raises:
            NotServedError: It is not known here.
        """
        if not asks.conditional:
            return None
        known: Approval | None = self._approvals.get(asks.policy)
        if not asks.policy and call.server:
            server = self._servers.get(call.server)
            known = server.approval_of(call.tool, call.effect, destructive=call.destructive) if server else None
        elif not asks.policy:
            known = self._tools[call.name].spec.asks if call.name in self._tools else None
        if known is None or known.when is None:
            raise NotServedError(f"this worker does not know when {call.name} asks for an approval")
        return known.when

    def _bound(self, call: ApprovalCall) -> dict[str, Any]:
        """Return the arguments as the tool takes them.

        Raises:
            _UnfitError: They do not fit; says why.
        """
        if call.in_doubt:
            return {}
        tool = None if call.server or call.asks.question else self._tools.get(call.name)
        if tool is None:
            _check_schema(call)
            return dict(call.arguments)
        try:
            return tool.signature.bind(dict(call.arguments))
        except ToolArgumentsError as error:
            raise _UnfitError(str(error)) from None
        except Exception as error:  # noqa: BLE001 - of the types of the tool, which are people's own
            raise _UnfitError(f"The arguments do not fit: {told(error)}. {_SCHEMA}") from None

    async def _says(self, name: str, predicate: Predicate, values: Mapping[str, Any]) -> tuple[bool, str]:
        """Return whether somebody is asked, and why where the predicate did not say so."""
        is_async = inspect.iscoroutinefunction(predicate)

        def ask() -> Any:
            return predicate(**given_to(predicate, values))

        try:
            said = await hook_says(self._user, name, "when=", ask, is_async=is_async, seconds=PREDICATE_SECONDS)
        except HookError as error:
            return True, cut(encodable(str(error)), _MOST_REASON_CHARS)
        if isinstance(said, bool):
            return said, ""
        return True, f"its when= returned a {type(said).__name__}, in place of True or False"


def in_doubt(asks: Approval, policy: str = "") -> Approval:
    """Return by whom it is said what came of a call.

    By one person, whoever asked for it too.
    """
    one = {"quorum": 1, "four_eyes": False, "grants": False, "conditional": False, "question": True}
    return asks.model_copy(update={**one, "policy": policy})


class _UnfitError(Exception):
    """Arguments that do not fit; says why."""


def _check_schema(call: ApprovalCall) -> None:
    """Check the arguments of what has no signature here.

    A schema that cannot be read is the server's business: it sees the arguments itself.

    Raises:
        _UnfitError: They do not fit; says where.
    """
    if not call.edited and not call.asks.question:
        return
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - only where a person writes arguments
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415

    try:
        Draft202012Validator.check_schema(call.parameters)
    except SchemaError:
        return
    wrong = [
        f"{one.json_path.removeprefix('$.')}: {one.message}"
        for one in Draft202012Validator(call.parameters).iter_errors(call.arguments)
    ]
    if wrong:
        raise _UnfitError(f"The arguments do not fit. {'; '.join(wrong[:5])}. {_SCHEMA}")
