"""Which tool a model has to call, as far as its profile can demand it.

What cannot be demanded is asked for in words.
"""

from __future__ import annotations

from dataclasses import dataclass

from .....contracts.model import ANY_TOOL
from ....model_adapter import ModelRequest
from ..profiles.profile import Profile


@dataclass(frozen=True, slots=True)
class DemandedCall:
    """The call that is demanded of a model."""

    any: str = ""
    """The provider's word for a call of any tool; empty where that is not what is demanded."""
    tool: str = ""
    """Name of the tool that has to be called; empty where that is not what is demanded."""
    words: str = ""
    """For the instructions, where it cannot be demanded."""

    @property
    def demanded(self) -> bool:
        """Whether the model is held to it."""
        return bool(self.any or self.tool)


def demanded_call(request: ModelRequest, profile: Profile) -> DemandedCall:
    """Return the call that is demanded of a model, if any."""
    choice = request.tool_choice
    if not choice or not request.tools:
        return DemandedCall()
    if choice == ANY_TOOL:
        word = profile.required_choice
        return DemandedCall(any=word) if word else DemandedCall(words="Call a tool before you answer.")
    return (
        DemandedCall(tool=choice) if profile.named_choice else DemandedCall(words=f"Call {choice} before you answer.")
    )
