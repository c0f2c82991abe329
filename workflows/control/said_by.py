"""What is asked of whoever decides something.

Only validators of updates may call this, as they compare names: see `person`.
"""

from __future__ import annotations

from ...contracts.control.person import person
from ...contracts.text import printable

MOST_BY_CHARS = 200
MOST_NOTE_CHARS = 2_000


def why_not_said_by(by: str, note: str) -> str:
    """Return why something cannot be taken from somebody; empty where it can.

    Args:
        by: Who says so.
        note: Why.
    """
    if not person(by) or len(by) > MOST_BY_CHARS or printable(by) != by:
        return f"by= says who decides, in 1 to {MOST_BY_CHARS} printable characters"
    if len(note) > MOST_NOTE_CHARS:
        return f"the note has {len(note):,} characters and the limit is {MOST_NOTE_CHARS:,}"
    return ""
