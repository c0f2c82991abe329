"""Asks the model of an agent, then its fallbacks in order where that fails."""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from ...activities.model import ModelActivities
from ...contracts.control.budget import Ask
from ...contracts.model import Head, Model
from ...contracts.provider_tool import McpConnector
from ...contracts.specs.agent import Agent
from ...contracts.wire.model_call import Allowance, ModelCall, ModelReply
from ...contracts.wire.places import Place
from ...contracts.wire.run import Counted
from ...contracts.wire.totals import Totals
from .. import policy
from ..budget.account import Account
from ..budget.amount import Amount
from ..budget.worst_case import allowance_for, most_searches, prompt_tokens, whole_cost
from ..concurrency import end_of, outcome_of
from ..host import AgentHost
from ..payload_limits import PayloadTooLargeError
from ..run_context import has_context
from ..ui_details import compact
from ..until_served import until_served
from .state import AgentState

_MOST_LOST = 3
"""So many attempts of one call may be charged without an answer."""


class ModelCalls:
    """The model calls of one agent: the one place from which a run asks a model.

    Args:
        host: What the workflow gives to every runnable in it.
        agent: Whose model.
        place: Where it stands.
        state: What it knows. Which model is in use is written there, all else only read.
        keep: Whether what the model said is wanted where a cancel comes in the middle of an answer.
    """

    def __init__(self, host: AgentHost, agent: Agent, place: Place, state: AgentState, *, keep: bool = False) -> None:
        self._keep = keep
        self._host = host
        self._models = agent.model.choices
        self._place = place
        self._state = state
        # Of several at work in one workflow the UI would show the same line.
        below = place.below(host.root)
        self._label = f"{below} · " if below else ""
        self._turn = self._failed = 0
        """The turn, and how many calls of it failed so far: where a budget is, it may be asked for again."""

    async def reply(self, *, last: bool = False) -> ModelReply:
        """Return the reply of the model in use, or of the first fallback that answers.

        Args:
            last: Whether it may call no tools, and a kept part of the budget is for it.

        Raises:
            temporalio.exceptions.ActivityError: None of them answers; its cause is the last one's.
            PayloadTooLargeError: The prompt cannot be sent.
            BudgetSpentError: A budget is not enough for the call.
            SpecError: A budget counts US dollars, and the model has no price.
        """
        turn = self._state.replies + 1
        if turn != self._turn or self._host.account(self._place) is None:
            self._turn, self._failed = turn, 0
        while True:
            model = self._model
            fallback_left = self._state.instead is None and self._state.choice + 1 < len(self._models)
            try:
                return await self._answered(model, fallback_left=fallback_left, last=last)
            except ActivityError as error:
                if is_cancelled_exception(error) or not fallback_left:
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

    @property
    def _model(self) -> Model:
        return self._state.instead or self._models[self._state.choice]

    async def _answered(self, model: Model, *, fallback_left: bool, last: bool) -> ModelReply:
        account = self._host.account(self._place)
        if account is None:
            return await self._call(model, fallback_left=fallback_left)
        lost = 0
        while True:
            amount, allowance = self._allowance(account, model, last=last)
            hold = await account.hold(amount, f"the next call of {model.name}", last=last)
            try:
                reply = await self._call(model, allowance, fallback_left=fallback_left, last=last)
            except ActivityError as error:
                ended = end_of(error)
                if ended.free:
                    hold.release()
                    raise
                self._host.spent(hold.lose(), self._state.tally)
                lost += 1
                if not ended.again or lost >= _most_lost(model):
                    raise
            except (PayloadTooLargeError, asyncio.CancelledError):
                # Whatever is under way ends as an activity: here nothing was.
                hold.release()
                raise
            except BaseException:
                hold.lose()
                raise
            else:
                if not reply.tells_cost(priced=model.price is not None):
                    told = Totals.of(reply)
                    self._host.spent(hold.lose(told, answered=True) - told, self._state.tally)
                else:
                    hold.settle(Amount.of(Totals.of(reply), 1))
                known = reply.usage.total_tokens if reply.usage.input_tokens else 0
                self._state.counted = Counted(tokens=known, model=model.name)
                return reply
            self._failed += 1
            await workflow.sleep(policy.pause_after(lost))

    def _allowance(self, account: Account, model: Model, *, last: bool) -> tuple[Amount, Allowance]:
        tokens = self._prompt_tokens(model)
        return allowance_for(account, model, tokens, self._state.room, self._searches, last=last)

    def _prompt_tokens(self, model: Model) -> int:
        transcript, counted = self._state.transcript, self._state.counted
        known = counted.tokens if counted.model == model.name else 0
        unknown = transcript.messages[transcript.sent :] if known else transcript.messages
        return prompt_tokens(transcript.head, unknown, known, model.model)

    @property
    def _searches(self) -> int:
        return most_searches(self._state.transcript.head)

    async def _call(
        self, model: Model, allowance: Allowance | None = None, *, fallback_left: bool, last: bool = False
    ) -> ModelReply:
        state, failed = self._state, self._failed
        turn = state.replies + 1
        known = state.transcript.sent
        spent = compact(state.tally.totals.usage.total_tokens)
        call = ModelCall(
            transcript=self._place,
            turn=turn,
            model=model.name,
            choice=state.choice,
            base=known,
            after=state.transcript.after if known else "",
            tail=state.transcript.tail(),
            # A conversation that is continued begins under another head, so this one's stands in the history too.
            head=None if state.replies or state.head_stands else state.transcript.head,
            room=state.room,
            without=state.without,
            tool_choice=state.tool_choice,
            keep=self._keep,
            context=_may_need_context(state.transcript.head) and has_context(),
            allowance=allowance,
            instead=state.instead,
            last=last,
        )

        async def start(_: int) -> ModelReply:
            async with self._host.outbox.sending(call, "the prompt"):
                return await outcome_of(
                    workflow.start_activity_method(
                        ModelActivities.call,
                        call,
                        activity_id=self._place.model_call(turn, failed),
                        summary=f"{self._label}{model.name} · turn {turn} · {spent} tok so far",
                        **policy.model_policy(
                            model, fallback_left=fallback_left, keep=self._keep, budgeted=allowance is not None
                        ),
                    )
                )

        # Where another model waits, a provider that no worker can call is left as one that is overloaded.
        return await until_served(start, model.fallback_after if fallback_left else None)


def _most_lost(model: Model) -> int:
    """Return how many attempts of one call may be charged without an answer."""
    return _MOST_LOST if model.retries is None else min(1 + model.retries, _MOST_LOST)


def _may_need_context(head: Head) -> bool:
    """Return whether the worker may need the run's context for a call.

    For validators, or for how a provider is to reach an MCP server.
    """
    return bool(head.validators) or any(isinstance(tool, McpConnector) for tool in head.provider_tools)
