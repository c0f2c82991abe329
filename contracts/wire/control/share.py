"""How a nested run asks for more of what is left above it."""

from __future__ import annotations

from pydantic import Field

from ...contract import Contract
from ...control.budget import WhenExhausted


class Portion(Contract):
    """A part of what a budget limits; nothing of what it does not limit."""

    usd: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """US dollars."""
    tokens: int = Field(default=0, ge=0)
    """Tokens in and out."""
    turns: int = Field(default=0, ge=0)
    """Model calls."""


class ShareAsked(Contract):
    """A nested run has too little left for its next call.

    Signal to the run that started it.
    """

    run_id: str
    """Its id."""
    number: int
    """Which of its questions it is, from 1. 0: it is none, and tells what came after one that is not answered yet."""
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
    on_exhausted: tuple[WhenExhausted, ...] = ()
    """What is to happen then."""
