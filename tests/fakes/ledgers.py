"""What tests ask of ledgers."""

from __future__ import annotations

from sostenuto import LedgerState
from sostenuto.contracts.wire.control.share import Portion


def nothing_held(state: LedgerState) -> bool:
    """Whether no run has anything of a ledger, and none waits for it."""
    return (state.held, state.runs, state.waiting) == (Portion(), 0, 0)
