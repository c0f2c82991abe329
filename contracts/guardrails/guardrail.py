"""What every guardrail has: where it looks, and what becomes of a text there."""

from __future__ import annotations

from typing import Literal, TypeAlias

from ..contract import Spec

GuardrailStage: TypeAlias = Literal["input", "output", "tool_call", "tool_result", "passages"]
"""Where a text is looked at."""
OnFailure: TypeAlias = Literal["block", "redact", "retry", "escalate", "flag"]
"""What becomes of a text that does not pass."""
OnError: TypeAlias = Literal["closed", "open"]
"""Whether a text passes where the guardrail itself fails: `open` lets it."""


class Guardrail(Spec):
    """What is looked for, and where."""

    name: str = ""
    """What the events call it."""
    at: tuple[GuardrailStage, ...]
    """Where it looks."""
    on_failure: OnFailure
    """What becomes of a text that does not pass."""
    on_error: OnError | None = None
    """What becomes of a text where the guardrail itself fails."""
