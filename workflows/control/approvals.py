"""The calls of one workflow that wait for a person, and how they are decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from pydantic import JsonValue
from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

from ...activities.control.approval import ApprovalActivities
from ...contracts import names
from ...contracts.control.approval import USER_VALUE, Approval
from ...contracts.mcp import McpTool
from ...contracts.text import first_line, shorten
from ...contracts.tool import ToolSpec
from ...contracts.wire.control.approval_call import ApprovalAsked, ApprovalCall
from ...contracts.wire.control.decision import Decided, Decision, DecisionKind
from ...contracts.wire.places import Place
from .. import policy
from ..concurrency import told_by
from ..run_context import own_context
from ..until_served import until_served
from .waiting_call import Permit, WaitingCall

_MOST_KEPT = 1_000
"""Calls of which it is known how they were decided, for whoever decides once more."""


class Approvals:
    """The calls of one workflow that wait for a person.

    A decision comes as an update, and is taken by the call that it names, once. Nothing else is changed by it: a call
    that waits keeps no other waiting, and costs nothing.

    Args:
        shown: Told of each call that begins to wait: its place, its tool, and whose yes is wanted.
        awaiting: Told that the first one begins to wait, and, with an empty text, that none waits any more.
    """

    def __init__(
        self,
        shown: Callable[[Place, str, str], None] = lambda *_: None,
        awaiting: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._shown = shown
        self._tell_awaiting = awaiting
        self.granted: set[str] = set()
        """Tools that somebody said yes to for the rest of the run."""
        self._waiting: dict[str, WaitingCall] = {}
        """By the id of the call."""
        self._settled: dict[str, str] = {}
        """What came of calls that waited, in words."""

    def serve(self) -> None:
        """Take decisions from now on."""
        workflow.set_update_handler(names.DECIDE_UPDATE, self._decide, validator=self._check)

    def grant(self, tools: Iterable[str]) -> None:
        """Take over what an earlier execution of the workflow was granted."""
        self.granted.update(tools)

    async def permit(
        self,
        tool: ToolSpec,
        place: Place,
        call_id: str,
        arguments: Mapping[str, JsonValue],
        *,
        direct: bool = False,
    ) -> Permit:
        """Return whether a call may be made, once that is known, and with which arguments.

        Args:
            tool: What is called.
            place: Of the agent, or of the workflow, whose call it is.
            call_id: Id of the call.
            arguments: As they were asked for.
            direct: Whether no model asked for them.

        Raises:
            asyncio.CancelledError: The call was given up while it waited.
        """
        if tool.asks is None or tool.name in self.granted:
            return Permit(arguments)
        try:
            asked = await self._asked(tool, place.approval(call_id), arguments, direct=direct)
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            return Permit(arguments, refused=f"{tool.name} was not run: {told_by(error)}")
        if asked.refused or not asked.needed:
            return Permit(arguments, refused=asked.refused)
        call = WaitingCall(tool, arguments, asked.hash, asked.asks, _requester())
        if call.asks.four_eyes and not call.requester:
            lack = f"it takes another person than whoever asked, and the run's context has no {USER_VALUE!r}"
            return Permit(arguments, refused=f"{tool.name} was not run: {lack}.")
        permit = await self._waited(call, place, call_id)
        if call.is_granted:
            self.granted.add(tool.name)
        return permit

    async def doubt(
        self,
        tool: ToolSpec,
        place: Place,
        call_id: str,
        arguments: Mapping[str, JsonValue],
        *,
        direct: bool = False,
    ) -> Permit:
        """Return what a person says came of a call that was cut off.

        It has no answer where nobody can say.

        Args:
            tool: What was called.
            place: Of the agent, or of the workflow, whose call it is.
            call_id: Id of the call.
            arguments: With what.
            direct: Whether no model asked for it.

        Raises:
            asyncio.CancelledError: It was given up while it waited.
        """
        try:
            asked = await self._asked(tool, place.approval(call_id), arguments, direct=direct, in_doubt=True)
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            return Permit(arguments)
        return await self._waited(WaitingCall(tool, arguments, asked.hash, asked.asks, _requester()), place, call_id)

    async def _waited(self, call: WaitingCall, place: Place, call_id: str) -> Permit:
        key = place.tool_call(call_id)
        self._settled.pop(key, None)
        self._waiting[key] = call
        self._shown(place, call.tool.name, call.asks.group)
        if len(self._waiting) == 1:
            self._tell_awaiting(names.AWAITS_APPROVAL)
        try:
            return await _ended(call, place.approval(call_id))
        finally:
            del self._waiting[key]
            self._settle(key, call)
            if not self._waiting:
                self._tell_awaiting("")

    async def _asked(
        self,
        tool: ToolSpec,
        request: str,
        arguments: Mapping[str, JsonValue],
        *,
        direct: bool = False,
        edited: bool = False,
        in_doubt: bool = False,
    ) -> ApprovalAsked:
        """Return what a worker says of a call.

        Raises:
            FailureError: None can say anything of it.
        """
        asks = tool.asks or Approval()
        call = ApprovalCall(
            name=tool.name,
            asks=asks,
            arguments=dict(arguments),
            # Whoever knows the function needs no schema; it stays outside the history in any case.
            parameters=tool.parameters,
            effect=tool.effect,
            server=tool.server if isinstance(tool, McpTool) else "",
            tool=tool.tool if isinstance(tool, McpTool) else "",
            destructive=tool.approval if isinstance(tool, McpTool) else False,
            edited=edited,
            in_doubt=in_doubt,
            direct=direct,
        )
        summary = first_line(f"approval of {tool.name}", 80)

        async def start(refused: int) -> ApprovalAsked:
            if refused:
                return await workflow.start_activity_method(
                    ApprovalActivities.ask,
                    call,
                    activity_id=request,
                    summary=summary,
                    **policy.approval_policy_elsewhere(),
                )
            return await workflow.start_local_activity_method(
                ApprovalActivities.ask, call, activity_id=request, summary=summary, **policy.approval_policy()
            )

        return await until_served(start)

    def _check(self, decision: Decision) -> None:
        """Refuse what cannot be taken: nothing of it comes into the history."""
        if why := self._why_not(decision):
            raise ApplicationError(why, type=names.APPROVAL_REFUSED, non_retryable=True)

    def _why_not(self, decision: Decision) -> str:
        key = Place(decision.path).tool_call(decision.call_id)
        if call := self._waiting.get(key):
            return call.why_not(decision, workflow.now())
        if settled := self._settled.get(key):
            return f"it is decided: {settled}"
        waiting = ", ".join(map(repr, self._waiting)) or "none"
        return f"no call {shorten(key, 100)!r} waits for an approval; those that do: {waiting}"

    async def _decide(self, decision: Decision) -> Decided:
        """Take a decision on a call that waits."""
        place = Place(decision.path)
        key = place.tool_call(decision.call_id)
        call, hash_of_edit = self._waiting[key], ""
        if decision.kind is DecisionKind.EDIT:
            edited, request = decision.arguments or {}, place.edited_call(decision.call_id)
            call.checks += 1
            try:
                asked = await self._asked(call.tool, request, edited, edited=True)
            finally:
                call.checks -= 1
            if why := asked.refused or self._why_not(decision):
                raise ApplicationError(why, type=names.APPROVAL_REFUSED, non_retryable=True)
            hash_of_edit = asked.hash
        decided = call.take(decision, hash_of_edit)
        if call.permit:
            self._settle(key, call, f"{decision.kind} by {decision.by}")
        return decided

    def _settle(self, key: str, call: WaitingCall, how: str = "") -> None:
        """Keep what came of a call, for whoever decides once more."""
        how = how or ("it expired" if call.permit else "it was given up")
        self._settled.setdefault(key, how)
        if len(self._settled) > _MOST_KEPT:
            del self._settled[next(iter(self._settled))]


async def _ended(call: WaitingCall, timer: str) -> Permit:
    """Wait until it is known whether a call is made, for as long as it may take."""
    while call.permit is None:
        patience = call.asks.expires
        if patience:
            call.expires = workflow.now() + patience
        try:
            await workflow.wait_condition(lambda: call.permit is not None, timeout=patience, timeout_summary=timer)
        except TimeoutError:
            call.late()
    # Whoever edits is told what came of it, whatever became of the call meanwhile.
    if call.checks:
        await workflow.wait_condition(lambda: not call.checks)
    return call.permit


def _requester() -> str:
    """Return whose run it is; empty where its context does not say."""
    user = own_context().get(USER_VALUE)
    return user.strip() if isinstance(user, str) else ""
