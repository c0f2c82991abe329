"""Which tool a model has to call, as far as its profile can demand it.

What cannot be demanded is asked for in words.
"""

from __future__ import annotations

from dataclasses import dataclass

from .....contracts.model import ANY_TOOL
from ....model_adapter import ModelRequest
from ..profiles.profile import Profile
from .model_settings import effort_of


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

    def __bool__(self) -> bool:
        """Return whether any call is demanded or asked for."""
        return bool(self.demanded or self.words)


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


def demanded_answer(tool: str, request: ModelRequest, profile: Profile) -> DemandedCall:
    """Return the call by which the answer is given.

    Others may come before it.

    Args:
        tool: Name of the answer's tool.
        request: The prompt.
        profile: What the model accepts.
    """
    if not _thinks_by_budget(request, profile):
        if profile.named_choice and not _has_others(request):
            return DemandedCall(tool=tool)
        if profile.required_choice:
            return DemandedCall(any=profile.required_choice)
    return DemandedCall(words=f"When you have your answer, give it by calling {tool}.")


def _thinks_by_budget(request: ModelRequest, profile: Profile) -> bool:
    """Return whether the model was told to think, and can only without a demand.

    That of an answer stands at every turn: there would be no thoughts at all.
    """
    return profile.reasoning == "budget" and effort_of(request, profile) not in (None, profile.efforts.get("off"))


def _has_others(request: ModelRequest) -> bool:
    """Return whether there is a tool beside the answer's.

    It may be one that the provider runs.
    """
    return bool(request.tools or request.wanted_provider_tools or request.model.options.get("tools"))
