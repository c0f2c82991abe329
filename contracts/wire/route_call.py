"""One decision of a router: what it is made of, and what comes of it."""

from __future__ import annotations

from pydantic import JsonValue

from ..contract import Contract
from ..specs.router import Rule, Strategy


class RouteOption(Contract):
    """What the decision knows of a route."""

    name: str
    description: str = ""
    examples: tuple[str, ...] = ()
    when: Rule | None = None
    max_difficulty: float = 1.0
    max_tokens: int | None = None
    model: str = ""
    """First model of its runnable, as `provider/model`, where it has one."""


class RouteCall(Contract):
    """Input of a router's decision."""

    strategy: Strategy
    text: str
    options: tuple[RouteOption, ...]
    threshold: float = 0.0
    default: str = ""
    answer: JsonValue = None
    """Strategy `model`: what the model said."""
    unanswered: str = ""
    """Strategy `model`: why it said nothing."""


class RouteChoice(Contract):
    """A router's decision."""

    route: str = ""
    """Empty where the input belongs nowhere and there is no default."""
    confidence: float = 0.0
    """0 to 1."""
    reason: str
    strategy: Strategy
