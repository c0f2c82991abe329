"""How long an answer may be.

And whether it may be longer where that was too short.

Must not know a protocol.
"""

from __future__ import annotations

from dataclasses import dataclass

from ....model_adapter import ModelRequest
from ..profiles.profile import Profile

_MOST_ROOM = 16
"""So many times its usual length an answer may have, where no other limit is known."""


@dataclass(frozen=True, slots=True)
class OutputLimit:
    """The limit of an answer."""

    tokens: int | None
    """The limit. None: as many as the model can."""
    usual: bool
    """Whether it is the one that holds where none is said."""
    more: bool
    """Whether there is more room than that."""


def output_limit(request: ModelRequest, profile: Profile) -> OutputLimit:
    """Return how long the answer to a request may be.

    What people say themselves is held to. Otherwise it is the model's usual length, times the room that the request
    has, up to the most that the model can. What a budget allows is never exceeded.
    """
    limit, allowed = _unlimited(request, profile), request.output_tokens
    most = limit.tokens or profile.output_tokens
    if allowed is None or (limit.tokens and limit.tokens <= allowed):
        return limit
    tokens = min(allowed, most or allowed)
    return OutputLimit(tokens, usual=False, more=request.model.max_output_tokens is None and tokens != most)


def _unlimited(request: ModelRequest, profile: Profile) -> OutputLimit:
    """Return how long the answer may be where no budget is."""
    own, usual = request.model.max_output_tokens, profile.usual_tokens
    if own or not usual:
        return OutputLimit(own, usual=False, more=False)
    most = profile.output_tokens or usual * _MOST_ROOM
    tokens = min(usual * request.room, most)
    return OutputLimit(tokens, usual=request.room == 1, more=tokens < most)
