"""The agent loop: ask the model, run the tools that it calls, tell it the results, until it answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from ..activities.model import ModelActivities
from ..contracts.agent import Agent
from ..contracts.message import Message, Role, ToolCallPart, ToolResultPart
from ..contracts.model import ModelCall, ModelReply, StopReason
from ..contracts.run import Carried, Result, Status, Totals
from . import policy
from .details import SHOWN_MESSAGES, Details, compact
from .tools import ToolCalls, error_result
from .transcript import Transcript

_PATIENCE = 2


class AgentLoop:
    """One agent at work on one message.

    Guarantees: nothing is asked of a model or a tool that the history already answers; every way to end has a
    result with what there is so far; an error of a tool goes to the model and never ends the run.

    Args:
        agent: What runs.
        path: Its place in the runnable tree, unique in the workflow.
        message: What it is asked.
        carried: Where an earlier execution of the workflow left off.
    """

    def __init__(self, agent: Agent, path: str, message: Message, carried: Carried | None = None) -> None:
        start = carried or Carried(messages=(message,), after="", turns=0, totals=Totals())
        self.transcript = Transcript(agent.head, start.messages, after=start.after)
        self.totals = start.totals
        self._agent = agent
        self._path = path
        self._tools = ToolCalls(agent.tools, path)
        self._details = Details(agent.name)
        self._turns = start.turns
        self._choice = start.choice
        self._repairs = start.repairs
        self._repeats = start.repeats
        self._details.show(start.messages[-SHOWN_MESSAGES:], self.totals, self._turns)

    @property
    def carried(self) -> Carried:
        """Everything that the next execution of the workflow needs."""
        return Carried(
            messages=tuple(self.transcript.messages),
            after=self.transcript.after,
            turns=self._turns,
            totals=self.totals,
            choice=self._choice,
            repairs=self._repairs,
            repeats=self._repeats,
        )

    async def run(self, at_turn: Callable[[], Result | None] = lambda: None) -> Result:
        """Work until there is a result.

        Args:
            at_turn: Called before each model call. May end the run with a result, or continue as new.
        """
        while True:
            ended = at_turn() or await self._turn()
            if ended:
                return ended

    async def _turn(self) -> Result | None:
        """One model call and the tool calls that it asks for; a result when there is nothing more to do."""
        if self._turns >= self._agent.max_turns:
            return self.result(Status.EXHAUSTED, f"the agent used all of its {self._agent.max_turns} turns")
        try:
            reply = await self._ask()
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return self.result(Status.FAILED, _why(error))
        self._turns += 1
        self.totals += Totals.of(reply)
        self._note_repeats(reply)
        self.transcript.add_reply(reply)
        self._details.show((reply.message,), self.totals, self._turns)
        if reply.message.tool_calls:
            return await self._answer_calls(reply.message.tool_calls)
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
        turn = self._turns + 1
        known = self.transcript.sent
        return await workflow.start_activity_method(
            ModelActivities.call,
            ModelCall(
                transcript=self._path,
                turn=turn,
                model=model.name,
                choice=self._choice,
                base=known,
                after=self.transcript.after,
                tail=self.transcript.tail(),
                head=None if known else self.transcript.head,
            ),
            activity_id=f"{self._path}:turn-{turn}" + (f"-{scheduling}" if scheduling else ""),
            summary=f"{model.name} · turn {turn} · {compact(self.totals.usage.total_tokens)} tok so far",
            **policy.model_policy(model, fallback_left=fallback_left),
        )

    def _note_repeats(self, reply: ModelReply) -> None:
        previous = next((m for m in reversed(self.transcript.messages) if m.role is Role.ASSISTANT), None)
        wanted = _signature(reply.message)
        same = bool(wanted) and previous is not None and _signature(previous) == wanted
        self._repeats = self._repeats + 1 if same else 1

    async def _answer_calls(self, calls: tuple[ToolCallPart, ...]) -> Result | None:
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
            results: list[ToolResultPart] = [error_result(call, text) for call in calls]
        else:
            results = await self._tools.run(calls, self.transcript.after)
        messages = [Message(role=Role.TOOL, parts=(result,)) for result in results]
        for message in messages:
            self.transcript.add(message)
        self._details.show(messages, self.totals, self._turns)
        return None

    def _finish(self, reply: ModelReply) -> Result | None:
        """The result of a reply without tool calls, or None after asking for it again."""
        text = reply.message.text
        if reply.stop is StopReason.REFUSAL:
            return self.result(Status.REFUSED, text or "the model declined to answer")
        if self._agent.output is None:
            cut = reply.stop is StopReason.LENGTH
            return self.result(Status.COMPLETED, "the answer was cut at the output limit" if cut else "", output=text)
        if not reply.output_errors:
            return self.result(Status.COMPLETED, output=json.loads(text))
        problems = "; ".join(reply.output_errors)
        if self._repairs >= self._agent.max_repairs:
            reason = f"the answer does not fit the output type {self._agent.output.name}: {problems}"
            return self.result(Status.FAILED, reason)
        self._repairs += 1
        self.transcript.add(Message.user(f"That answer does not fit. {problems}. Answer again, all of it, corrected."))
        return None

    def result(self, status: Status, reason: str = "", *, output: Any = None) -> Result:
        """A result of this status. Without an output of its own it has the last words of the model."""
        if status is not Status.COMPLETED:
            output = Message.last_words(self.transcript.messages)
        return Result(
            status=status,
            output=output,
            reason=reason,
            turns=self._turns,
            usage=self.totals.usage,
            cost_usd=self.totals.cost_usd,
            unpriced_calls=self.totals.unpriced_calls,
            untold=self.transcript.unsent_errors(),
        )


def _signature(message: Message) -> list[tuple[str, str]]:
    return [(call.name, call.malformed or json.dumps(call.arguments, sort_keys=True)) for call in message.tool_calls]


def _names(calls: tuple[ToolCallPart, ...]) -> str:
    return ", ".join(call.name for call in calls)


def _why(error: ActivityError) -> str:
    cause = error.cause
    if isinstance(cause, ApplicationError):
        return f"{cause.type}: {cause.message}"
    return f"the model call failed: {cause or error}"
