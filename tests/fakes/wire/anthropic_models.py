"""What Anthropic's model families accept.

Sources: platform.claude.com/docs/en/about-claude/models/overview, build-with-claude/adaptive-thinking,
build-with-claude/effort and api/errors; types/model.py of anthropic 2.12.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FIVE = ("low", "medium", "high", "xhigh", "max")


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


_FAMILIES: tuple[tuple[str, Claude], ...] = (
    (r"claude-(fable-5-[12]|mythos|opus-5-5)", Claude(("adaptive",), forced_choice=False)),
    (r"claude-fable-5", Claude(("adaptive",))),
    (r"claude-sonnet-5-5", Claude(("adaptive", "between_tools"), forced_choice=False)),
    (r"claude-(opus|sonnet|haiku)-5|claude-opus-4-[78]", Claude()),
    (r"claude-(opus|sonnet)-4-6", Claude(("adaptive", "enabled", "disabled"), ("low", "medium", "high", "max"))),
    (r"claude-opus-4-5", Claude(("enabled", "disabled"), ("low", "medium", "high"), max_tokens=64_000)),
    (r"claude-(sonnet|haiku)-4-5", Claude(("enabled", "disabled"), (), max_tokens=64_000)),
    (r"claude-opus-4", Claude(("enabled", "disabled"), (), formats=False, max_tokens=32_000)),
    (r"claude-(sonnet-4|3-7-sonnet)", Claude(("enabled", "disabled"), (), formats=False, max_tokens=64_000)),
    (r"claude-3-5", Claude((), (), formats=False, max_tokens=8_192)),
    (r"claude-3", Claude((), (), formats=False, max_tokens=4_096)),
)
_UNKNOWN = Claude(("adaptive", "enabled", "disabled", "between_tools"))


def claude(model: str) -> Claude:
    """Return what a model accepts; everything, of one that nobody knows."""
    return next((family for pattern, family in _FAMILIES if re.match(pattern, model)), _UNKNOWN)
