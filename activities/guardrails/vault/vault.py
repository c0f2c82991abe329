"""Where values are hidden."""

from __future__ import annotations

from dataclasses import dataclass

from .keys import VaultKeys
from .placeholders import placeholder_of
from .sealing import Seal


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is left of a value once it is hidden."""

    placeholder: str
    """What stands for it, such as `<EMAIL_K7QM2XPD>`; `<EMAIL>` where it cannot be had back."""
    sealed: str | None
    """The token of which whoever has the key gets it back; None without a key."""


class Vault:
    """Hides values of one scope.

    The same value has the same placeholder and the same token, wherever and however often it is hidden, as long as the
    first key is the same: what runs side by side, or again, agrees without being told.

    Args:
        keys: The first of them seals. None: what is hidden is gone for good.
        scope: Id of the root run or of the chat. What is sealed in it opens nowhere else.
    """

    def __init__(self, keys: VaultKeys | None, scope: str) -> None:
        self._seal = Seal(keys.first, scope) if keys else None

    def hide(self, kind: str, value: str) -> Hidden:
        """Return what stands for a value, and the value sealed.

        Args:
            kind: What it is, such as `email`: 1 to 32 lower-case letters, digits and `_`, a letter first.
            value: As it stands in the text.

        Raises:
            SpecError: The kind has no such name.
        """
        if self._seal is None:
            return Hidden(placeholder_of(kind), None)
        placeholder = self._seal.placeholder(kind, value)
        return Hidden(placeholder, self._seal.sealed(kind, value, placeholder))
