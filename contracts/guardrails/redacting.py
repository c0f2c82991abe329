"""Guardrails that find values in texts, and take them out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Literal

from pydantic import Field

from ..contract import arguments, as_tuple
from .guardrail import STAGES, Guardrail, GuardStage, OnError, OnFailure

PiiKind = Literal["email", "phone", "iban", "card", "national_id", "ip"]
"""Kinds of personal data that are found."""


class Pii(Guardrail):
    """Finds personal data, and by default redacts it.

    A placeholder such as `<EMAIL_K7QM2XPD>` takes its place.

    The same value has the same placeholder all over a run. With vault keys (`SOSTENUTO_VAULT_KEYS`) the original rests
    in the history as ciphertext, and is restored by the client that shows the answer and for tools with `pii=True`;
    without, it is gone for good.
    """

    redacts: ClassVar[bool] = True
    by_sentence: ClassVar[bool] = True

    kind: Literal["pii"] = "pii"
    at: tuple[GuardStage, ...] = STAGES
    on_failure: OnFailure = "redact"
    kinds: tuple[PiiKind, ...] = ()
    """What is looked for. Empty: all kinds."""
    allowed: tuple[str, ...] = ()
    """Values that are no secret, such as the address of one's own support."""
    reversible: bool = True
    """Whether the originals are kept, as ciphertext, where there are vault keys."""

    def __init__(
        self,
        *,
        kinds: Iterable[PiiKind] = (),
        allowed: Iterable[str] = (),
        reversible: bool = True,
        at: Iterable[GuardStage] = STAGES,
        on_failure: OnFailure = "redact",
        on_error: OnError | None = None,
        name: str = "",
        **unknown: Any,
    ) -> None:
        given = arguments(locals())
        self._construct(
            given | {field: as_tuple(given[field], f"Pii: {field}") for field in ("kinds", "allowed", "at")}
        )


class Secrets(Guardrail):
    """Finds keys, tokens, passwords and connection strings.

    By default they are taken out for good.
    """

    redacts: ClassVar[bool] = True
    by_sentence: ClassVar[bool] = True

    kind: Literal["secrets"] = "secrets"
    at: tuple[GuardStage, ...] = STAGES
    on_failure: OnFailure = "redact"
    reversible: bool = Field(default=False)
    """Whether the originals are kept, as ciphertext, where there are vault keys."""

    def __init__(
        self,
        *,
        reversible: bool = False,
        at: Iterable[GuardStage] = STAGES,
        on_failure: OnFailure = "redact",
        on_error: OnError | None = None,
        name: str = "",
        **unknown: Any,
    ) -> None:
        given = arguments(locals())
        self._construct(given | {"at": as_tuple(given["at"], "Secrets: at")})
