"""Makes model calls.

Each is paid for by a budget where there is one, and made again where that helps.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from temporalio import workflow
from temporalio.exceptions import ActivityError

from ...activities.model import ModelActivities
from ...contracts.model import Model
from ...contracts.wire.model_call import Allowance, ModelCall, ModelReply
from ...contracts.wire.places import Place
from ...contracts.wire.totals import Totals
from .. import policy
from ..budget.amount import Amount
from ..budget.worst_case import allowance_for
from ..concurrency import end_of, outcome_of
from ..host import AgentHost
from ..payload_limits import PayloadTooLargeError
from ..ui_details import compact
from ..until_served import until_served
from .state import AgentState

_MOST_LOST = 3
"""So many attempts of one call may be charged without an answer."""


@dataclass(slots=True)
class PaidCall:
    """A model call that is to be made."""

    call: ModelCall
    model: Model
    """Who is called."""
    id: Callable[[int], str]
    """Returns the id of its activity, once so many calls of its turn have failed."""
    what: str
    """What it is, where a budget is not enough for it."""
    tokens: int
    """Most tokens of its prompt."""
    searches: int = 0
    """Most searches of the web by the provider."""
    failed: int = 0
    """How many calls of its turn have failed."""
    label: str = ""
    """What it is for, in the UI."""


class PaidCalls:
    """The one door through which an agent asks a model.

    Args:
        host: What the workflow gives to every runnable in it.
        place: Where the agent stands.
        state: What it knows.
        keep: Whether what the model said is wanted where a cancel comes in the middle of an answer.
    """

    def __init__(self, host: AgentHost, place: Place, state: AgentState, *, keep: bool = False) -> None:
        self._host = host
        self._place = place
        self._state = state
        self._keep = keep

    async def reply(self, asked: PaidCall, *, fallback_left: bool) -> ModelReply:
        """Return what the model answers, once it is paid for.

        Args:
            asked: What is asked.
            fallback_left: Whether another model can be asked.

        Raises:
            temporalio.exceptions.ActivityError: It does not answer; the cause says why.
            PayloadTooLargeError: The prompt cannot be sent.
            BudgetSpentError: A budget is not enough for the call.
            SpecError: A budget counts US dollars, and the model has no price.
        """
        account = self._host.account(self._place)
        if account is None:
            return await self._made(asked, None, fallback_left=fallback_left)
        lost, model, last = 0, asked.model, asked.call.last
        while True:
            amount, allowance = allowance_for(account, model, asked.tokens, asked.call.room, asked.searches, last=last)
            hold = await account.hold(amount, asked.what, last=last)
            try:
                reply = await self._made(asked, allowance, fallback_left=fallback_left)
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
                return reply
            asked.failed += 1
            await workflow.sleep(policy.pause_after(lost))

    async def _made(self, asked: PaidCall, allowance: Allowance | None, *, fallback_left: bool) -> ModelReply:
        call = asked.call.model_copy(update={"allowance": allowance})
        model, failed = asked.model, asked.failed
        spent = compact(self._state.tally.totals.usage.total_tokens)

        async def start(_: int) -> ModelReply:
            async with self._host.outbox.sending(call, "the prompt"):
                return await outcome_of(
                    workflow.start_activity_method(
                        ModelActivities.call,
                        call,
                        activity_id=asked.id(failed),
                        summary=f"{asked.label} · {spent} tok so far",
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
