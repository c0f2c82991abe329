"""Gates around each model call and tool call: limits, checks and handovers.

A gate keeps nothing of its own. What it has to remember is a field of the agent's state, which continues as new.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from ...contracts.collection.citation import uncited
from ...contracts.message import ASKED_AGAIN, Message, Role, ToolCallPart, ToolResultPart
from ...contracts.specs.agent import Agent
from ...contracts.specs.agent_tools import TRANSFER
from ...contracts.text import plural
from ...contracts.wire.guardrails.decision import Verdict, of_verdict
from ...contracts.wire.model_call import ModelReply, StopReason
from ...contracts.wire.run import Rejected, Result, Status
from .state import AgentState

_PATIENCE = 2
"""Turns in which repeated calls are answered with an error before the run ends."""


class Gate:
    """One concern of an agent's loop.

    Every method lets pass; a gate overrides those in which it has a say.
    """

    async def before_model(self, state: AgentState) -> Result | None:
        """Return a result to end with instead of asking the model."""

    async def after_model(self, state: AgentState, reply: ModelReply) -> Result | None:
        """Return a result to end with, now that the state has the model's reply.

        A gate that adds a message to the transcript instead makes the agent ask again.
        """

    async def before_tool(self, state: AgentState, call: ToolCallPart, reply: ModelReply) -> ToolResultPart | None:
        """Return what the model is told in place of the call, which then is not made."""

    async def after_tools(self, state: AgentState, reply: ModelReply) -> Result | None:
        """Return a result to end with, now that all calls of a reply are answered."""


class TurnLimit(Gate):
    """Ends an agent that has used all of its turns."""

    def __init__(self, agent: Agent) -> None:
        self._most = agent.max_turns

    async def before_model(self, state: AgentState) -> Result | None:
        """End where no turn is left."""
        if state.replies - state.replies_before < self._most:
            return None
        return state.result(Status.EXHAUSTED, f"the agent used all of its {plural(self._most, 'turn')}")


class Repeats(Gate):
    """Stops a model that asks for the very same calls again and again."""

    def __init__(self, agent: Agent) -> None:
        self._limit = agent.max_repeats

    async def after_model(self, state: AgentState, reply: ModelReply) -> Result | None:
        """Count the replies in a row that ask for the same; end where errors did not help."""
        earlier = reversed(state.transcript.messages[:-1])
        previous = next((message for message in earlier if message.role is Role.ASSISTANT), None)
        wanted = _signature(reply.message)
        same = bool(wanted) and previous is not None and _signature(previous) == wanted
        state.repeats = state.repeats + 1 if same else 1
        if state.repeats < self._limit + _PATIENCE:
            return None
        names = ", ".join(call.name for call in reply.message.tool_calls)
        reason = f"the model asked for the same calls {state.repeats} times in a row: {names}"
        return state.result(Status.EXHAUSTED, reason)

    async def before_tool(self, state: AgentState, call: ToolCallPart, reply: ModelReply) -> ToolResultPart | None:  # noqa: ARG002
        """Answer with an error once the same calls came `max_repeats` times."""
        if state.repeats < self._limit:
            return None
        return error_result(
            call,
            f"Not run: this is the same call {state.repeats} times in a row. "
            "Use the results that you have, call something else, or answer.",
        )


class Refusal(Gate):
    """Ends the run where the model declines to answer."""

    async def after_model(self, state: AgentState, reply: ModelReply) -> Result | None:
        """End where the answer is a refusal."""
        if reply.message.tool_calls or reply.stop is not StopReason.REFUSAL:
            return None
        return state.result(Status.REFUSED, reply.message.text or "the model declined to answer")


class OutputCheck(Gate):
    """Asks again for an answer that does not fit its type or pass its validators."""

    def __init__(self, agent: Agent) -> None:
        self._most = agent.max_repairs
        self._is_cited = agent.output is not None and agent.output.cited
        free = "pass its validators" if agent.validators else "say anything"
        self._wanted = f"fit the output type {agent.output.name}" if agent.output else free

    async def after_model(self, state: AgentState, reply: ModelReply) -> Result | None:
        """Reject an answer that is wrong: tell the model why, or end."""
        reasons = reply.output_errors or self._uncited(state, reply)
        if reply.message.tool_calls or not reasons:
            return None
        state.rejected.append(Rejected(text=reply.message.text, reasons=reasons))
        problems = "; ".join(reasons)
        if reply.final:
            return state.result(Status.FAILED, f"the answer cannot be used: {problems}")
        if state.repairs >= self._most:
            if refused := of_verdict(reply.decisions, Verdict.REJECTED):
                return state.result(
                    Status.REFUSED, f"the guardrail {refused[0].guardrail} let no answer pass: {problems}"
                )
            return state.result(Status.FAILED, f"the answer does not {self._wanted}: {problems}")
        state.repairs += 1
        text = f"{ASKED_AGAIN}. {problems}. Answer again, all of it, corrected."
        state.transcript.add(Message.user(text))
        return None

    def _uncited(self, state: AgentState, reply: ModelReply) -> tuple[str, ...]:
        """Return what is wrong with the citations of an answer that has the right form."""
        if not self._is_cited or reply.message.tool_calls:
            return ()
        return uncited(json.loads(reply.message.text), state.found.passages.keys())


class CutCalls(Gate):
    """Ends a run whose model writes calls that are longer than its answers may be."""

    def __init__(self, agent: Agent) -> None:
        self._most = agent.max_repairs

    async def after_model(self, state: AgentState, reply: ModelReply) -> Result | None:
        """End where calls were cut again and again, although there is no more room."""
        if not (reply.final and reply.message.tool_calls):
            return None
        if state.repairs >= self._most:
            called = ", ".join(call.name for call in reply.message.tool_calls if call.malformed)
            return state.result(
                Status.FAILED,
                f"the arguments of {called} were cut at the output limit {plural(state.repairs + 1, 'time')}: raise "
                "max_output_tokens of the model, or let the tool take less",
            )
        state.repairs += 1
        return None


class Transfers(Gate):
    """Hands the conversation over where the model calls one of the tools for it.

    Args:
        names: The names of those tools.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)

    async def before_tool(self, state: AgentState, call: ToolCallPart, reply: ModelReply) -> ToolResultPart | None:  # noqa: ARG002
        """Answer a handover; of several in one reply the first is meant."""
        if call.name not in self._names:
            return None
        wanted = self._wanted(reply)
        member = wanted.removeprefix(TRANSFER)
        if call.name != wanted:
            return error_result(call, f"Not done: the conversation goes to {member}.")
        text = f"The conversation is handed over to {member}."
        return ToolResultPart(call_id=call.id, name=call.name, content=text)

    async def after_tools(self, state: AgentState, reply: ModelReply) -> Result | None:
        """End with the member that the conversation goes to."""
        wanted = self._wanted(reply)
        if not wanted:
            return None
        done = state.result(Status.COMPLETED, output=reply.message.text)
        return done.model_copy(update={"transfer": wanted.removeprefix(TRANSFER)})

    def _wanted(self, reply: ModelReply) -> str:
        return next((call.name for call in reply.message.tool_calls if call.name in self._names), "")


def error_result(call: ToolCallPart, message: str) -> ToolResultPart:
    """Return a result that tells the model what was wrong."""
    return ToolResultPart(call_id=call.id, name=call.name, content=message, is_error=True)


def _signature(message: Message) -> list[tuple[str, str]]:
    return [(call.name, call.malformed or json.dumps(call.arguments, sort_keys=True)) for call in message.tool_calls]
