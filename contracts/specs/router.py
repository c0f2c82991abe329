"""The router: one of several runnables takes the input.

Why it was that one is on record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, JsonValue, field_validator, model_validator
from typing_extensions import override

from ..contract import OutT_co, Spec, arguments
from ..control.budget import Budget
from ..guardrails.guardrail import Guardrail
from ..model import Model
from .node import Name, Node, check_distinct, check_runnable

if TYPE_CHECKING:
    from .runnable import Runnable

Strategy = Literal["model", "embedding", "rules", "complexity"]


class Rule(Spec):
    """What an input must be like for a route of strategy `rules`.

    Everything that is set must hold.
    """

    min_chars: int | None = Field(default=None, ge=0)
    """Fewest characters of the input's text."""
    max_chars: int | None = Field(default=None, ge=0)
    """Most characters of the input's text."""
    pattern: str = ""
    """Regular expression (Python's `re`) that is found in the text, case ignored."""
    metadata: dict[str, JsonValue] = {}
    """Fields that the input, a JSON object, has with these values."""
    context: dict[str, JsonValue] = {}
    """What the run's context has, by name, as in `{"plan": "pro"}` or `{"user.country": "CH"}`."""
    known: dict[str, JsonValue] = {}
    """What the context of the run at hand has under these names: filled in when it begins."""

    def __init__(
        self,
        *,
        min_chars: int | None = None,
        max_chars: int | None = None,
        pattern: str = "",
        metadata: Mapping[str, JsonValue] | None = None,
        context: Mapping[str, JsonValue] | None = None,
        **unknown: Any,
    ) -> None:
        self._construct({**arguments(locals()), "metadata": metadata or {}, "context": context or {}})

    @model_validator(mode="after")
    def _may_hold(self) -> Rule:
        if self.min_chars is not None and self.max_chars is not None and self.min_chars > self.max_chars:
            raise ValueError(f"min_chars: it is {self.min_chars}, more than max_chars={self.max_chars}: it never holds")
        return self

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
        return pattern


class Route(Spec):
    """One way that an input can go."""

    name: Name
    run: Runnable
    description: str = ""
    """What belongs here, in a sentence. Default: what the runnable says of itself."""
    examples: tuple[str, ...] = ()
    """Inputs that belong here."""
    when: Rule | None = None
    """Strategy `rules`: when this route is taken. The first that holds wins; without a rule a route is never taken
    but as the default."""
    max_difficulty: float = Field(default=1.0, ge=0, le=1)
    """Strategy `complexity`: hardest input that this route is good enough for, 0 to 1."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Strategy `complexity`: longest input that fits its context, in tokens. None: no bound."""

    def __init__(
        self,
        run: Node,
        *,
        name: str = "",
        description: str = "",
        examples: Iterable[str] = (),
        when: Rule | None = None,
        max_difficulty: float = 1.0,
        max_tokens: int | None = None,
        **unknown: Any,
    ) -> None:
        given = arguments(locals())
        given |= {"name": name or getattr(run, "name", "unnamed"), "description": description or _about(run)}
        self._construct(given)

    @model_validator(mode="before")
    @classmethod
    def _of_runnable(cls, data: Any) -> Any:
        if isinstance(data, Node):
            return {"name": data.name, "run": data, "description": data.about()}
        return data if isinstance(data, Route) else check_runnable(data)


def _about(run: object) -> str:
    return run.about() if isinstance(run, Node) else ""


class Router(Node[OutT_co]):
    """Sends its input to one of its routes.

    `Router(name="desk", routes=[billing, technical], default="billing")`.

    Strategies: `model` asks a model, which gives a reason; `embedding` compares the input with descriptions and
    examples; `rules` takes the first route whose rule holds; `complexity` takes the cheapest route that is good enough
    for an input as hard and as long as this one.
    """

    kind: Literal["router"] = "router"
    routes: tuple[Route, ...] = Field(min_length=1)
    strategy: Strategy
    model: Model | None = None
    """Strategy `model`: who decides."""
    threshold: float = Field(default=0.0, ge=0, le=1)
    """Least confidence, 0 to 1. An input that is less clear takes the default route."""
    default: str = ""
    """Route of an input that belongs nowhere, or not clearly. Empty: there the router fails."""

    def __init__(
        self,
        *,
        name: str,
        routes: Iterable[Node | Route],
        strategy: Strategy | None = None,
        model: Model | str | None = None,
        threshold: float = 0.0,
        default: str = "",
        description: str = "",
        budget: Budget | None = None,
        guardrails: Iterable[Guardrail] = (),
        **unknown: Any,
    ) -> None:
        self._construct({**arguments(locals()), "strategy": strategy or ("model" if model else "embedding")})

    @model_validator(mode="after")
    def _whole(self) -> Router:
        check_distinct((f"routes[{index}]", route.name) for index, route in enumerate(self.routes))
        known = [route.name for route in self.routes]
        if self.default and self.default not in known:
            raise ValueError(f"default: there is no route {self.default!r}: there are {', '.join(known)}")
        if self.threshold and not self.default:
            raise ValueError("threshold: an input below it takes the default route: name it in default=")
        if self.strategy == "model" and self.model is None:
            raise ValueError("model: strategy='model' asks one: name it")
        if self.strategy != "model" and self.model is not None:
            raise ValueError(f"model: strategy={self.strategy!r} asks none: leave it out")
        for index, route in enumerate(self.routes):
            self._check_route(f"routes[{index}] ({route.name})", route)
        return self

    def _check_route(self, place: str, route: Route) -> None:
        if self.strategy == "rules" and route.when is None and route.name != self.default:
            raise ValueError(f"{place}: it has no when=Rule(...) and is not the default: it is never taken")
        if self.strategy != "rules" and route.when is not None:
            raise ValueError(f"{place}: when: it goes with strategy='rules', not with {self.strategy!r}")
        if self.strategy != "complexity" and (route.max_difficulty != 1.0 or route.max_tokens is not None):
            raise ValueError(
                f"{place}: max_difficulty and max_tokens go with strategy='complexity', not with {self.strategy!r}"
            )

    @override
    def children(self) -> Iterator[tuple[str, Node]]:
        yield from ((f"routes[{index}]", route.run) for index, route in enumerate(self.routes))

    @override
    def needs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for route in self.routes for name in route.run.needs()))

    @property
    @override
    def models(self) -> Mapping[str, Model]:
        return {"model": self.model} if self.model else {}
