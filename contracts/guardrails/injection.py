"""The guardrail against instructions inside untrusted text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Literal

from ..contract import arguments, as_tuple
from .guardrail import Guardrail, GuardStage, OnError, OnFailure

_UNTRUSTED: tuple[GuardStage, ...] = ("tool_result", "passages")


class Injection(Guardrail):
    """Finds instructions inside what tools return and searches find.

    By default that is withheld.

    Found is what hides instructions, in characters that show nothing, or poses as the system or the user of the model;
    what asks in plain words is not. With `taint=True` a run that has read what a tool returned or a search found makes
    no call of a `once` tool before a person said yes to it, whatever was found.
    """

    redacts: ClassVar[bool] = True

    kind: Literal["injection"] = "injection"
    at: tuple[GuardStage, ...] = _UNTRUSTED
    on_failure: OnFailure = "block"
    taint: bool = False
    """Whether `once` tools take an approval once untrusted text was read."""
    trusted: tuple[str, ...] = ()
    """Names of tools, searches and nested runnables whose texts are as good as the asker's own words."""

    def __init__(
        self,
        *,
        taint: bool = False,
        trusted: Iterable[str] = (),
        at: Iterable[GuardStage] = _UNTRUSTED,
        on_failure: OnFailure = "block",
        on_error: OnError | None = None,
        name: str = "",
        **unknown: Any,
    ) -> None:
        given = arguments(locals())
        self._construct(given | {field: as_tuple(given[field], f"Injection: {field}") for field in ("trusted", "at")})
