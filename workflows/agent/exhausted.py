"""What an agent does once a budget is not enough for its next model call."""

from __future__ import annotations

from collections.abc import Callable

from temporalio.exceptions import ActivityError, is_cancelled_exception

from ...contracts.control.budget import Ask, Degrade, Finish, Shorten
from ...contracts.message import Message
from ...contracts.wire.model_call import ModelReply
from ...contracts.wire.run import Result, Status
from ..budget.spent_error import BudgetSpentError
from ..payload_limits import PayloadTooLargeError
from .model_calls import ModelCalls
from .state import AgentState

LAST_WORDS = (
    "There is no budget left to go on. Answer now, as well as you can, with what you have. You can call no more tools."
)
"""What the model is told before it answers for the last time."""


async def when_exhausted(
    spent: BudgetSpentError, state: AgentState, models: ModelCalls, take: Callable[[ModelReply], None]
) -> Result | None:
    """Do what the budget says; return any result that it ends with.

    None: it goes on, with another model, a shorter prompt, or more budget.

    Args:
        spent: Which budget is not enough.
        state: What the agent knows.
        models: Its models.
        take: Takes in the last reply.
    """
    for step in spent.on_exhausted:
        if isinstance(step, Degrade) and models.degrade(step.model):
            return None
        if isinstance(step, Shorten) and await models.shorten():
            return None
        if isinstance(step, Ask) and await _topped_up(step, models):
            return None
        if isinstance(step, Finish) and spent.limit != "seconds":
            asked = state.transcript.count
            state.transcript.add(Message.user(LAST_WORDS))
            try:
                take(await models.reply(last=True))
            except (BudgetSpentError, ActivityError, PayloadTooLargeError) as error:
                if is_cancelled_exception(error):
                    raise
                state.transcript.cut(asked)
            else:
                break
    result = state.result(Status.EXHAUSTED, spent.reason)
    return result.model_copy(update={"exhausted": spent.limit})


async def _topped_up(step: Ask, models: ModelCalls) -> bool:
    """Wait for a top-up; return whether there is enough for the next call now."""
    try:
        await models.wait_for_budget(step)
    except BudgetSpentError:
        return False
    return True
