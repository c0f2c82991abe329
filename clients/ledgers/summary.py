"""A ledger in the list of them."""

from __future__ import annotations

from datetime import datetime

from ...contracts.contract import Contract
from ...contracts.wire.control.ledger import LedgerState


class LedgerSummary(Contract):
    """A ledger, and what it says of itself, where somebody answers for it."""

    name: str
    since: datetime
    """When its workflow began, or went on in a history of its own."""
    state: LedgerState | None = None
    """What it may spend, holds and has spent. None: no worker answers for it."""
