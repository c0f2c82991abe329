"""Ledgers: what many runs spend from together."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from pydantic import Field, field_validator

from .. import names
from ..context.shared_name import SharedName
from ..contract import Spec, arguments
from ..errors import SpecError

MAX_LEDGER_BYTES: Final = 200
"""Longest name of a ledger: it is part of a workflow's id."""

LEDGER_NAME: Final = SharedName(
    kind="ledger",
    called="the name of a ledger",
    has="a ledger has a name of",
    example="tenant:acme/day",
    shares="ledger",
    max_bytes=MAX_LEDGER_BYTES,
)

_IN_BRACES = re.compile(r"\{context\.[^{}]*\}")
_MONTHS = 12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Period(StrEnum):
    """After which time a ledger begins anew, by UTC."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    FIXED = "fixed"
    """Never."""

    @classmethod
    def of(cls, ledger: str) -> Period:
        """Return the period that the name of a ledger ends with, as in `team/day`."""
        _, slash, last = ledger.rpartition("/")
        return cls(last) if slash and last in (cls.HOUR, cls.DAY, cls.MONTH) else cls.FIXED

    def begins(self, now: datetime) -> datetime | None:
        """Return when the period began that a moment is in. None: before all time."""
        # By UTC, whatever zone the moment is given in.
        hour = (_EPOCH + (now - _EPOCH)).replace(minute=0, second=0, microsecond=0)
        match self:
            case Period.HOUR:
                return hour
            case Period.DAY:
                return hour.replace(hour=0)
            case Period.MONTH:
                return hour.replace(hour=0, day=1)
            case Period.FIXED:
                return None

    def ends(self, now: datetime) -> datetime | None:
        """Return when the period of a moment in UTC ends. None: never."""
        began = self.begins(now)
        if began is None:
            return None
        if self is Period.MONTH:
            years, month = divmod(began.month, _MONTHS)
            return began.replace(year=began.year + years, month=month + 1)
        return began + (timedelta(hours=1) if self is Period.HOUR else timedelta(days=1))


class Ledger(Spec):
    """What many runs spend from together.

    As in `Budget(ledger=Ledger("tenant:{context.tenant}/day", usd=5))`. The end of its name says when it begins anew:
    `/hour`, `/day`, `/month`, by UTC; any other name never. Its limits are those that `client.ledgers.set` or
    `sostenuto ledger set` gave it, and where nobody did, these.
    """

    name: str
    """The same for all that share it. Names in braces stand for values of the run's context."""
    usd: float | None = Field(default=None, gt=0, le=1e12, allow_inf_nan=False)
    """US dollars per period."""
    tokens: int | None = Field(default=None, ge=1, le=10**15)
    """Tokens in and out per period."""
    turns: int | None = Field(default=None, ge=1, le=10**12)
    """Model calls per period."""

    fills = {"name": False}

    def __init__(
        self,
        name: str,
        *,
        usd: float | None = None,
        tokens: int | None = None,
        turns: int | None = None,
        **unknown: Any,
    ) -> None:
        self._construct(arguments(locals()))

    @field_validator("name")
    @classmethod
    def _is_name(cls, name: str) -> str:
        if why := LEDGER_NAME.why_not(name):
            raise ValueError(why)
        return name


def ledger_workflow_id(name: str) -> str:
    """Return the id of the workflow that keeps a ledger."""
    return names.LEDGER_ID + name


def check_ledger_name(name: object) -> str:
    """Return the name of a ledger that there may be.

    Raises:
        SpecError: It cannot have that name, or has names in braces that nobody fills in; says why.
    """
    if not isinstance(name, str):
        raise SpecError(f"ledger: a {type(name).__name__} is no name: write a text such as 'tenant:acme/day'")
    if why := LEDGER_NAME.why_not(name):
        raise SpecError(f"ledger {name!r}: {why}")
    if named := _IN_BRACES.search(name):
        raise SpecError(
            f"ledger {name!r}: {named[0]} stands for a value of a run's context: write the value of the run that is "
            "meant, such as 'tenant:acme/day'"
        )
    return name
