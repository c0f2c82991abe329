"""What OpenAI's model families accept, as their documentation and reports of their errors tell.

Sources: platform.openai.com/docs/models, the docstrings of the openai package, and the issues that the rules name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tests.fakes.wire.rule import Json

_ALL = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True)
class Family:
    """What the models of a family accept."""

    efforts: tuple[str, ...] = _ALL
    """Values of the reasoning effort. Empty: the models do not reason."""
    effort: str = "medium"
    """How hard the models think where nobody says."""
    sampling: bool = True
    """Whether temperature and top_p are taken while the model reasons."""
    stop: bool = True
    """Whether stop sequences are taken."""
    tools_in_chat: bool = True
    """Whether Chat Completions takes functions while the model reasons."""
    parallel_without_tools: bool = False
    """Whether it may be said that calls be not parallel where there are no tools."""
    instructions: bool = True
    """Whether there is a role for instructions."""
    short_cache: bool = True
    """Whether a prompt can be kept in memory alone."""
    max_output_tokens: int = 1_000_000
    strict: bool = True
    """Whether strict schemas are enforced."""
    images: bool = True

    @property
    def reasons(self) -> bool:
        """Whether the models reason."""
        return bool(self.efforts)


_OLD = ("low", "medium", "high")
_UP_TO_XHIGH = ("none", "low", "medium", "high", "xhigh")
_NEWEST: dict[str, Any] = {"tools_in_chat": False, "parallel_without_tools": True, "short_cache": False}


def _new(*efforts: str, **other: Any) -> Family:
    return Family(efforts, **({"sampling": False, "stop": False, "max_output_tokens": 128_000} | other))


_FAMILIES: tuple[tuple[str, Family], ...] = (
    (r"gpt-5\.[23]-chat", _new("medium", max_output_tokens=16_384)),
    (r"gpt-5(\.\d+)?-chat|chatgpt-", Family((), max_output_tokens=16_384)),
    (r"gpt-6-astra", _new("low", "medium", "high", "xhigh", **_NEWEST)),
    (r"gpt-5\.[6-9]|gpt-[6-9]", _new(*_UP_TO_XHIGH, "max", **_NEWEST)),
    (r"gpt-5\.[2-5]-pro", _new("medium", "high", "xhigh")),
    (r"gpt-5\.5", _new(*_UP_TO_XHIGH, short_cache=False)),
    (r"gpt-5\.4", _new(*_UP_TO_XHIGH, effort="none", tools_in_chat=False)),
    (r"gpt-5\.[23]", _new(*_UP_TO_XHIGH, effort="none")),
    (r"gpt-5\.1", _new("none", "low", "medium", "high", effort="none")),
    (r"gpt-5-pro", _new("high", effort="high")),
    (r"gpt-5", _new("minimal", "low", "medium", "high", max_output_tokens=128_000)),
    (r"o1-mini|o1-preview", Family((), sampling=False, strict=False, images=False, instructions=False)),
    (r"o3-mini", _new(*_OLD, images=False, max_output_tokens=100_000)),
    (r"o\d", _new(*_OLD, max_output_tokens=100_000)),
    (r"gpt-4\.1", Family((), max_output_tokens=32_768)),
    (r"gpt-4o-2024-05-13", Family((), max_output_tokens=4_096, strict=False)),
    (r"gpt-4o", Family((), max_output_tokens=16_384)),
    (r"gpt-4-turbo", Family((), max_output_tokens=4_096, strict=False)),
    (r"gpt-3\.5|gpt-4", Family((), max_output_tokens=4_096, strict=False, images=False)),
)
_UNKNOWN = Family()


def is_fine_tuned(model: str) -> bool:
    """Return whether a model is fine-tuned."""
    return model.startswith("ft:")


def family_of(model: str) -> Family:
    """Return what a model accepts; everything, of one that nobody knows."""
    base = model.removeprefix("ft:").rpartition("/")[2]
    return next((family for pattern, family in _FAMILIES if re.match(pattern, base)), _UNKNOWN)


def family_in(body: Json) -> Family:
    """Return what the model of a request accepts."""
    return family_of(str(body.get("model", "")))


def reasons_on_o(body: Json) -> bool:
    """Return whether the model of a request is one of the o series."""
    return re.match(r"o\d", str(body.get("model", ""))) is not None
