"""Who has to say yes before a tool runs, and what exactly the yes is for."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

from pydantic import Field, JsonValue, PrivateAttr, model_validator

from ..contract import Spec, arguments, brief
from ..errors import SpecError
from ..limits import LONGEST_WAIT

USER_VALUE: Final = "user"
"""The value of a run's context that says who asks: with `four_eyes` that person's own yes does not count."""
LEAST_HASH_CHARS: Final = 8
"""Fewest characters of a hash by which a call is named."""

Predicate = Callable[..., Any]
"""Says by the arguments of a call whether somebody is asked."""


class Approval(Spec):
    """What it takes before a tool runs.

    Whose yes, how many of them, and for how long it is waited for.

    `Approval(when=lambda amount: amount > 100, group="finance", expires=timedelta(hours=8))`.
    """

    policy: str = ""
    """Name of an approval of the app, which says all else: `App(approvals={...})`."""
    conditional: bool = False
    """Whether a predicate says which calls ask: it is code, and stays on the worker."""
    group: str = ""
    """Whose yes is wanted. It is shown and can be looked for; who belongs to it is not known here."""
    expires: timedelta | None = Field(default=None, gt=timedelta(0), le=LONGEST_WAIT)
    """After so long the call is not made, and the model is told so. None: it waits for ever."""
    escalate_to: str = ""
    """The group to which it goes when it expires the first time; it then waits as long again."""
    quorum: int = Field(default=1, ge=1, le=20)
    """How many different people have to say yes. One no is enough."""
    four_eyes: bool = False
    """Whether the yes of whoever asked does not count: the `user` of the run's context."""
    grants: bool = False
    """Whether a yes may be for this tool for the rest of the run."""
    question: bool = False
    """Whether the call is a question: it is answered, and nothing runs."""

    _when: Predicate | None = PrivateAttr(None)

    def __init__(
        self,
        *,
        when: Predicate | None = None,
        group: str = "",
        expires: timedelta | None = None,
        escalate_to: str = "",
        quorum: int = 1,
        four_eyes: bool = False,
        grants: bool = False,
        **unknown: Any,
    ) -> None:
        given = arguments(locals())
        given.pop("when")
        if when is not None and not callable(when):
            raise SpecError(f"Approval: when: {brief(when)} is no function of the arguments: lambda amount: amount > 9")
        self._construct({"conditional": when is not None, **given})
        self._when = when

    @classmethod
    def _meant_by(cls, unnamed: object) -> str:
        if isinstance(unnamed, timedelta):
            return "expires"
        return "group" if isinstance(unnamed, str) else "when" if inspect.isfunction(unnamed) else ""

    @model_validator(mode="after")
    def _may_be_reached(self) -> Approval:
        if self.escalate_to and self.expires is None:
            raise ValueError("escalate_to: it goes there when it expires: give expires=")
        return self

    @property
    def when(self) -> Predicate | None:
        """Says which calls ask, where this was made in this process. None: all do."""
        return self._when

    @classmethod
    def of(cls, given: Any, where: str) -> Approval | None:
        """Return the approval that is meant.

        By `True`, the name of one of the app, or one itself.

        Raises:
            SpecError: It is none of them.
        """
        if given is None or given is False:
            return None
        if given is True:
            return cls()
        if isinstance(given, str) and given.strip():
            return cls(policy=given)
        if isinstance(given, Approval):
            return given
        told = "write True, the name of one in App(approvals=...), or Approval(...)"
        if isinstance(given, type) and issubclass(given, Approval):
            told = "write Approval(...), or True where anybody's yes will do"
        elif callable(given):
            told = "where it says which calls ask, write Approval(when=...)"
        raise SpecError(f"{where}: {brief(given)} is no approval: {told}")

    def check_when(self, known: Iterable[str], where: str) -> None:
        """Check that the predicate asks for arguments that the tool has.

        Raises:
            SpecError: It asks for another one.
        """
        if self._when is None:
            return
        known = list(known)
        for name, parameter in _parameters(self._when).items():
            needed = parameter.default is parameter.empty and parameter.kind in _NAMED
            if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL) or (
                needed and name not in known
            ):
                raise SpecError(
                    f"{where}: when: it takes {name!r}, and is given the tool's arguments by their names: "
                    f"{', '.join(known) or 'it has none'}"
                )


def check_approval(approval: Approval, known: Mapping[str, Approval], names: Iterable[str] | None, where: str) -> None:
    """Check that what a tool names is an approval of the app.

    And that the tool has what its predicate asks for.

    Args:
        approval: What the tool says.
        known: The approvals of the app, by name.
        names: The tool's arguments. None: they are not known here.
        where: For the error.

    Raises:
        SpecError: It is not, or has not.
    """
    if approval.policy and approval.policy not in known:
        told = ", ".join(sorted(known)) or "none"
        raise SpecError(
            f"{where}: the app has no approval {approval.policy!r} (it has: {told}): "
            f"name it in App(approvals={{{approval.policy!r}: Approval(...)}})"
        )
    if approval.policy and names is not None:
        known[approval.policy].check_when(names, f"{where}: approval {approval.policy!r}")


_NAMED: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def given_to(predicate: Predicate, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of a call's arguments that a predicate asks for."""
    parameters = _parameters(predicate)
    if any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        return dict(values)
    return {name: value for name, value in values.items() if name in parameters}


def call_hash(tool: str, given: Mapping[str, JsonValue]) -> str:
    """Return what binds a decision to a call.

    It is the SHA-256 of the tool's name and its arguments as JSON.
    """
    written = json.dumps([tool, dict(given)], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256(written.encode()).hexdigest()


def _parameters(predicate: Predicate) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(predicate).parameters
    except (TypeError, ValueError):
        return {}
