"""A ledger: what it is told, and tells."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import Field, model_validator

from ...contract import Contract
from ...control.ledger import Period
from .share import LedgerLimits, Portion, ShareAsked


class LedgerBlock(Contract):
    """What of a ledger one run has."""

    run_id: str
    """Id of the workflow."""
    execution: str
    """Id of its first execution: a later run may have the same id."""
    held: Portion = Portion()
    """What it has and may spend."""
    spent: Portion = Portion()
    """What it told to have spent, in all periods."""
    recalled: bool = False
    """Whether it was asked to give back what it does not need, and has not yet."""


class LedgerChange(Contract):
    """Somebody set the limits of a ledger, or topped it up."""

    at: datetime
    by: str
    """Who did, as they said."""
    note: str = ""
    """Why; cut where it is long."""
    limits: LedgerLimits | None = None
    """Those that were set. None: it was topped up."""
    before: LedgerLimits | None = None
    """Those that were in force before they were set. None: there were none."""
    taken_back: Portion = Portion()
    """What it was topped up by in that period before they were set: they count without it."""
    added: Portion = Portion()
    """What it was topped up by."""
    id: str = ""
    """By which the top-up is known again."""


class LedgerInput(Contract):
    """What a ledger begins with: of a further execution, all that it knows."""

    name: str
    limits: LedgerLimits | None = None
    """As somebody set them. None: nobody did."""
    default: LedgerLimits | None = None
    """Where nobody did, those of the newest run that asked and has any."""
    set_by: str = ""
    """Who set the limits, as they say."""
    note: str = ""
    """Why."""
    since: datetime | None = None
    """When the period began that it counts. None: at no moment, or it has counted nothing yet."""
    topped_up: Portion = Portion()
    """What is allowed in this period beside its limits."""
    top_ups: tuple[str, ...] = ()
    """Ids of the last top-ups, the newest last: one that is sent again is taken once."""
    changes: tuple[LedgerChange, ...] = ()
    """The last ones, the newest last."""
    spent: Portion = Portion()
    """What was spent in this period."""
    blocks: tuple[LedgerBlock, ...] = ()
    """In the order in which their runs asked first."""
    waiting: tuple[ShareAsked, ...] = ()
    """Questions that are not answered, the oldest first."""


class LedgerSet(Contract):
    """The limits of a ledger from now on, all of them. Update."""

    usd: float | None = Field(default=None, ge=0, le=1e12, allow_inf_nan=False)
    """US dollars per period. None: not limited."""
    tokens: int | None = Field(default=None, ge=0, le=10**15)
    """Tokens in and out per period."""
    turns: int | None = Field(default=None, ge=0, le=10**12)
    """Model calls per period."""
    by: str
    """Who says so, as they say: nothing checks it."""
    note: str = ""
    """Why."""

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.usd is None and self.tokens is None and self.turns is None:
            raise ValueError("it limits nothing: give usd, tokens or turns")
        return self


class LedgerTopUp(Contract):
    """What a ledger may spend in this period beside its limits. Update."""

    usd: float = Field(default=0.0, ge=0, le=1e9, allow_inf_nan=False)
    """US dollars."""
    tokens: int = Field(default=0, ge=0, le=10**12)
    """Tokens in and out."""
    turns: int = Field(default=0, ge=0, le=10**9)
    """Model calls."""
    by: str
    """Who allows it, as they say: nothing checks it."""
    note: str = ""
    """Why."""
    id: str = ""
    """By which it is known again. Empty: by that of the update."""


class LedgerQuery(Contract):
    """Asks what a ledger may spend, holds and has spent."""

    at: datetime
    """Now, by the clock of whoever asks: a workflow does not know how late it is while nothing happens in it."""


class LedgerPart(Contract):
    """What one run has of a ledger, or asks it for."""

    run_id: str
    """Id of the run; of a nested run that asks for itself, its own."""
    amount: Portion
    what: str = ""
    """What it asks for that, in words."""


class LedgerState(Contract):
    """What a ledger may spend, holds and has spent."""

    name: str
    period: Period
    began: datetime | None = None
    """When its period began. None: it has none, and counts from its beginning."""
    ends: datetime | None = None
    """When it begins anew. None: never."""
    limits: LedgerLimits | None = None
    """Those in force, without what was topped up. None: it has none, and gives nothing."""
    is_set: bool = False
    """Whether somebody set them; else they are those of a run's own budget."""
    set_by: str = ""
    note: str = ""
    topped_up: Portion = Portion()
    """What is allowed in this period beside."""
    spent: Portion = Portion()
    """What was spent in this period."""
    held: Portion = Portion()
    """What runs have and have not told to be spent."""
    runs: int = 0
    """How many runs have something of it."""
    waiting: int = 0
    """How many questions for more wait."""
    holders: tuple[LedgerPart, ...] = ()
    """What runs have: of at most ten, those that have most."""
    asking: tuple[LedgerPart, ...] = ()
    """The questions that wait: at most ten, the oldest first."""
    changes: tuple[LedgerChange, ...] = ()
    """The last ones, at most twenty, the newest last."""
    repeated: bool = False
    """Of the answer to a top-up: whether it was taken before by its id, and so not again."""


class LedgerHolders(Contract):
    """Asks which runs that have something of a ledger have ended."""

    blocks: tuple[LedgerBlock, ...]


class EndedHolder(Contract):
    """A run that has something of a ledger, and has ended."""

    run_id: str
    execution: str
    spent: Portion | None = None
    """What it spent in all. None: nobody can read that any more."""


class EndedHolders(Contract):
    """Those that have ended, of the runs that were asked for."""

    ended: tuple[EndedHolder, ...] = ()
