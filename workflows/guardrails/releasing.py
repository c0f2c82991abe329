"""Asks a person whether what a guardrail holds back may be used."""

from __future__ import annotations

from collections.abc import Iterable

from ...contracts.control.approval import Approval
from ...contracts.tool import Effect, ToolSpec
from ...contracts.wire.guardrails.decision import GuardrailDecision, Verdict, of_verdict
from ...contracts.wire.places import Place
from ...contracts.wire.run import Result, Status
from ..control.approvals import Approvals
from ..control.waiting_call import ApprovableCall

_RELEASE = ToolSpec(
    name="release",
    description="Use what a guardrail holds back.",
    parameters={"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    effect=Effect.READ,
    asks=Approval(),
)


async def held_back(
    decisions: Iterable[GuardrailDecision], text: str, approvals: Approvals, place: Place, number: int
) -> Result | None:
    """Return what a run comes to that may not go on; None where it may.

    Args:
        decisions: What guardrails decided.
        text: What they looked at, for the person.
        approvals: Asks people.
        place: Of whatever was looked at.
        number: Tells what is looked at there from what was before.
    """
    made = tuple(decisions)
    if blocked := of_verdict(made, Verdict.BLOCKED):
        return Result(status=Status.REFUSED, reason=refusal(blocked[0]))
    for one in of_verdict(made, Verdict.ESCALATED):
        arguments = {"text": f"{one.guardrail}: {one.stage}: {one.reason}", one.stage: text}
        call_id = f"{one.stage}_{number}_{one.guardrail}"
        permit = await approvals.permit(ApprovableCall(_RELEASE, place, call_id, arguments, direct=True))
        if permit.refused:
            return Result(status=Status.REFUSED, reason=f"{refusal(one)}; {permit.refused}")
        if permit.answer is not None:
            return Result(status=Status.COMPLETED, output=permit.answer)
    return None


def refusal(decision: GuardrailDecision) -> str:
    """Return why a run ends that a guardrail refuses to go on."""
    return f"the guardrail {decision.guardrail} blocked the {decision.stage.replace('_', ' ')}: {decision.reason}"
