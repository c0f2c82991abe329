"""What each kind of guardrail finds in a text, and where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from ...contracts.guardrails.any_guardrail import AnyGuardrail
from ...contracts.guardrails.injection import Injection
from ...contracts.guardrails.redacting import Pii, Secrets
from ..not_served import NotServedError
from .finding import Finding

FindIn = Callable[[str], Sequence[Finding]]
"""Returns what is found in a text."""


def look_of(guardrail: AnyGuardrail) -> FindIn | None:
    """Return what finds in a text what a guardrail looks for.

    None where it does not say where in a text something is.

    Raises:
        NotServedError: A library is not installed here; names it, and how to install it.
    """
    try:
        match guardrail:
            case Pii():
                from .personal.personal_data import DETECTORS, personal_data  # noqa: PLC0415 - the library is an extra

                kinds = frozenset(guardrail.kinds or DETECTORS)
                look = partial(personal_data, kinds=kinds)
                return (
                    partial(_but, look, frozenset(map(str.casefold, guardrail.allowed))) if guardrail.allowed else look
                )
            case Secrets():
                from .secrets.secrets import secrets  # noqa: PLC0415 - only where it is wanted

                return secrets
            case Injection():
                from .injection.instructions import instructions  # noqa: PLC0415 - only where it is wanted

                return instructions
            case _:
                return None
    except ImportError as error:
        raise NotServedError(
            f"the guardrail {guardrail.title} takes {error.name}, which is not installed here: "
            "pip install 'sostenuto[guardrails]'"
        ) from None


def _but(look: FindIn, allowed: frozenset[str], text: str) -> list[Finding]:
    return [one for one in look(text) if text[one.start : one.end].casefold() not in allowed]
