"""Guardrails that ask a model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Literal

from pydantic import Field

from ..contract import arguments, as_tuple
from ..model import Model
from .guardrail import Guardrail, GuardStage, OnError, OnFailure


class Judge(Guardrail):
    """A model that says whether a text keeps to a policy.

    `Judge("openai/gpt-5.4-mini", "No promises about delivery dates.")`. It costs a model call for each text, which the
    budgets of the run pay.
    """

    of_model: ClassVar[bool] = True

    kind: Literal["judge"] = "judge"
    at: tuple[GuardStage, ...] = ("output",)
    on_failure: OnFailure = "block"
    model: Model
    policy: str = Field(min_length=1)
    """What the text has to keep to, in plain words."""

    def __init__(
        self,
        model: Model | str,
        policy: str,
        *,
        at: Iterable[GuardStage] = ("output",),
        on_failure: OnFailure = "block",
        on_error: OnError | None = None,
        name: str = "",
        **unknown: Any,
    ) -> None:
        given = arguments(locals())
        self._construct(given | {"at": as_tuple(given["at"], "Judge: at")})


class Moderation(Guardrail):
    """A provider's own endpoint that says whether a text is harmful.

    By hate, violence, self-harm, and the like. Of those providers that have one; OpenAI's costs nothing.
    """

    of_model: ClassVar[bool] = True

    kind: Literal["moderation"] = "moderation"
    at: tuple[GuardStage, ...] = ("input", "output")
    on_failure: OnFailure = "block"
    model: Model
    categories: tuple[str, ...] = ()
    """Which of the provider's categories count, such as `violence`. Empty: all."""

    def __init__(
        self,
        model: Model | str = "openai/omni-moderation-latest",
        *,
        categories: Iterable[str] = (),
        at: Iterable[GuardStage] = ("input", "output"),
        on_failure: OnFailure = "block",
        on_error: OnError | None = None,
        name: str = "",
        **unknown: Any,
    ) -> None:
        given = arguments(locals())
        lists = {field: as_tuple(given[field], f"Moderation: {field}") for field in ("categories", "at")}
        self._construct(given | lists)
