"""Who limited a ledger or topped it up, when and why."""

from __future__ import annotations

from datetime import datetime

from ...contracts.text import shorten
from ...contracts.wire.control.ledger import LedgerChange, LedgerInput, LedgerSet, LedgerTopUp
from ...contracts.wire.control.share import LedgerLimits, Portion

MOST_KNOWN_TOP_UPS = 100
"""So many top-ups are known again."""

MOST_CHANGES = 20
"""So many changes are told."""

_NOTE_CHARS = 300


class Changes:
    """The last changes of a ledger.

    Args:
        begun: What the ledger begins with.
    """

    def __init__(self, begun: LedgerInput) -> None:
        self.top_ups = [*begun.top_ups]
        """Ids of the last top-ups, the newest last."""
        self.last = [*begun.changes]
        """The newest last."""

    def set(self, said: LedgerSet, at: datetime, before: LedgerLimits | None, taken_back: Portion) -> LedgerLimits:
        """Note that somebody set limits; return them."""
        limits = LedgerLimits(usd=said.usd, tokens=said.tokens, turns=said.turns)
        note = shorten(said.note, _NOTE_CHARS)
        self._add(LedgerChange(at=at, by=said.by, note=note, limits=limits, before=before, taken_back=taken_back))
        return limits

    def top_up(self, said: LedgerTopUp, top_up_id: str, at: datetime) -> None:
        """Note that somebody topped it up."""
        self.top_ups = [*self.top_ups[1 - MOST_KNOWN_TOP_UPS :], top_up_id]
        added, note = Portion(usd=said.usd, tokens=said.tokens, turns=said.turns), shorten(said.note, _NOTE_CHARS)
        self._add(LedgerChange(at=at, by=said.by, note=note, added=added, id=top_up_id))

    def _add(self, change: LedgerChange) -> None:
        self.last = [*self.last[1 - MOST_CHANGES :], change]
