"""What a worker is asked to look at before it is used, and what it says of it."""

from __future__ import annotations

from ...contract import Contract
from ...guardrails.any_guardrail import AnyGuardrail
from ...guardrails.by_model import Moderation
from ...guardrails.guardrail import GuardStage
from ...message import Message
from .decision import GuardrailDecision


class GuardCall(Contract):
    """Input of one look at a message."""

    message: Message
    guardrails: tuple[AnyGuardrail, ...]
    """What it has to pass."""
    stage: GuardStage
    """What it is."""
    judged: bool = False
    """Whether it stands where it is, and is only judged: then it is not told again."""


class Guarded(Contract):
    """Output of one look at a message."""

    message: Message | None = None
    """The message as it may be used; None where it is blocked, or was only judged."""
    decisions: tuple[GuardrailDecision, ...] = ()
    """What was decided."""
    sealed: dict[str, str] = {}
    """Originals of what was redacted, as ciphertext, by placeholder."""


class ModerationCall(Contract):
    """Input of one question to a provider's endpoint for moderation."""

    text: str
    guardrail: Moderation
    """Which model is asked, and which categories count."""
    stage: GuardStage
    """What the text is."""
