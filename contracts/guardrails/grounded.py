"""The guardrail that has answers rest on what was read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Literal

from ..contract import arguments, as_tuple
from ..errors import SpecError
from .guardrail import Guardrail, GuardStage, OnError, OnFailure


class Grounded(Guardrail):
    """Finds sentences of an answer that nothing supports which the run has read.

    That is passages and tool results.

    By default the model is told which, and answers again. It compares the words, numbers and negations of sentences, on
    the worker, and asks no model: an answer in other words than its sources is taken for unsupported.
    """

    redacts: ClassVar[bool] = True

    kind: Literal["grounded"] = "grounded"
    at: tuple[GuardStage, ...] = ("output",)
    on_failure: OnFailure = "retry"

    def __init__(
        self,
        *,
        at: Iterable[GuardStage] = ("output",),
        on_failure: OnFailure = "retry",
        on_error: OnError | None = None,
        name: str = "",
        **unknown: Any,
    ) -> None:
        given = arguments(locals())
        if tuple(at) != ("output",):
            raise SpecError("Grounded: at: it looks at answers alone: leave it out")
        self._construct(given | {"at": as_tuple(given["at"], "Grounded: at")})
