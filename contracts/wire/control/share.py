"""How a run asks for more: of what is left above it, or of a ledger."""

from __future__ import annotations

from pydantic import Field

from ...contract import Contract
from ...control.budget import WhenExhausted


class Portion(Contract):
    """A part of what a budget limits; nothing of what it does not limit."""

    usd: float = Field(default=0.0, ge=0, le=1e15, allow_inf_nan=False)
    """US dollars."""
    tokens: int = Field(default=0, ge=0, le=10**18)
    """Tokens in and out."""
    turns: int = Field(default=0, ge=0, le=10**18)
    """Model calls."""


class LedgerLimits(Contract):
    """What may be spent of a ledger in a period. None: as much as anybody likes."""

    usd: float | None = None
    """US dollars."""
    tokens: int | None = None
    """Tokens in and out."""
    turns: int | None = None
    """Model calls."""


class OfLedger(Contract):
    """What a run tells the ledger that it asks."""

    execution: str
    """Id of the run's first execution."""
    default: LedgerLimits | None = None
    """Limits of the ledger where nobody set any. None: its budget says none."""
    keep: float = 0.0
    """Which part of the limits is kept for last answers."""
    told: Portion = Portion()
    """What the run told this ledger before to have spent."""


class ShareAsked(Contract):
    """A run has too little left for its next call.

    Signal to the run that started it, or to the ledger that it spends from.
    """

    run_id: str
    """Its id."""
    number: int
    """Which of its questions it is. 0: it is none, and only tells what is given back and spent."""
    need: Portion
    """What that call may cost."""
    what: str
    """The call, in words."""
    back: Portion = Portion()
    """What it gives back until then: all that it has left and does not hold."""
    spent: Portion = Portion()
    """What it spent since it asked before."""
    last: bool = False
    """Whether the call is for its last answer."""
    wait: bool = False
    """Whether it is waited for a top-up where there is not enough."""
    until: float | None = None
    """Seconds since 1970 until which that is waited for. None: as long as it takes."""
    withdraws: int = 0
    """Number of a question that is waited for no longer. 0: of none."""
    of: OfLedger | None = None
    """Of a question to a ledger, what that has to know."""


class ShareGiven(Contract):
    """The answer. Signal to the nested run."""

    number: int
    given: Portion = Portion()
    until: float | None = None
    """Seconds since 1970 at which no further model call begins, where that was waited for."""
    refused: str = ""
    """Why it is given nothing; empty where it is."""
    limit: str = ""
    """Which limit is not enough, where it is refused."""
    missing: Portion = Portion()
    """What a ledger lacks for it, where it is refused; nothing where it has no limits."""
    on_exhausted: tuple[WhenExhausted, ...] = ()
    """What is to happen then."""
    by: str = ""
    """Id of the workflow that gives."""
    used: float = 0.0
    """Which part of its tightest limit a ledger has spent, where that is nearly all."""


class ShareRecalled(Contract):
    """What is not needed at the moment is to be given back: others wait.

    As soon as there is something. Signal to what has a part of it. It is answered once, by a `ShareAsked`.
    """

    by: str
    """Id of the workflow that wants it: the run above, or a ledger."""
