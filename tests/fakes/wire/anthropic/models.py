"""What Anthropic's model families accept.

Sources: platform.claude.com/docs/en/about-claude/models/overview, build-with-claude/adaptive-thinking,
build-with-claude/effort and api/errors; types/model.py of anthropic 2.12.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_FIVE = ("low", "medium", "high", "xhigh", "max")
_FOUR = ("low", "medium", "high", "max")
_BUDGET = ("enabled", "disabled")


@dataclass(frozen=True, slots=True)
class Claude:
    """What the models of a family accept."""

    thinking: tuple[str, ...] = ("adaptive", "disabled")
    """Kinds of thinking that can be asked for."""
    efforts: tuple[str, ...] = _FIVE
    forced_choice: bool = True
    """Whether a call of a tool can be demanded."""
    formats: bool = True
    """Whether a schema of the answer is enforced."""
    max_tokens: int = 128_000
    prefill: bool = False
    """Whether the assistant may have the last word, for the model to go on from there."""
    system_messages: bool = False
    """Whether there may be system messages within the conversation."""
    high_effort_thinks: bool = False
    """Whether thinking cannot be off at the highest efforts."""
    images: int = 600
    """Most pictures of a request."""


_NEW: dict[str, Any] = {"system_messages": True}
_OLD: dict[str, Any] = {"prefill": True, "images": 100}
_FAMILIES: tuple[tuple[str, Claude], ...] = (
    (r"claude-mythos-preview", Claude(("adaptive", "enabled"), _FOUR, forced_choice=False)),
    (r"claude-(fable-5-[12]|mythos-5-[12]|opus-5-5)", Claude(("adaptive",), forced_choice=False, **_NEW)),
    (r"claude-(fable|mythos)-5", Claude(("adaptive",), **_NEW)),
    (r"claude-sonnet-5-5", Claude(("adaptive", "between_tools"), forced_choice=False, **_NEW)),
    (r"claude-(opus-5|haiku-5-5)", Claude(high_effort_thinks=True, **_NEW)),
    (r"claude-(sonnet-5|opus-4-8)", Claude(**_NEW)),
    (r"claude-opus-4-7", Claude()),
    (r"claude-(opus|sonnet)-4-6", Claude(("adaptive", "enabled", "disabled"), _FOUR)),
    (r"claude-opus-4-5", Claude(_BUDGET, ("low", "medium", "high"), max_tokens=64_000, **_OLD)),
    (r"claude-(sonnet|haiku)-4-5", Claude(_BUDGET, (), max_tokens=64_000, **_OLD)),
    (r"claude-opus-4", Claude(_BUDGET, (), formats=False, max_tokens=32_000, **_OLD)),
    (r"claude-(sonnet-4|3-7-sonnet)", Claude(_BUDGET, (), formats=False, max_tokens=64_000, **_OLD)),
    (r"claude-3-5", Claude((), (), formats=False, max_tokens=8_192, **_OLD)),
    (r"claude-3", Claude((), (), formats=False, max_tokens=4_096, **_OLD)),
)
_UNKNOWN = Claude(("adaptive", "enabled", "disabled", "between_tools"), system_messages=True)


def claude(model: str) -> Claude:
    """Return what a model accepts; everything, of one that nobody knows."""
    return next((family for pattern, family in _FAMILIES if re.match(pattern, model)), _UNKNOWN)
