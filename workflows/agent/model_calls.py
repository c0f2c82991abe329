"""Asks the model of an agent, then its fallbacks in order where that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from ...contracts.control.budget import Ask
from ...contracts.errors import ContextOverflow
from ...contracts.head import Head
from ...contracts.memory.conversation import Memory
from ...contracts.message import Message
from ...contracts.model import Model
from ...contracts.provider_tool import McpConnector
from ...contracts.specs.agent import Agent
from ...contracts.wire.model_call import ModelCall, ModelReply
from ...contracts.wire.places import Place
from ..budget.worst_case import most_searches, prompt_tokens, whole_cost
from ..concurrency import being_cancelled
from ..host import AgentHost
from ..memory.beside import beside
from ..memory.compactor import Compactor
from ..run_context import has_context
from .paid_calls import PaidCall, PaidCalls
from .state import AgentState

_SUMMARY_OVERHEAD_TOKENS = 2_048
"""What a model may think before it writes a summary, though it is not told to."""


class ModelCalls:
    """The model calls of one agent: the one place from which a run asks a model.

    Args:
        host: What the workflow gives to every runnable in it.
        agent: Whose model.
        place: Where it stands.
        state: What it knows. Which model is in use is written there, and what leaves the prompt; else only read.
        keep: Whether what the model said is wanted where a cancel comes in the middle of an answer.
    """

    def __init__(self, host: AgentHost, agent: Agent, place: Place, state: AgentState, *, keep: bool = False) -> None:
        self._host = host
        self._models = agent.model.choices
        self._memory = agent.memory
        self._place = place
        self._state = state
        self._paid = PaidCalls(host, place, state, keep=keep)
        self._keep = keep
        # Of several at work in one workflow the UI would show the same line.
        below = place.below(host.root)
        self._label = f"{below} · " if below else ""
        self._turn = self._failed = self._summaries = 0
        """The turn, and how many calls of it failed so far: where a budget is, it may be asked for again. How many
        summaries it took."""
        self._overflown: tuple[int, int] | None = None
        """The last question, and the turn of it, whose prompt was refused as too long."""

    async def reply(self, *, last: bool = False) -> ModelReply:
        """Return the reply of the model in use, or of the first fallback that answers.

        Args:
            last: Whether it may call no tools, and a kept part of the budget is for it.

        Raises:
            temporalio.exceptions.ActivityError: None of them answers; its cause is the last one's.
            PayloadTooLargeError: The prompt cannot be sent.
            BudgetSpentError: A budget is not enough for the call.
            SpecError: A budget counts US dollars, and the model has no price; or a prompt does not fit its window.
        """
        self._begin(self._state.replies + 1)
        while True:
            model = self._model
            fallback_left = self._state.instead is None and self._state.choice + 1 < len(self._models)
            if self._memory:
                await self._compactor(self._memory).fit(model)
            try:
                return await self._answered(model, fallback_left=fallback_left, last=last)
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                if await self._shortened_after(error, model):
                    continue
                if not fallback_left:
                    raise
            self._failed += 1
            self._state.choice += 1
            self._state.without = ()

    def degrade(self, model: Model) -> bool:
        """Go on with another model; return whether it was not gone on with before."""
        if model in self._state.degraded:
            return False
        self._state.degraded.append(model)
        self._state.without = ()
        return True

    async def shorten(self) -> bool:
        """Go on with a shorter prompt; return whether it is shorter now.

        Raises:
            temporalio.exceptions.ActivityError: It was cancelled.
        """
        memory = self._memory if self._memory and self._memory.shortens else Memory(strategy="summary")
        return await self._compactor(memory).shorten("a budget is not enough for the whole prompt")

    async def wait_for_budget(self, ask: Ask) -> None:
        """Wait until a budget is enough for the next call.

        Args:
            ask: How long a top-up is waited for.

        Raises:
            BudgetSpentError: It is not by then.
        """
        if account := self._host.account(self._place):
            model = self._model
            # An answer that what is left allows is cut short: that of a call that was waited for is to be whole.
            amount = whole_cost(model, self._prompt_tokens(model), self._state.room, self._searches)
            what = f"the next call of {model.name}"
            # Held again for the call itself, by what the budget allows then.
            (await account.hold(amount, what, wait=self._host.top_up_as(ask))).release()

    def _begin(self, turn: int) -> None:
        if turn != self._turn or self._host.account(self._place) is None:
            self._failed = 0
        if turn != self._turn:
            self._summaries = 0
        self._turn = turn

    @property
    def _model(self) -> Model:
        return self._state.instead or self._models[self._state.choice]

    def _compactor(self, memory: Memory) -> Compactor:
        return Compactor(
            memory, self._state, partial(self._summary, memory), partial(self._host.compacted, self._place)
        )

    async def _shortened_after(self, error: ActivityError, model: Model) -> bool:
        """Return whether the prompt, refused as too long, is shorter now.

        Once in a turn, of each question: what was asked before may have been refused as well, and never answered.
        """
        asked = (self._state.questions, self._turn)
        if self._memory is None or not too_long(error) or self._overflown == asked:
            return False
        self._overflown = asked
        self._failed += 1
        return await self._compactor(self._memory).after_overflow(model)

    async def _answered(self, model: Model, *, fallback_left: bool, last: bool) -> ModelReply:
        state = self._state
        call = self._call(
            model=model.name,
            base=state.transcript.sent,
            tail=state.transcript.tail(),
            # A conversation that is continued begins under another head, so this one's stands in the history too.
            head=None if state.replies or state.head_stands else state.transcript.head,
            tool_choice=state.tool_choice,
            keep=self._keep,
            instead=state.instead,
            last=last,
            windows=self._memory is not None and self._memory.wants_windows and model.name not in state.windows,
        )
        asked = PaidCall(
            call,
            model,
            partial(self._place.model_call, call.turn),
            f"the next call of {model.name}",
            tokens=self._prompt_tokens(model),
            searches=self._searches,
            failed=self._failed,
            label=f"{self._label}{model.name} · turn {call.turn}",
        )
        try:
            reply = await self._paid.reply(asked, fallback_left=fallback_left)
        finally:
            self._failed = asked.failed
        if self._memory or self._host.account(self._place):
            state.tokens.replied(model.name, reply.usage, state.transcript.head, state.transcript.messages)
        return reply

    async def _summary(
        self, memory: Memory, length: int, size: int, asked: Message, tokens: int
    ) -> tuple[ModelReply, str]:
        """Return what a model writes of the first so many messages, and its name."""
        state, turn = self._state, self._state.replies + 1
        most = tokens + _SUMMARY_OVERHEAD_TOKENS
        model = beside(memory.model or self._model).model_copy(
            update={"fallbacks": (), "max_output_tokens": most, "reasoning": None}
        )
        if 0 < state.windows.get(model.name, 0) < size:
            raise ValueError(f"about {size:,} tokens are more than {model.name} takes")
        # What came of calls of a turn that failed is known to no reply.
        base = min(length, state.transcript.sent)
        untold = state.transcript.tail()[: length - base]
        call = self._call(model=model.name, base=base, tail=(*untold, asked), instead=model, summary=True)
        paid = PaidCall(
            call,
            model,
            partial(self._place.summary, turn),
            f"a summary by {model.name}",
            tokens=self._prompt_tokens(
                model, state.transcript.messages[:base], *state.transcript.messages[base:length], asked
            ),
            failed=self._summaries,
            label=f"{self._label}{model.name} · summary",
        )
        try:
            reply = await self._paid.reply(paid, fallback_left=False)
        finally:
            self._summaries = paid.failed + 1
        self._host.spent_on(reply, state.tally)
        if being_cancelled():
            # Its answer came all the same, and nobody wants the next one.
            raise asyncio.CancelledError
        return reply, model.name

    def _call(self, **fields: Any) -> ModelCall:
        """Return a model call with what all of them have."""
        state, transcript = self._state, self._state.transcript
        return ModelCall(
            transcript=self._place,
            turn=state.replies + 1,
            choice=state.choice,
            after=transcript.after if transcript.sent else "",
            room=state.room,
            without=state.without,
            context=_may_need_context(transcript.head) and has_context(),
            compactions=transcript.steps,
            earlier=transcript.earlier,
            cut=tuple(ref for ref in transcript.cut_parts if not ref.call_id),
            left=transcript.count - len(transcript.messages),
            replies_left=transcript.replies_left,
            **fields,
        )

    def _prompt_tokens(self, model: Model, messages: Sequence[Message] | None = None, *more: Message) -> int:
        """Return the most tokens of the next prompt, or of one with other messages."""
        transcript, tokens = self._state.transcript, self._state.tokens
        known = tokens.total if tokens.model == model.name else 0
        if messages is None:
            more = tuple(transcript.messages[transcript.sent :])
            messages = transcript.messages[: transcript.sent]
        unknown = more if known else (*messages, *more)
        return prompt_tokens(transcript.head, unknown, known, model.model)

    @property
    def _searches(self) -> int:
        return most_searches(self._state.transcript.head)


def too_long(error: ActivityError) -> bool:
    """Return whether a model call failed because its prompt was too long."""
    return isinstance(error.cause, ApplicationError) and error.cause.type == ContextOverflow.__name__


def _may_need_context(head: Head) -> bool:
    """Return whether the worker may need the run's context for a call.

    For validators, or for how a provider is to reach an MCP server.
    """
    return bool(head.validators) or any(isinstance(tool, McpConnector) for tool in head.provider_tools)
