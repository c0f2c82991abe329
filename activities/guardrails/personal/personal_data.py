"""All personal data of a text."""

from __future__ import annotations

from typing import Final

from ..finding import Finding, without_overlaps
from .accounts import cards, ibans
from .addresses import emails, ip_addresses
from .national_ids import national_ids
from .phones import phones

DETECTORS: Final = {
    "email": emails,
    "iban": ibans,
    "card": cards,
    "national_id": national_ids,
    "ip": ip_addresses,
    "phone": phones,
}
"""What finds each kind, the surest first."""


def personal_data(text: str, kinds: frozenset[str] = frozenset(DETECTORS)) -> list[Finding]:
    """Return the personal data of a text, in its order.

    Args:
        text: The text.
        kinds: Which kinds are looked for.
    """
    return without_overlaps(found for kind, detect in DETECTORS.items() if kind in kinds for found in detect(text))
