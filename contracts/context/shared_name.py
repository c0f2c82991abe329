"""Names of what runs share, such as a ledger: they may name values of a run."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import JsonValue

from ..limits import excess
from ..text import encodable


@dataclass(frozen=True, slots=True)
class SharedName:
    """What a kind of names may be, and what may stand in one."""

    kind: str
    """Such as `ledger`."""
    called: str
    """Such as `the name of a ledger`."""
    has: str
    """What one is said to be made of: such as `a ledger has a name of`."""
    example: str
    shares: str
    """What all of one name have together."""
    max_bytes: int

    def why_not(self, name: str) -> str:
        """Return why there can be no such name; empty where there can."""
        if not name or name != name.strip() or not name.isprintable() or encodable(name) != name:
            return f"{self.has} printable characters, without blanks around it, such as {self.example!r}"
        if (size := len(name.encode())) > self.max_bytes:
            return excess(self.called, size, self.max_bytes)
        return ""

    def why_not_in(self, value: JsonValue) -> str:
        """Return why a name cannot have a value of the context in it; empty where it can.

        Does not tell the value, which may be a secret.
        """
        if not isinstance(value, str | int | float):
            what = "nothing" if value is None else f"a {type(value).__name__}"
            return f"{what} there, and {self.called} takes a text or a number"
        if not str(value).strip():
            return f"an empty text there: all whose text is empty would share one {self.shares}"
        if "{context." in str(value):
            return f"a text with '{{context.' there, and no {self.kind} is called so"
        # Else one could choose a value that makes the name of somebody else, or when a ledger begins anew.
        return f"a text with '/' there, and that divides {self.called}" if "/" in str(value) else ""
