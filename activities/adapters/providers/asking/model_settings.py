"""A model's settings in the words that every protocol shares.

Must not send what its profile refuses.
"""

from __future__ import annotations

from typing import Any

from .....contracts.errors import InvalidRequest
from .....contracts.provider_tool import PROVIDER_TOOLS
from ....model_adapter import ModelRequest
from ..profiles.profile import Profile
from ..refused_feature import FIELDS

# How to do without these, the profile knows.
_ELSEWHERE = frozenset(
    {"reasoning", "echo", "no_echo", "max_tokens", "call_ids", "cache_control", "containers", *PROVIDER_TOOLS}
)


def sampling(request: ModelRequest, profile: Profile) -> dict[str, Any]:
    """Return how answers are sampled.

    Raises:
        InvalidRequest: The model is known not to take it.
    """
    model = request.model
    if model.temperature is None or "temperature" in request.without:
        return {}
    effort = effort_of(request, profile) or ("" if profile.thinks else "none")
    if "temperature" in profile.refuses and effort != "none":
        raise InvalidRequest(
            f"temperature={model.temperature} is not taken by the model: leave it out; "
            f"where it is taken after all, set options={{'temperature': {model.temperature}}}"
        )
    return {"temperature": model.temperature}


def unsent(
    request: ModelRequest, profile: Profile, has: tuple[str, ...] = ("seed", "stop", "service_tier")
) -> frozenset[str]:
    """Return the fields of a body that are not to be sent.

    Args:
        request: The prompt.
        profile: What the model accepts.
        has: Settings for which the protocol has a place.

    Raises:
        InvalidRequest: The model is known not to take something that was set.
    """
    model = request.model
    plain = request.without - _ELSEWHERE
    refused = {*profile.refuses, *(field for feature in plain for field in FIELDS.get(feature, (feature,)))}
    settings = {"seed": model.seed, "stop": model.stop, "service_tier": model.service_tier}
    for name, value in settings.items():
        known = name not in has or name in profile.refuses or (name == "seed" and not profile.seed)
        if value not in (None, ()) and known and name not in request.without:
            raise InvalidRequest(f"{name}={value!r} is not taken by the model: leave it out")
    if not profile.parallel_choice:
        refused.add("parallel_tool_calls")
    return frozenset(refused - {"temperature"})


def effort_of(request: ModelRequest, profile: Profile) -> str | None:
    """Return the provider's word for the effort that a model is to make.

    None where nobody said.

    Raises:
        InvalidRequest: The model cannot be asked for it.
    """
    model = request.model
    wanted = None if "reasoning" in request.without else model.reasoning
    if wanted is None or (wanted == "off" and profile.reasoning == "none"):
        return None
    if profile.reasoning == "none":
        raise InvalidRequest(f"the model takes no reasoning={wanted!r}: leave it out")
    if wanted not in profile.efforts:
        known = ", ".join(repr(effort) for effort in profile.efforts)
        raise InvalidRequest(f"the model takes no reasoning={wanted!r}: it takes {known}, or nothing")
    return profile.efforts[wanted]
