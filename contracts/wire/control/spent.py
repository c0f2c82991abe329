"""What a run spent that ended without telling, such as one that was terminated."""

from __future__ import annotations

from ...contract import Contract
from ..totals import Totals


class SpentQuery(Contract):
    """Asks what a run spent, with everything nested in it."""

    run_id: str
    """Its id. Its newest execution, and those before it, are meant."""


class Spent(Contract):
    """What it spent, as its history tells.

    A model call that has no end there is charged as all that was held for it.
    """

    totals: Totals = Totals()
    turns: int = 0
    """Model calls that were answered."""
