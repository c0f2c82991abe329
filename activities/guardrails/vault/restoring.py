"""How values come back in place of their placeholders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from .keys import VaultKeys
from .placeholders import PLACEHOLDER
from .sealing import Opener, key_id_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Restored(Generic[T]):
    """What something was before values were hidden in it."""

    value: T
    """Of the same shape, with the values that could be had back."""
    unopened: tuple[str, ...]
    """Placeholders that are left: their key is not there, or their token does not open."""
    originals: dict[str, str] = field(default_factory=dict, repr=False)
    """The values that came back, by placeholder."""


def restored(value: T, sealed: Mapping[str, str], keys: VaultKeys | None) -> Restored[T]:
    """Return something with the values that were hidden in it.

    Each placeholder that `sealed` knows is replaced, once: what comes back is not looked through again. All else stays.

    Args:
        value: A text, or JSON: in lists and objects all texts are looked through, names of fields too.
        sealed: Tokens by placeholder.
        keys: What opens them. None: nothing does.
    """
    opening = _Opening(sealed, keys)
    made = opening.restored(value)
    unopened = tuple(name for name, found in opening.found.items() if found is None)
    return Restored(made, unopened, {name: found for name, found in opening.found.items() if found is not None})


class _Opening:
    """One pass over something."""

    def __init__(self, sealed: Mapping[str, str], keys: VaultKeys | None) -> None:
        self._sealed = sealed
        self._seals = {key.id: Opener(key) for key in keys.keys} if keys else {}
        self.found: dict[str, str | None] = {}
        """Values by the placeholders that were met; None where one does not open."""

    def restored(self, value: Any) -> Any:
        if isinstance(value, str):
            return PLACEHOLDER.sub(self._value, value)
        if isinstance(value, list):
            return list(map(self.restored, value))
        if isinstance(value, dict):
            return self._fields(value)
        return value

    def _fields(self, fields: dict[Any, Any]) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for key, value in fields.items():
            name = self.restored(key) if isinstance(key, str) else key
            # Two placeholders may stand for one value after a change of keys. No field is lost for that.
            is_taken = name != key and (name in fields or name in made)
            made[key if is_taken else name] = self.restored(value)
        return made

    def _value(self, match: re.Match[str]) -> str:
        placeholder = match[0]
        token = self._sealed.get(placeholder)
        if token is None:
            return placeholder
        if placeholder not in self.found:
            seal = self._seals.get(key_id_of(token))
            self.found[placeholder] = seal.opened(token, placeholder) if seal else None
        found = self.found[placeholder]
        return placeholder if found is None else found
