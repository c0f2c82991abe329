"""The gates of guardrails: what becomes of what does not pass."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from ...contracts.message import ASKED_AGAIN, Message, Role, ToolCallPart, ToolResultPart
from ...contracts.specs.agent import Agent
from ...contracts.wire.guardrails.decision import GuardrailDecision, Verdict, of_verdict
from ...contracts.wire.model_call import ModelReply
from ...contracts.wire.places import Place
from ...contracts.wire.run import Rejected, Result, Status
from ..guardrails.judging import Judging
from ..guardrails.releasing import held_back
from ..host import AgentHost
from .gates import Gate, error_result
from .state import AgentState


class Guarding(Gate):
    """Ends a run whose question or answer is blocked, and answers calls that are.

    A question is judged while the model answers it, and nothing of the reply is used before.

    Args:
        host: Asks models and people.
        place: Where it stands.
    """

    def __init__(self, host: AgentHost, place: Place) -> None:
        self._host = host
        self._place = place
        self.judging = Judging(host, place)
        """Asks those that no call looks at."""
        self._question: asyncio.Task[Sequence[GuardrailDecision | Result]] | None = None
        """Under way during one turn alone."""

    async def before_model(self, state: AgentState) -> Result | None:
        """Have the question judged, beside the first model call for it."""
        if state.replies > state.replies_before or self._question or not self.judging.looks_at("input"):
            return None
        asked = [one for one in state.transcript.since(state.begins) if one.role is Role.USER]
        message = Message.user("\n".join(one.text for one in asked))
        self._question = asyncio.create_task(self.judging.of("input", message, state.tally))
        return None

    async def after_model(self, state: AgentState, reply: ModelReply) -> Result | None:
        """End where the question, or the answer, may not be used."""
        if self._question:
            question, self._question = self._question, None
            if ended := await self.decided(state, await question, reply):
                return ended
        return await self.decided(state, [one for one in reply.decisions if not one.call_id], reply)

    async def before_tool(self, state: AgentState, call: ToolCallPart, reply: ModelReply) -> ToolResultPart | None:  # noqa: ARG002
        """Tell the model why a call is not made."""
        ours = (one for one in reply.decisions if one.call_id == call.id)
        stopped = of_verdict(ours, Verdict.BLOCKED, Verdict.REJECTED)
        if not stopped:
            return None
        return error_result(call, f"{call.name} was not run: the guardrail {stopped[0].guardrail}: {stopped[0].reason}")

    async def decided(
        self, state: AgentState, decisions: Iterable[GuardrailDecision | Result], reply: ModelReply
    ) -> Result | None:
        """Return the result that decisions end the run with, unless a person objects."""
        told = list(decisions)
        if lacks := next((one for one in told if isinstance(one, Result)), None):
            return state.result(Status.EXHAUSTED, lacks.reason).model_copy(update={"exhausted": lacks.exhausted})
        made = [one for one in told if isinstance(one, GuardrailDecision)]
        ended = await held_back(made, reply.message.text, self._host.approvals, self._place, state.replies)
        return ended and state.result(ended.status, ended.reason, output=ended.output)


class JudgedAnswers(Gate):
    """Has answers judged that are else as they should be.

    Args:
        guarding: Does so for questions.
        agent: Whose gate.
    """

    def __init__(self, guarding: Guarding, agent: Agent) -> None:
        self._guarding = guarding
        self._judging = guarding.judging
        self._most = agent.max_repairs

    async def after_model(self, state: AgentState, reply: ModelReply) -> Result | None:
        """End where the answer may not be used, or have it written again."""
        if reply.message.tool_calls or state.transcript.has_unsent or not self._judging.looks_at("output"):
            return None
        decisions = await self._judging.of("output", reply.message, state.tally)
        rejected = [one for one in decisions if isinstance(one, GuardrailDecision) and one.verdict is Verdict.REJECTED]
        if rejected:
            reasons = tuple(f"{one.guardrail}: {one.reason}" for one in rejected)
            state.rejected.append(Rejected(text=reply.message.text, reasons=reasons))
            if state.repairs >= self._most:
                return state.result(Status.REFUSED, f"no answer passed: {'; '.join(reasons)}")
            state.repairs += 1
            state.transcript.add(
                Message.user(f"{ASKED_AGAIN}. {'; '.join(reasons)}. Answer again, all of it, corrected.")
            )
            return None
        return await self._guarding.decided(state, decisions, reply)
