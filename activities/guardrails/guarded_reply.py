"""What stands between a model and what the history is told of its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...contracts.guardrails.any_guardrail import AnyGuardrail
from ...contracts.guardrails.guardrail import GuardStage
from ...contracts.message import Message, Part, Role, TextPart, ToolCallPart
from ...contracts.wire.guardrails.decision import GuardrailDecision, Verdict, of_verdict, withheld
from ...contracts.wire.model_call import ModelReply
from ..model_adapter import OnDelta
from .screening import Guards

_STAGES: Final[tuple[GuardStage, ...]] = ("output", "tool_call")


class GuardedReply:
    """One model call, whose answer and calls go through guardrails.

    Args:
        guards: What guardrails need of this worker.
        guardrails: Those of the run.
        scope: Id of the root of the run, or of the chat.
        is_summary: Whether a summary is asked for, which nobody but a model reads: of it, only what redacts is done.
    """

    def __init__(
        self,
        guards: Guards,
        guardrails: Sequence[AnyGuardrail],
        scope: str,
        *,
        is_summary: bool = False,
    ) -> None:
        self._guards = guards
        if is_summary:
            guardrails = [one for one in guardrails if one.on_failure == "redact"]
        self._guardrails = guardrails
        self._scope = scope

    @property
    def is_idle(self) -> bool:
        """Whether nothing has to be looked at."""
        return not any(self._guards.screen(self._guardrails, stage, self._scope) for stage in _STAGES)

    def check(self) -> None:
        """Check that this worker has what the guardrails take.

        Raises:
            NotServedError: It has not; says what it lacks.
        """
        for stage in _STAGES:
            if screen := self._guards.screen(self._guardrails, stage, self._scope):
                screen.check()

    def stream(self, on_delta: OnDelta | None, *, structured: bool) -> OnDelta | None:
        """Return what is told the pieces of the answer; None where nobody is.

        Args:
            on_delta: Told what may be shown.
            structured: Whether the answer is JSON, whose values are told whole.
        """
        screening = self._guards.screen(self._guardrails, "output", self._scope)
        if on_delta is None or structured:
            return None
        return screening.stream(on_delta) if screening else on_delta

    async def reply(self, reply: ModelReply) -> ModelReply:
        """Return a reply as it may be told."""
        calls = reply.message.tool_calls
        output = self._guards.screen(self._guardrails, "output", self._scope)
        message: Message | None = reply.message
        decisions: tuple[GuardrailDecision, ...] = ()
        sealed: dict[str, str] = {}
        errors = reply.output_errors
        if output:
            message = await output.said(reply.message)
            errors = tuple(map(output.hidden, errors))
            decisions, sealed = output.decisions, dict(output.sealed)
        if message is None:
            text = TextPart(text=withheld(of_verdict(decisions, Verdict.BLOCKED)[0]))
            message = Message(role=Role.ASSISTANT, parts=(text,))
            return reply.model_copy(
                update={"message": message, "decisions": decisions, "sealed": sealed, "output_errors": ()}
            )
        rejected = of_verdict(decisions, Verdict.REJECTED)
        if calls:
            message, of_calls, sealed_there = await self._with_calls(message, without_text=bool(rejected))
            decisions, sealed = (*decisions, *of_calls), sealed | sealed_there
        else:
            errors = (*errors, *(f"{one.guardrail}: {one.reason}" for one in rejected))
        return reply.model_copy(
            update={"message": message, "decisions": decisions, "sealed": sealed, "output_errors": errors}
        )

    async def _with_calls(
        self, message: Message, *, without_text: bool
    ) -> tuple[Message, tuple[GuardrailDecision, ...], dict[str, str]]:
        """Return a message with its calls as they may be told.

        With it what was decided of them, and the originals of what was hidden.
        """
        parts: list[Part] = []
        screen = self._guards.screen(self._guardrails, "tool_call", self._scope)
        for part in message.parts:
            if isinstance(part, TextPart) and without_text:
                continue
            if screen and isinstance(part, ToolCallPart):
                passed = await screen.call(part)
                parts.append(passed or part.model_copy(update={"arguments": {}, "malformed": ""}))
            else:
                parts.append(part)
        message = message.model_copy(update={"parts": tuple(parts)})
        return (message, screen.decisions, dict(screen.sealed)) if screen else (message, (), {})
