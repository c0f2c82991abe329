"""The event of a guardrail's decision."""

from __future__ import annotations

from typing import Literal

from ...guardrails.guardrail import GuardStage
from ..event_base import EventBase
from .decision import Verdict


class GuardrailDecided(EventBase):
    """A guardrail looked at something, and decided what becomes of it."""

    type: Literal["guardrail.decided"] = "guardrail.decided"
    guardrail: str
    """Its name, or its kind."""
    stage: GuardStage
    """What it looked at."""
    verdict: Verdict
    reason: str = ""
    """Why, without what was found; empty where it passed."""
    call_id: str = ""
    """The tool call whose arguments or result it looked at; empty where it looked at something else."""
    failed: bool = False
    """Whether it could not look, and decided as it is declared for that."""
    cost_usd: float = 0.0
    """US dollars that it cost."""
    ms: float = 0.0
    """Milliseconds that it took."""

    @property
    def words(self) -> str:
        """It for a person, in a line."""
        what = self.stage.replace("_", " ")
        told = f"{self.guardrail}: {what} {self.verdict}"
        return f"{told}: {self.reason}" if self.reason else told
