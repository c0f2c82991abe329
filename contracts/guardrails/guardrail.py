"""What all guardrails have: where they stand, and what they do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, Literal, TypeVar

from pydantic import model_validator

from ..contract import Contract, Spec

GuardStage = Literal["input", "output", "tool_call", "tool_result", "passages"]
"""Where a text is looked at: what a run is asked, what a model answers, the arguments of the calls that it asks for,
what tools return, and what searches find."""
STAGES: Final[tuple[GuardStage, ...]] = ("input", "output", "tool_call", "tool_result", "passages")

OnFailure = Literal["block", "redact", "retry", "escalate", "flag"]
"""What becomes of what does not pass: nothing of it is used; what was found is taken out; the model is told why, and
may try again; a person is asked; it is noted, and used."""
OnError = Literal["closed", "open"]
"""What becomes of what a guardrail could not look at, because it failed itself: as if it did not, or did, pass."""

_HANDED_OUT: Final[tuple[GuardStage, ...]] = ("input", "output", "tool_call")
"""Where a guardrail that fails lets nothing pass, unless it is told otherwise."""
_OF_MODEL: Final = ("input", "output")
_WHERE: Final[dict[OnFailure, tuple[GuardStage, ...]]] = {
    "block": STAGES,
    "redact": STAGES,
    "retry": ("output", "tool_call"),
    "escalate": ("input", "output", "tool_call"),
    "flag": STAGES,
}
"""Where each way of dealing with a failure has a meaning."""


GuardrailT = TypeVar("GuardrailT", bound="Guardrail")


class JudgedStage(Contract):
    """What a model is asked to judge."""

    stage: GuardStage
    on_failure: OnFailure


class Guardrail(Spec):
    """What a text has to pass."""

    redacts: ClassVar[bool] = False
    """Whether it says where what it found stands, so that it can be taken out."""
    by_sentence: ClassVar[bool] = False
    """Whether it finds in sentences one by one what it finds in a text: an answer can be shown as it comes in."""
    of_model: ClassVar[bool] = False
    """Whether it asks a model, so that it works beside a run and not within its calls."""

    name: str = ""
    """What events call it. Empty: its kind."""
    at: tuple[GuardStage, ...]
    on_failure: OnFailure
    on_error: OnError | None = None
    """None: `closed` for what goes in, what is answered and what tools are given, and for whatever redacts; else
    `open`."""

    @model_validator(mode="after")
    def _can_be_done(self) -> Guardrail:
        if not self.at:
            raise ValueError(f"at: name one or more of {', '.join(STAGES)}")
        if self.on_failure == "redact" and not self.redacts:
            raise ValueError(
                f"on_failure='redact': {type(self).__name__} does not say where in a text it found something"
            )
        if self.of_model and (elsewhere := [stage for stage in self.at if stage not in _OF_MODEL]):
            raise ValueError(f"at: a {type(self).__name__} is asked about input and output, not {', '.join(elsewhere)}")
        possible = _WHERE[self.on_failure]
        if impossible := [stage for stage in self.at if stage not in possible]:
            raise ValueError(
                f"on_failure={self.on_failure!r} has no meaning at {', '.join(impossible)}: "
                f"it is for {', '.join(possible)}"
            )
        return self

    @property
    def title(self) -> str:
        """What events call it."""
        return self.name or str(getattr(self, "kind", ""))

    def closes(self, stage: GuardStage) -> bool:
        """Return whether nothing passes at a stage where it fails itself."""
        if self.on_error:
            return self.on_error == "closed"
        return stage in _HANDED_OUT or self.on_failure == "redact"


def at_stage(guardrails: Sequence[GuardrailT], stage: GuardStage) -> tuple[GuardrailT, ...]:
    """Return those that look at what passes a stage, in their order."""
    return tuple(one for one in guardrails if stage in one.at)
