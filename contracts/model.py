"""How a model is named, called and answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Literal

from pydantic import Field, JsonValue, field_validator, model_validator

from .contract import Contract, Spec, arguments, as_tuple, brief
from .control.price import Price

ReasoningEffort = Literal["off", "low", "medium", "high"]

_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]*/\S+\Z")


ANY_TOOL: Final = "required"
"""The choice of a tool that demands a call of any."""


class Model(Spec):
    """A model and how to call it.

    `Model("anthropic/claude-sonnet-5-5", fallbacks=["openai/gpt-5.5"])`.

    A plain `"provider/model"` string is accepted wherever a Model is. Fallbacks are tried in order when a
    call fails for good; each has its own settings, and a fallback given as a string has the defaults.
    """

    name: str
    """`provider/model`. Provider: `anthropic`, `openai`, `local`, or a compatible one from the worker's settings."""
    fallbacks: tuple[Model, ...] = ()
    """Models to go on with, in order. They have no fallbacks of their own."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    """Sampling temperature, 0 to 2. None leaves the provider's default."""
    max_output_tokens: int | None = Field(default=None, ge=1)
    """Most tokens one answer may have. None leaves the model's usual limit, and more where that was too short."""
    reasoning: ReasoningEffort | None = None
    """How hard to think. None leaves the provider's default."""
    timeout: timedelta = Field(default=timedelta(minutes=5), gt=timedelta(0), le=timedelta(hours=1))
    """Longest one attempt of one call may take, up to an hour."""
    retries: int | None = Field(default=None, ge=0, le=100)
    """Further attempts of one call after an error that may pass. None: as many as an outage of ten minutes takes."""
    fallback_after: timedelta = Field(default=timedelta(seconds=2), ge=timedelta(0), le=timedelta(hours=1))
    """How long errors that may pass are waited out before the next fallback is asked, where there is one."""
    seed: int | None = None
    """Where the model takes one, the same prompt is answered much alike. None leaves it to chance."""
    stop: tuple[str, ...] = Field(default=(), max_length=4)
    """Texts at which an answer ends. Not every provider takes them."""
    service_tier: str | None = None
    """How the provider is to treat the call, in its own words, such as `flex` or `priority`."""
    options: dict[str, JsonValue] = {}
    """Merged into the provider's request body as they are, for what has no name here."""
    price: Price | None = None
    """What it costs. None: what the price list says."""

    def __init__(
        self,
        name: str,
        *,
        fallbacks: Sequence[Model | str] = (),
        temperature: float | None = None,
        max_output_tokens: int | None = None,
        reasoning: ReasoningEffort | None = None,
        timeout: timedelta = timedelta(minutes=5),
        retries: int | None = None,
        fallback_after: timedelta = timedelta(seconds=2),
        seed: int | None = None,
        stop: Sequence[str] = (),
        service_tier: str | None = None,
        options: dict[str, JsonValue] | None = None,
        price: Price | None = None,
        **unknown: Any,
    ) -> None:
        self._construct({**arguments(locals()), "options": options or {}, "stop": as_tuple(stop, "Model: stop")})

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, data: Any) -> Any:
        if isinstance(data, str):
            return {"name": data}
        if isinstance(data, Model | Mapping):
            return data
        raise ValueError(f"{brief(data)} is not a model: name one as 'provider/model'")

    @field_validator("name")
    @classmethod
    def _provider_slash_model(cls, name: str) -> str:
        if not _NAME.match(name):
            raise ValueError(f"{name!r} is not provider/model, such as anthropic/claude-sonnet-5-5")
        return name

    @field_validator("fallbacks")
    @classmethod
    def _flat(cls, fallbacks: tuple[Model, ...]) -> tuple[Model, ...]:
        for index, fallback in enumerate(fallbacks):
            if fallback.fallbacks:
                raise ValueError(f"fallbacks[{index}] has fallbacks of its own: list them all on the first model")
        return fallbacks

    @property
    def provider(self) -> str:
        """The part before the slash."""
        return self.name.partition("/")[0]

    @property
    def model(self) -> str:
        """The part after the first slash: the provider's own name of the model."""
        return self.name.partition("/")[2]

    @property
    def choices(self) -> tuple[Model, ...]:
        """This model, then its fallbacks."""
        return (self, *self.fallbacks)


class OutputSchema(Contract):
    """The form that an agent's answer must have."""

    name: str
    """Name of the type, at most 64 characters of `[A-Za-z0-9_-]`."""
    json_schema: dict[str, Any]
    """JSON Schema (2020-12) of the answer, an object."""
    wrapped: bool = False
    """Whether the answer proper is the field `value` of that object, being none itself."""
    cited: bool = False
    """Whether its claims name passages, which have to be some that the run's searches found: see `Cited`."""
