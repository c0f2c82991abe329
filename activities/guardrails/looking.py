"""What each kind of guardrail finds in a text, and where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from ...contracts.errors import SetupError, SpecError
from ...contracts.guardrails.any_guardrail import AnyGuardrail
from ...contracts.guardrails.injection import Injection
from ...contracts.guardrails.redacting import Pii, Secrets
from ...contracts.guardrails.rules import Rules
from ...contracts.guardrails.schema import Schema
from ..not_served import NotServedError
from .broken import Broken
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
            case Rules(on_failure="redact"):
                from .rules.rules import broken_rules  # noqa: PLC0415 - the library is an extra

                return partial(_places, partial(broken_rules, rules=guardrail))
            case _:
                return None
    except ImportError as error:
        raise NotServedError(
            f"the guardrail {guardrail.title} takes {error.name}, which is not installed here: "
            "pip install 'sostenuto[guardrails]'"
        ) from None


def _places(find: Callable[[str], Sequence[Broken]], text: str) -> list[Finding]:
    """Return what rules say is broken somewhere, as findings."""
    placed = ((one.start, one.end) for one in find(text) if one.start is not None and one.end is not None)
    return [Finding("denied", start, end) for start, end in sorted(placed)]


def _but(look: FindIn, allowed: frozenset[str], text: str) -> list[Finding]:
    return [one for one in look(text) if text[one.start : one.end].casefold() not in allowed]


def check_here(guardrail: AnyGuardrail) -> None:
    """Check that a guardrail that says what a text is to be like can be asked here.

    Raises:
        NotServedError: A library is not installed here, or a pattern is none.
    """
    try:
        if isinstance(guardrail, Rules):
            from .rules.rules import check_rules  # noqa: PLC0415 - the library is an extra

            check_rules(guardrail, guardrail.title)
        elif isinstance(guardrail, Schema):
            from .schema.schema_faults import check_schema  # noqa: PLC0415 - the same

            check_schema(guardrail, guardrail.title)
    except (SetupError, SpecError, ImportError) as error:
        raise NotServedError(f"the guardrail {guardrail.title}: {error}") from None
