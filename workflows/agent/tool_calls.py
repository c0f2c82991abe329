"""Runs tool calls: each becomes a result for the model, whatever happens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception
from temporalio.exceptions import TimeoutError as ActivityTimeoutError

from ...activities.memory.read_result import ReadResultActivities
from ...contracts import names
from ...contracts.collection.collection import SearchTool
from ...contracts.control.approval import Approval
from ...contracts.errors import SpecError
from ...contracts.memory.long_term import FORGET
from ...contracts.memory.read_result import READ_RESULT
from ...contracts.message import Message, Role, ToolCallPart, ToolResultPart
from ...contracts.specs.agent import Agent
from ...contracts.specs.agent_tools import message_for_delegate
from ...contracts.specs.runnable import Runnable
from ...contracts.tool import Effect, ToolSpec
from ...contracts.wire.delegate_answer import delegate_answer
from ...contracts.wire.guardrails.decision import GuardedFailure, GuardrailDecision, Verdict, of_verdict
from ...contracts.wire.memory.result_query import ResultQuery
from ...contracts.wire.model_call import ModelReply, StopReason
from ...contracts.wire.places import Place
from ...contracts.wire.retrieval import RetrievalCall
from ...contracts.wire.tool_call import ToolInvocation, outcome_unknown
from .. import policy
from ..budget.spent_error import BudgetSpentError
from ..concurrency import being_cancelled, cause_of, told_by
from ..control.waiting_call import ApprovableCall, Permit
from ..effects.doubt import came_of
from ..effects.effect_log import NOT_BEGUN
from ..effects.made_call import called
from ..host import AgentHost
from ..memory.memory_tools import MemoryTools
from ..payload_limits import PayloadTooLargeError
from ..run_context import has_context
from .gates import Gate, error_result
from .state import AgentState

_ASKED_ABOUT = ToolSpec(name="call", parameters={"type": "object"}, effect=Effect.READ, asks=Approval())
"""What a person is asked about where a guardrail escalates a call that is no function's."""


