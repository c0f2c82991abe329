"""What a guardrail decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from ...contract import Contract
from ...guardrails.guardrail import GuardStage, OnFailure


class Verdict(StrEnum):
    """What became of what a guardrail looked at."""

    PASSED = "passed"
    REDACTED = "redacted"
    """What was found was taken out."""
    BLOCKED = "blocked"
    """Nothing of it is used."""
    REJECTED = "rejected"
    """The model is told why, and may try again."""
    ESCALATED = "escalated"
    """A person is asked."""
    FLAGGED = "flagged"
    """It is noted, and used."""


VERDICTS: Final[Mapping[OnFailure, Verdict]] = {
    "block": Verdict.BLOCKED,
    "redact": Verdict.REDACTED,
    "retry": Verdict.REJECTED,
    "escalate": Verdict.ESCALATED,
    "flag": Verdict.FLAGGED,
}
"""What becomes of what does not pass, by what a guardrail says is to."""


class GuardrailDecision(Contract):
    """What a guardrail decided of one text."""

    guardrail: str
    stage: GuardStage
    verdict: Verdict = Verdict.PASSED
    reason: str = ""
    """Why, without what was found."""
    call_id: str = ""
    """The tool call whose arguments it looked at; empty where it looked at something else."""
    failed: bool = False
    """Whether it could not look, and decided as it is declared for that."""
    ms: float = 0.0
    """Milliseconds that it took."""


class GuardedFailure(Contract):
    """What guardrails made of the message of a failure: its last detail."""

    decisions: tuple[GuardrailDecision, ...] = ()
    """What they decided."""
    sealed: dict[str, str] = {}
    """Originals of what they redacted, as ciphertext, by placeholder."""

    @classmethod
    def of(cls, error: BaseException | None) -> GuardedFailure:
        """Return what the details of a failure tell; nothing where they tell none."""
        for detail in reversed(getattr(error, "details", ())):
            if isinstance(detail, Mapping) and "decisions" in detail:
                return cls.model_validate(detail)
        return cls()


def withheld(decision: GuardrailDecision) -> str:
    """Return what stands in place of a text that was blocked."""
    return f"[withheld by the guardrail {decision.guardrail}: {decision.reason}]"


def of_verdict(decisions: Iterable[GuardrailDecision], *verdicts: Verdict) -> tuple[GuardrailDecision, ...]:
    """Return the decisions that came to one of these verdicts, in their order."""
    return tuple(one for one in decisions if one.verdict in verdicts)


_SEVERITY: Final = ("blocked", "escalated", "rejected", "redacted", "flagged", "passed")


def worst(decisions: Sequence[GuardrailDecision]) -> GuardrailDecision:
    """Return the decision of which the most comes; the first of several."""
    return min(decisions, key=lambda one: _SEVERITY.index(one.verdict))
