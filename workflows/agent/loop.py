"""The loop: ask the model, run the tools that it calls, until it answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable

from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from ...contracts.mcp import McpTool
from ...contracts.message import Message, Role
from ...contracts.specs.agent import Agent
from ...contracts.specs.output import unwrapped
from ...contracts.tool import ToolDefinition
from ...contracts.wire.model_call import ModelReply, StopReason
from ...contracts.wire.places import Place
from ...contracts.wire.run import ANSWER_WAS_CUT, THE_RUN_WAS_CANCELLED, Result, Status
from ..budget.spent_error import BudgetSpentError
from ..concurrency import being_cancelled, result_of_error
from ..host import AgentHost
from ..payload_limits import PayloadTooLargeError
from .exhausted import when_exhausted
from .gate_order import gates_of
from .gates import error_result
from .model_calls import ModelCalls, too_long
from .state import AgentState
from .tool_calls import ToolCalls

_HOW_TO_FIT = ": give the agent memory=Memory(), or a model with a larger window"
_CUT_OFF = "It was stopped before it ended, because somebody went on. Whether it took effect is unknown."


class AgentLoop:
    """One agent at work in one conversation.

    Guarantees: nothing is asked of a model or a tool that the history already answers; every way to end, a cancel
    too, has a result with what there is so far; an error of a tool goes to the model and never ends the run.

    Args:
        host: What the workflow gives to every runnable in it.
        agent: What runs.
        place: Where it stands in the runnable tree, unique in the workflow.
        state: What it begins with.
        tools: What only its run knows: tools of MCP servers, and those that hand the conversation over.
        keep: Whether what the model said is kept where a cancel comes in the middle of an answer.
    """

    def __init__(
        self,
        host: AgentHost,
        agent: Agent,
        place: Place,
        state: AgentState,
        tools: Iterable[ToolDefinition] = (),
        *,
        keep: bool = False,
    ) -> None:
        self.state = state
        self._host = host
        self._agent = agent
        self._place = place
        transfers = [tool.name for tool in tools if not isinstance(tool, McpTool)]
        self._transfers = frozenset(transfers)
        self._gates = gates_of(agent, transfers, host, place)
        self._models = ModelCalls(host, agent, place, state, keep=keep)
        self._tools = ToolCalls(host, agent, place, state, self._gates)
        host.began(place, state.transcript)

    async def run(self, at_turn: Callable[[], Result | None] = lambda: None) -> Result:
        """Work until there is a result.

        Args:
            at_turn: Called before each model call. May end the run with a result, or continue as new.
        """
        try:
            while True:
                ended = at_turn() or await self._turn()
                if ended:
                    return ended
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - a bug of ours must not lose what there is
            ended = result_of_error(error)
            return self.state.result(ended.status, ended.reason)

    def tell(self, message: Message, *, stands: bool = False) -> None:
        """Go on with the conversation: the next `run` answers this.

        Args:
            message: What it is told.
            stands: Whether the history of the run has it already.
        """
        self.state.transcript.add(message, stands=stands)
        self._host.details.told(self._place, (message,))

    async def answer(self, message: Message, at_turn: Callable[[], Result | None] = lambda: None) -> Result:
        """Go on with the conversation and return what comes of a message.

        Limits and sums are those of a run of its own.
        Where it fails, or no budget is enough for it, before the model has said anything, the message is taken back:
        what no model takes must not end all that comes later.

        Args:
            message: What is asked.
            at_turn: As for `run`.
        """
        self.state.asked(message)
        self._host.details.told(self._place, (message,))
        result = await self.run(at_turn)
        is_unanswered = self.state.replies == self.state.replies_before
        if result.status in (Status.FAILED, Status.EXHAUSTED) and is_unanswered:
            self.state.take_back()
        # No model takes a conversation that goes on from calls without results.
        for call in self.state.transcript.unanswered():
            ended = self._tools.ended.get(call.id) or error_result(call, _CUT_OFF)
            self.state.transcript.add(Message(role=Role.TOOL, parts=(ended,)))
        return result

    async def _turn(self) -> Result | None:
        """Make one model call and the tool calls that it asks for; return any result."""
        for gate in self._gates:
            if ended := await gate.before_model(self.state):
                return ended
        reply = await self._asked()
        if not isinstance(reply, ModelReply):
            return reply
        self._told(reply)
        if being_cancelled():
            return self.state.result(Status.CANCELLED, THE_RUN_WAS_CANCELLED)
        for gate in self._gates:
            if ended := await gate.after_model(self.state, reply):
                return ended
        if reply.message.tool_calls:
            return await self._answer_calls(reply)
        return None if self.state.transcript.has_unsent else self._answered(reply)

    async def _asked(self) -> ModelReply | Result | None:
        """Return what the model says, or a result to end with.

        None: another model is to be asked.
        """
        try:
            return await self._models.reply()
        except BudgetSpentError as spent:
            return await when_exhausted(spent, self.state, self._models, self._told)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            hint = _HOW_TO_FIT if self._agent.memory is None and too_long(error) else ""
            return self.state.result(Status.FAILED, _why(error) + hint)
        except PayloadTooLargeError as error:
            return self.state.result(Status.FAILED, str(error))

    def _told(self, reply: ModelReply) -> None:
        self.state.take(reply)
        self._host.replied(self._place, reply)

    async def _answer_calls(self, reply: ModelReply) -> Result | None:
        results = await self._tools.run(reply)
        # What hands the conversation over is told last: whoever continues it reads on from there.
        results.sort(key=lambda result: result.name in self._transfers)
        for result in results:
            self.tell(Message(role=Role.TOOL, parts=(result,)))
        for gate in self._gates:
            if ended := await gate.after_tools(self.state, reply):
                return ended
        return None

    def _answered(self, reply: ModelReply) -> Result:
        text = reply.message.text
        if self._agent.output is None:
            reason = ANSWER_WAS_CUT if reply.stop is StopReason.LENGTH else reply.note
            return self.state.result(Status.COMPLETED, reason, output=text)
        answer = json.loads(text)
        result = self.state.result(Status.COMPLETED, reply.note, output=unwrapped(self._agent.output, answer))
        if not self._agent.output.cited:
            return result
        return result.model_copy(update={"citations": self.state.cited(answer, reply.attribution)})


def _why(error: ActivityError) -> str:
    cause = error.cause
    if isinstance(cause, ApplicationError):
        return f"{cause.type}: {cause.message}"
    return f"the model call failed: {cause or error}"
