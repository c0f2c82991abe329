"""Asks the model of an agent, then its fallbacks in order where that fails."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from ...activities.model import ModelActivities
from ...contracts.model import Head, Model
from ...contracts.provider_tool import McpConnector
from ...contracts.specs.agent import Agent
from ...contracts.wire.model_call import ModelCall, ModelReply
from ...contracts.wire.places import Place
from .. import policy
from ..concurrency import outcome_of
from ..host import AgentHost
from ..run_context import has_context
from ..ui_details import compact
from ..until_served import until_served
from .state import AgentState


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

    async def reply(self) -> ModelReply:
        """Return the reply of the model in use, or of the first fallback that answers.

        Raises:
            temporalio.exceptions.ActivityError: None of them answers; its cause is the last one's.
            PayloadTooLargeError: The prompt cannot be sent.
        """
        failed = 0
        while True:
            fallback_left = self._state.choice + 1 < len(self._models)
            try:
                return await self._call(self._models[self._state.choice], failed, fallback_left=fallback_left)
            except ActivityError as error:
                if is_cancelled_exception(error) or not fallback_left:
                    raise
            failed += 1
            self._state.choice += 1
            self._state.without = ()

    async def _call(self, model: Model, failed: int, *, fallback_left: bool) -> ModelReply:
        state = self._state
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
        )

        async def start(_: int) -> ModelReply:
            async with self._host.outbox.sending(call, "the prompt"):
                return await outcome_of(
                    workflow.start_activity_method(
                        ModelActivities.call,
                        call,
                        activity_id=self._place.model_call(turn, failed),
                        summary=f"{self._label}{model.name} · turn {turn} · {spent} tok so far",
                        **policy.model_policy(model, fallback_left=fallback_left, keep=self._keep),
                    )
                )

        # Where another model waits, a provider that no worker can call is left as one that is overloaded.
        return await until_served(start, model.fallback_after if fallback_left else None)


def _may_need_context(head: Head) -> bool:
    """Return whether the worker may need the run's context for a call.

    For validators, or for how a provider is to reach an MCP server.
    """
    return bool(head.validators) or any(isinstance(tool, McpConnector) for tool in head.provider_tools)
