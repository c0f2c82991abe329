"""The agent loop: ask the model, run the tools that it calls, tell it the results, until it answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from ...activities.model import ModelActivities
from ...contracts.mcp import McpTool
from ...contracts.message import Message, Role, ToolCallPart, ToolResultPart
from ...contracts.specs.agent import Agent
from ...contracts.specs.delegation import TRANSFER
from ...contracts.specs.output import unwrapped
from ...contracts.tool import ToolDefinition
from ...contracts.wire.model_call import ModelCall, ModelReply, StopReason
from ...contracts.wire.run import Carried, Rejected, Result, Status
from .. import policy
from ..concurrency import being_cancelled, came_to, ended_by
from ..payload_limits import PayloadTooLargeError
from ..tally import Tally
from ..ui_details import SHOWN_MESSAGES, compact
from .tool_calls import ToolCalls, error_result
from .transcript import Transcript

if TYPE_CHECKING:
    from ..interpreter import Execution

_PATIENCE = 2


class AgentLoop:
    """One agent at work in one conversation.

    Guarantees: nothing is asked of a model or a tool that the history already answers; every way to end, a cancel
    too, has a result with what there is so far; an error of a tool goes to the model and never ends the run.

    Args:
        execution: The workflow's part of the tree.
        agent: What runs.
        path: Its place in the runnable tree, unique in the workflow.
        messages: What it begins with.
        standing: How many of those stand in the history already.
        carried: Where an earlier execution of the workflow left off, in place of messages.
        tools: What only its run knows: tools of MCP servers, and those that hand the conversation over.
        tally: Takes in what it uses, where it works for something else.
    """

    def __init__(
        self,
        execution: Execution,
        agent: Agent,
        path: str,
        messages: Iterable[Message] = (),
        *,
        standing: int = 0,
        carried: Carried | None = None,
        tools: tuple[ToolDefinition, ...] = (),
        tally: Tally | None = None,
    ) -> None:
        begins = carried.messages if carried else tuple(messages)
        head = agent.head_with(*tools)
        # What a conversation is continued from ends with a reply under another head: no worker's cache may find that.
        after = carried.after if carried else f"{workflow.info().run_id}:{path}"
        self.transcript = Transcript(head, begins, after=after, standing=standing)
        self.tally = tally or Tally()
        if carried:
            self.tally.totals, self.tally.turns = carried.totals, carried.turns + carried.nested_turns
        self._replies = carried.turns if carried else 0
        self._execution = execution
        self._agent = agent
        self._path = path
        # Of several at work in one workflow the UI would show the same line.
        below = path.removeprefix(execution.path).removeprefix("/")
        self._place = f"{below} · " if below else ""
        self._mcp = tuple(tool for tool in tools if isinstance(tool, McpTool))
        self._transfers = {tool.name for tool in tools if not isinstance(tool, McpTool)}
        self._tools = ToolCalls(execution, agent, path, self._mcp, self.tally)
        self._choice = carried.choice if carried else 0
        self._repairs = carried.repairs if carried else 0
        self._repeats = carried.repeats if carried else 0
        self._rejected = list(carried.rejected) if carried else []
        execution.register(path, self.transcript)
        if carried:
            execution.resume(carried.places)
            execution.details.resume(begins[-SHOWN_MESSAGES:], self.tally.totals, self.tally.turns)
        else:
            execution.details.told(path, begins[-SHOWN_MESSAGES:])

    @property
    def carried(self) -> Carried:
        """Everything that the next execution of the workflow needs."""
        return Carried(
            messages=tuple(self.transcript.messages),
            after=self.transcript.after,
            turns=self._replies,
            nested_turns=self.tally.turns - self._replies,
            totals=self.tally.totals,
            choice=self._choice,
            repairs=self._repairs,
            repeats=self._repeats,
            mcp=self._mcp,
            places=dict(self._execution.places),
            rejected=tuple(self._rejected),
        )

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
            ended = ended_by(error)
            return self.result(ended.status, ended.reason)

    def tell(self, message: Message) -> None:
        """Go on with the conversation: the next `run` answers this."""
        self.transcript.add(message)
        self._execution.details.told(self._path, (message,))

    async def _turn(self) -> Result | None:
        """One model call and the tool calls that it asks for; a result when there is nothing more to do."""
        if self._replies >= self._agent.max_turns:
            return self.result(Status.EXHAUSTED, f"the agent used all of its {self._agent.max_turns} turns")
        try:
            reply = await self._ask()
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return self.result(Status.FAILED, _why(error))
        except PayloadTooLargeError as error:
            return self.result(Status.FAILED, str(error))
        self._replies += 1
        self.tally.reply(reply)
        self._note_repeats(reply)
        self.transcript.add_reply(reply)
        self._execution.details.replied(self._path, reply)
        if being_cancelled():
            return self.result(Status.CANCELLED, "the run was cancelled")
        if reply.message.tool_calls:
            return await self._answer_calls(reply)
        return self._finish(reply)

    async def _ask(self) -> ModelReply:
        """The reply of the model in use or, where that fails for good, of the first fallback that does not."""
        choices = self._agent.model.choices
        for scheduling, choice in enumerate(range(self._choice, len(choices))):
            self._choice = choice
            try:
                return await self._call(scheduling, fallback_left=choice + 1 < len(choices))
            except ActivityError as error:
                if is_cancelled_exception(error) or choice + 1 == len(choices):
                    raise
        raise AssertionError("unreachable: the last choice returns or raises")

    async def _call(self, scheduling: int, *, fallback_left: bool) -> ModelReply:
        model = self._agent.model.choices[self._choice]
        turn = self._replies + 1
        known = self.transcript.sent
        spent = compact(self.tally.totals.usage.total_tokens)
        call = ModelCall(
            transcript=self._path,
            turn=turn,
            model=model.name,
            choice=self._choice,
            base=known,
            after=self.transcript.after if known else "",
            tail=self.transcript.tail(),
            # A conversation that is continued begins under another head, so this one's stands in the history too.
            head=None if self._replies else self.transcript.head,
        )
        async with self._execution.outbox.sending(call, "the prompt"):
            calling = workflow.start_activity_method(
                ModelActivities.call,
                call,
                activity_id=f"{self._path}:turn-{turn}" + (f"-{scheduling}" if scheduling else ""),
                summary=f"{self._place}{model.name} · turn {turn} · {spent} tok so far",
                **policy.model_policy(model, fallback_left=fallback_left),
            )
            return await came_to(calling)

    def _note_repeats(self, reply: ModelReply) -> None:
        previous = next((m for m in reversed(self.transcript.messages) if m.role is Role.ASSISTANT), None)
        wanted = _signature(reply.message)
        same = bool(wanted) and previous is not None and _signature(previous) == wanted
        self._repeats = self._repeats + 1 if same else 1

    async def _answer_calls(self, reply: ModelReply) -> Result | None:
        calls = reply.message.tool_calls
        limit = self._agent.max_repeats
        if self._repeats >= limit + _PATIENCE:
            return self.result(
                Status.EXHAUSTED, f"the model asked for the same calls {self._repeats} times in a row: {_names(calls)}"
            )
        if self._repeats >= limit:
            text = (
                f"Not run: this is the same call for the {self._repeats}. time in a row. "
                "Use the results that you have, call something else, or answer."
            )
            results = [error_result(call, text) for call in calls]
        else:
            results = await self._tools.run([call for call in calls if call.name not in self._transfers], reply.id)
        transfer = next((call.name for call in calls if call.name in self._transfers), "")
        results += [_handed_over(call, transfer) for call in calls if call.name in self._transfers]
        messages = [Message(role=Role.TOOL, parts=(result,)) for result in results]
        for message in messages:
            self.transcript.add(message)
        self._execution.details.told(self._path, messages)
        if transfer:
            done = self.result(Status.COMPLETED, output=reply.message.text)
            return done.model_copy(update={"transfer": transfer.removeprefix(TRANSFER)})
        return None

    def _finish(self, reply: ModelReply) -> Result | None:
        """The result of a reply without tool calls, or None after asking for it again."""
        text = reply.message.text
        if reply.stop is StopReason.REFUSAL:
            return self.result(Status.REFUSED, text or "the model declined to answer")
        if reply.output_errors:
            return self._reject(text, reply.output_errors)
        if self._agent.output is None:
            cut = reply.stop is StopReason.LENGTH
            return self.result(Status.COMPLETED, "the answer was cut at the output limit" if cut else "", output=text)
        return self.result(Status.COMPLETED, output=unwrapped(self._agent.output, json.loads(text)))

    def _reject(self, text: str, problems: tuple[str, ...]) -> Result | None:
        """None after asking for the answer again, or the result where that was done often enough."""
        self._rejected.append(Rejected(text=text, reasons=problems))
        told = "; ".join(problems)
        if self._repairs >= self._agent.max_repairs:
            wanted = f"fit the output type {self._agent.output.name}" if self._agent.output else "pass its validators"
            return self.result(Status.FAILED, f"the answer does not {wanted}: {told}")
        self._repairs += 1
        self.transcript.add(Message.user(f"That answer does not fit. {told}. Answer again, all of it, corrected."))
        return None

    def result(self, status: Status, reason: str = "", *, output: Any = None) -> Result:
        """A result of this status. Without an output of its own it has the last words of the model."""
        if status is not Status.COMPLETED:
            output = Message.last_words(self.transcript.messages)
        result = self.tally.result(status, reason, output=output)
        return result.model_copy(update={"rejected": tuple(self._rejected), "untold": self.transcript.unsent_errors()})


def _signature(message: Message) -> list[tuple[str, str]]:
    return [(call.name, call.malformed or json.dumps(call.arguments, sort_keys=True)) for call in message.tool_calls]


def _names(calls: tuple[ToolCallPart, ...]) -> str:
    return ", ".join(call.name for call in calls)


def _handed_over(call: ToolCallPart, transfer: str) -> ToolResultPart:
    if call.name != transfer:
        return error_result(call, f"Not done: the conversation goes to {transfer.removeprefix(TRANSFER)}.")
    text = f"The conversation is handed over to {transfer.removeprefix(TRANSFER)}."
    return ToolResultPart(call_id=call.id, name=call.name, content=text)


def _why(error: ActivityError) -> str:
    cause = error.cause
    if isinstance(cause, ApplicationError):
        return f"{cause.type}: {cause.message}"
    return f"the model call failed: {cause or error}"
