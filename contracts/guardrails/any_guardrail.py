"""Any guardrail: a union over every kind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from ..contract import as_tuple, brief
from ..errors import SpecError
from .by_model import Judge, Moderation
from .custom import Custom
from .guardrail import Guardrail
from .injection import Injection
from .redacting import Pii, Secrets
from .rules import Rules
from .schema import Schema


def _checked(value: Any) -> Any:
    if isinstance(value, Guardrail | dict):
        return value
    raise ValueError(f"{brief(value)} is not a guardrail: write Pii(), Secrets(), Injection(), Custom(function), …")


AnyGuardrail = Annotated[
    Pii | Secrets | Injection | Rules | Schema | Custom | Judge | Moderation,
    Field(discriminator="kind"),
    BeforeValidator(_checked),
]
"""A guardrail of any kind."""


def check_guardrails(given: Any, where: str) -> tuple[AnyGuardrail, ...]:
    """Return guardrails that were given as a list.

    Raises:
        SpecError: It is none, something in it is no guardrail, or two have one name and differ; names it.
    """
    found: dict[str, Guardrail] = {}
    guardrails: tuple[Any, ...] = as_tuple(given, where)
    for index, one in enumerate(guardrails):
        try:
            _checked(one)
        except ValueError as error:
            raise SpecError(f"{where}[{index}]: {error}") from None
        if not isinstance(one, Guardrail):
            continue  # As JSON, from a history.
        if found.get(one.title) == one:
            continue
        if one.title in found:
            raise SpecError(f"{where}[{index}]: there is already another guardrail {one.title!r}: give one a name=")
        found[one.title] = one
    return guardrails


def every_guardrail(*several: Iterable[AnyGuardrail]) -> tuple[AnyGuardrail, ...]:
    """Return all of several guardrails, each once, in their order."""
    kept: list[AnyGuardrail] = []
    for one in (one for guardrails in several for one in guardrails):
        if one not in kept:
            kept.append(one)
    return tuple(kept)