class ToolCalls:
    """Runs the tool calls of one agent.

    Functions and MCP tools are activities, runnables are nested runs.

    Args:
        host: Starts the nested runs.
        agent: Whose tools.
        place: Where it stands.
        state: What it knows; takes in what nested runs used.
        gates: Asked before each call.
    """

    def __init__(self, host: AgentHost, agent: Agent, place: Place, state: AgentState, gates: Sequence[Gate]) -> None:
        self._tools: dict[str, ToolSpec] = {tool.name: tool for tool in (*agent.tools, *state.mcp)}
        self._delegates: dict[str, Runnable] = {delegate.name: delegate for delegate in agent.delegates}
        self._searches: dict[str, SearchTool] = {search.name: search for search in agent.searches}
        self._clears = agent.memory is not None and agent.memory.clears
        self._memory = MemoryTools(host, agent.long_term, place, lambda: state.tally)
        self._host = host
        self._place = place
        self._state = state
        self._gates = gates
        self.ended: dict[str, ToolResultPart] = {}
        """Results of the last calls that were run, by call id, also where a cancel cut others off."""

    async def run(self, reply: ModelReply) -> list[ToolResultPart]:
        """Run the calls that a reply asks for, at once; return the results in their order."""
        results: dict[str, ToolResultPart] = {}
        let_through: list[ToolCallPart] = []
        # One after the other, before any task is made: what gates answer takes no turn of the loop, in any history.
        for call in reply.message.tool_calls:
            if answer := await self._gated(call, reply):
                results[call.id] = answer
            else:
                let_through.append(call)
        # Where the run is cancelled, a `once` tool is waited for although the others have stopped.
        self.ended = results
        running = (self._run_one(call, reply) for call in let_through)
        for call, end in zip(let_through, await asyncio.gather(*running, return_exceptions=True), strict=True):
            if isinstance(end, BaseException):
                raise end
            results[call.id] = end
        return [results[call.id] for call in reply.message.tool_calls]

    async def _gated(self, call: ToolCallPart, reply: ModelReply) -> ToolResultPart | None:
        for gate in self._gates:
            if answer := await gate.before_tool(self._state, call, reply):
                return answer
        return None

    async def _run_one(self, call: ToolCallPart, reply: ModelReply) -> ToolResultPart:
        asked = await self._asked_about(call, reply)
        result = asked if isinstance(asked, ToolResultPart) else await self._result(asked, reply)
        self.ended[call.id] = result
        return result

    async def _asked_about(self, call: ToolCallPart, reply: ModelReply) -> ToolCallPart | ToolResultPart:
        """Return a call that is no function's as a person lets it be made."""
        if call.name in self._tools or not of_verdict(_decided(call, reply), Verdict.ESCALATED):
            return call
        permit = await self._permitted(_ASKED_ABOUT.model_copy(update={"name": call.name}), call)
        if isinstance(permit, ToolResultPart):
            return permit
        return call.model_copy(update={"arguments": dict(permit.arguments)})

    async def _result(self, call: ToolCallPart, reply: ModelReply) -> ToolResultPart:
        delegate, tool = self._delegates.get(call.name), self._tools.get(call.name)
        search, memory = self._searches.get(call.name), self._memory.by_name.get(call.name)
        if call.malformed and (tool or delegate or search or memory):
            known = tool or memory or (search and search.definition)
            schema = f"Valid arguments follow this JSON schema: {json.dumps(known.parameters)}" if known else ""
            room = " There is more room now: call it again." if reply.room > 1 else ""
            cut = f" They were cut at the output limit.{room}" if reply.stop is StopReason.LENGTH else ""
            wrong = f"The arguments are not a JSON object that can be taken: {call.malformed[:500]!r}.{cut}"
            return error_result(call, f"{wrong} {schema}".strip())
        if delegate is not None:
            return await self._delegate(delegate, call)
        if search is not None:
            return await self._search(search, call)
        if call.name == READ_RESULT.name and self._clears:
            return await self._read_again(call)
        if memory is not None:
            self._state.forgot |= call.name == FORGET
            return await self._memory.run(call, self._state.replies)
        if tool is None:
            known_names = (*self._tools, *self._delegates, *self._searches, *self._memory.by_name)
            names_known = ", ".join(known_names) or "none"
            return error_result(call, f"There is no tool {call.name!r}. There are: {names_known}.")
        permit = await self._permitted(self._guarded(tool, call, reply), call)
        if isinstance(permit, ToolResultPart):
            return permit
        return await self._made(tool, call, permit, reply.id)

    async def _made(self, tool: ToolSpec, call: ToolCallPart, permit: Permit, reply: str) -> ToolResultPart:
        """Return what a call comes to that may be made."""
        invocation = ToolInvocation(
            call_id=call.id,
            reply=reply,
            arguments=dict(permit.arguments),
            context=has_context(),
            permitted=tool.asks is not None,
            edited=permit.edited,
            guardrails=self._host.guards.at_stage(self._place, "tool_result"),
            sealed=self._host.guards.mentioned_in(json.dumps(dict(permit.arguments))) if tool.pii else {},
        )
        host = self._host
        try:
            output = await called(tool, invocation, self._place.tool_call(call.id), host.outbox)
        except PayloadTooLargeError as error:
            return error_result(call, f"{tool.name} was not run: {error}")
        except FailureError as error:
            found = await came_of(error, tool, self._place, invocation, host.approvals, host.effects)
            if is_cancelled_exception(error):
                if tool.effect is Effect.ONCE:
                    unknown = f"{call.name} was stopped by the cancel. Whether it took effect is unknown."
                    self._state.transcript.add(Message(role=Role.TOOL, parts=(error_result(call, unknown),)))
                raise
            host.guards.read(call.name, self._place)
            host.guards.seal(GuardedFailure.of(cause_of(error)).sealed)
            if isinstance(found, str):
                return error_result(call, found or _explain(tool, cause_of(error)))
            host.guards.seal(found.sealed)
            return found.as_result(call.id, call.name)
        host.effects.took(tool, self._place, invocation, output)
        host.guards.seal(output.sealed)
        host.guards.read(call.name, self._place)
        return output.as_result(call.id, call.name)

    def _guarded(self, tool: ToolSpec, call: ToolCallPart, reply: ModelReply) -> ToolSpec:
        """Return a tool with the approval that guardrails want for this call."""
        is_tainted = tool.effect is Effect.ONCE and self._host.guards.tainted
        if not is_tainted and not of_verdict(_decided(call, reply), Verdict.ESCALATED):
            return tool
        asks = tool.asks or Approval()
        # Whoever is asked else, here somebody is, whatever the arguments.
        always = Approval() if asks.policy else asks.model_copy(update={"conditional": False})
        return tool.model_copy(update={"asks": always})

    async def _permitted(self, tool: ToolSpec, call: ToolCallPart) -> Permit | ToolResultPart:
        """Return how a call may be made, once somebody has said so.

        Where it is not made: what it comes to.
        """
        try:
            permit = await self._host.approvals.permit(ApprovableCall(tool, self._place, call.id, call.arguments))
        except asyncio.CancelledError:
            not_run = f"{call.name} was not run: the run was stopped while it waited for an approval."
            self._state.transcript.add(Message(role=Role.TOOL, parts=(error_result(call, not_run),)))
            raise
        if permit.refused:
            return error_result(call, permit.refused)
        if permit.answer is not None:
            return ToolResultPart(call_id=call.id, name=call.name, content=permit.answer)
        return permit

    async def _delegate(self, delegate: Runnable, call: ToolCallPart) -> ToolResultPart:
        try:
            message = message_for_delegate(delegate, call.arguments)
        except ValueError as error:
            return error_result(call, str(error))
        result, _ = await self._host.child(delegate, self._place / delegate.name, message, call_id=call.id)
        self._state.tally.add(result)
        if being_cancelled():
            raise asyncio.CancelledError
        return delegate_answer(call.id, call.name, result)

    async def _read_again(self, call: ToolCallPart) -> ToolResultPart:
        """Return what a tool returned that has left the prompt."""
        wanted = call.arguments.get("call_id")
        if not isinstance(wanted, str):
            return error_result(call, "call_id: it is missing, or no text: give the id of the call as it stands there")
        try:
            output = await workflow.execute_activity_method(
                ReadResultActivities.read_result,
                ResultQuery(path=self._place, call_id=wanted),
                activity_id=self._place.tool_call(call.id),
                summary=f"what {wanted} returned",
                **policy.reading_policy(),
            )
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            return error_result(call, f"{call.name} failed: {told_by(error)}")
        return output.as_result(call.id, call.name)

    async def _search(self, search: SearchTool, call: ToolCallPart) -> ToolResultPart:
        try:
            asked = RetrievalCall(
                collection=search.collection,
                query=_query(call),
                conditions=search.conditions(call.arguments),
                limit=search.limit,
                call_id=call.id,
                name=call.name,
            )
            found = await self._host.search(asked, self._place, self._state.tally)
        except BudgetSpentError as spent:
            return error_result(call, f"{call.name} failed: {spent.reason}")
        except SpecError as error:
            schema = json.dumps(search.definition.parameters)
            return error_result(call, f"{error}. Valid arguments follow this JSON schema: {schema}")
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            return error_result(call, f"{call.name} failed: {told_by(error)}")
        return found.as_result(call.id, call.name)


def _decided(call: ToolCallPart, reply: ModelReply) -> list[GuardrailDecision]:
    """Return what guardrails decided of a call."""
    return [one for one in reply.decisions if one.call_id == call.id]


def _query(call: ToolCallPart) -> str:
    query = call.arguments.get("query")
    if not isinstance(query, str):
        raise SpecError("query: it is missing, or no text")
    return query


def _explain(tool: ToolSpec, cause: BaseException | None) -> str:
    if isinstance(cause, ApplicationError) and cause.type == names.TOOL_FAILED:
        return cause.message
    if isinstance(cause, ApplicationError) and cause.type in NOT_BEGUN:
        queue = workflow.info().task_queue
        return f"{tool.name} was not run: no worker that takes work from task queue {queue!r} serves it."
    if tool.effect is Effect.ONCE:
        return outcome_unknown(tool.name)
    return f"{tool.name} {'did not end in time' if isinstance(cause, ActivityTimeoutError) else f'failed: {cause}'}"
