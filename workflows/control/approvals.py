"""The calls of one workflow that wait for a person, and how they are decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

from ...activities.control.approval import ApprovalActivities
from ...contracts import names
from ...contracts.control.approval import USER_VALUE, Approval
from ...contracts.mcp import McpTool
from ...contracts.text import first_line, shorten
from ...contracts.wire.control.approval_call import ApprovalAsked, ApprovalCall
from ...contracts.wire.control.decision import Decided, Decision, DecisionKind
from ...contracts.wire.places import Place
from .. import policy
from ..concurrency import told_by
from ..payload_limits import Outbox, PayloadTooLargeError
from ..run_context import own_context
from ..search_attributes import Awaiting
from ..until_served import until_served
from .waiting_call import ApprovableCall, Permit, WaitingCall

_MOST_KEPT = 1_000
"""Calls of which it is known how they were decided, for whoever decides once more."""


class Approvals:
    """The calls of one workflow that wait for a person.

    A decision comes as an update, and is taken by the call that it names, once. Nothing else is changed by it: a call
    that waits keeps no other waiting, and costs nothing.

    Args:
        awaiting: Tells the list of runs that something waits.
        outbox: Sends the calls to whoever says whether they need a yes: what that returns has them once more.
        shown: Told of each call that begins to wait: its place, its tool, and whose yes is wanted.
    """

    def __init__(self, awaiting: Awaiting, outbox: Outbox, shown: Callable[[Place, str, str], None]) -> None:
        self._awaiting = awaiting
        self._outbox = outbox
        self._shown = shown
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

    async def permit(self, call: ApprovableCall) -> Permit:
        """Return whether a call may be made, once that is known, and with which arguments.

        Raises:
            asyncio.CancelledError: The call was given up while it waited.
        """
        tool, arguments = call.tool, call.arguments
        if tool.asks is None or tool.name in self.granted:
            return Permit(arguments)
        asked = await self._asked(call, call.place.approval(call.call_id))
        if not isinstance(asked, ApprovalAsked):
            return Permit(arguments, refused=f"{tool.name} was not run: {asked}")
        if asked.refused or not asked.needed:
            return Permit(arguments, refused=asked.refused)
        waiting = _waiting(call, asked)
        permit = await self._waited(waiting, call)
        if waiting.is_granted:
            self.granted.add(tool.name)
        return permit

    async def doubt(self, call: ApprovableCall) -> Permit:
        """Return what a person says came of a call that was cut off.

        It has no answer where nobody can say.

        Raises:
            asyncio.CancelledError: It was given up while it waited.
        """
        asked = await self._asked(call, call.place.approval(call.call_id), in_doubt=True)
        if not isinstance(asked, ApprovalAsked):
            return Permit(call.arguments)
        return await self._waited(_waiting(call, asked), call)

    async def _waited(self, waiting: WaitingCall, call: ApprovableCall) -> Permit:
        key = call.place.tool_call(call.call_id)
        self._settled.pop(key, None)
        self._waiting[key] = waiting
        self._shown(call.place, call.tool.name, waiting.asks.group)
        self._awaiting.set(names.AWAITS_APPROVAL, waits=True)
        try:
            return await _ended(waiting, call.place.approval(call.call_id))
        finally:
            del self._waiting[key]
            self._settle(key, waiting)
            self._awaiting.set(names.AWAITS_APPROVAL, waits=bool(self._waiting))

    async def _asked(
        self, call: ApprovableCall, request: str, *, edited: bool = False, in_doubt: bool = False
    ) -> ApprovalAsked | str:
        """Return what a worker says of a call; where none can say anything, why.

        Raises:
            FailureError: It was given up.
        """
        tool, asks = call.tool, call.tool.asks or Approval()
        question = ApprovalCall(
            name=tool.name,
            asks=asks,
            arguments=dict(call.arguments),
            # Whoever knows the function needs no schema; it stays outside the history in any case.
            parameters=tool.parameters,
            effect=tool.effect,
            server=tool.server if isinstance(tool, McpTool) else "",
            tool=tool.tool if isinstance(tool, McpTool) else "",
            destructive=tool.approval if isinstance(tool, McpTool) else False,
            edited=edited,
            in_doubt=in_doubt,
            direct=call.direct,
            undoes=call.undoes,
            requester=_requester(),
        )
        summary = first_line(f"approval of {tool.name}", 80)

        async def start(refused: int) -> ApprovalAsked:
            async with self._outbox.sending(question, "the call"):
                if refused:
                    return await workflow.start_activity_method(
                        ApprovalActivities.ask,
                        question,
                        activity_id=request,
                        summary=summary,
                        **policy.approval_policy_elsewhere(),
                    )
                return await workflow.start_local_activity_method(
                    ApprovalActivities.ask, question, activity_id=request, summary=summary, **policy.approval_policy()
                )

        try:
            return await until_served(start)
        except PayloadTooLargeError as error:
            return str(error)
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            return told_by(error)

    def _check(self, decision: Decision) -> None:
        """Refuse what cannot be taken: nothing of it comes into the history."""
        if why := self._why_not(decision):
            raise ApplicationError(why, type=names.APPROVAL_REFUSED, non_retryable=True)

    def _why_not(self, decision: Decision) -> str:
        key = Place(decision.path).tool_call(decision.call_id)
        if call := self._waiting.get(key):
            return call.why_not(decision, workflow.now())
        return self._why_not_there(key)

    def _why_no_more(self, call: WaitingCall, decision: Decision) -> str:
        """Return why a decision that was taken comes too late by now; empty if not."""
        key = Place(decision.path).tool_call(decision.call_id)
        if self._waiting.get(key) is call:
            return call.why_no_more(decision, workflow.now())
        return self._why_not_there(key)

    def _why_not_there(self, key: str) -> str:
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
            changed = ApprovableCall(call.tool, place, decision.call_id, decision.arguments or {})
            call.checks += 1
            try:
                asked = await self._asked(changed, place.edited_call(decision.call_id), edited=True)
            finally:
                call.checks -= 1
            if not isinstance(asked, ApprovalAsked):
                raise ApplicationError(asked, type=names.APPROVAL_REFUSED, non_retryable=True)
            if why := asked.refused or self._why_no_more(call, decision):
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


def _waiting(call: ApprovableCall, asked: ApprovalAsked) -> WaitingCall:
    return WaitingCall(call.tool, call.arguments, asked.hash, asked.asks, _requester())


def _requester() -> str:
    """Return whose run it is; empty where its context does not say."""
    user = own_context().get(USER_VALUE)
    return user.strip() if isinstance(user, str) else ""
