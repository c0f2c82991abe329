"""The keys of a vault, and how they are written."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from dataclasses import dataclass, field
from typing import Final

from ....contracts.errors import SetupError, SpecError

_KEY_BYTES: Final = 32
"""Of AES-256."""
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
"""Shorter than a key in base64: what has this form may be shown."""
_FORM: Final = "write ID:KEY, as `sostenuto vault-key` prints it, and a comma between two"


@dataclass(frozen=True, slots=True)
class VaultKey:
    """A key, and the name under which tokens know it."""

    id: str
    """Stands in each token that it seals, readably."""
    secret: bytes = field(repr=False)
    """32 bytes, from which the keys for each purpose are derived."""


@dataclass(frozen=True, slots=True)
class VaultKeys:
    """Keys of which the first seals, and each opens what it sealed.

    To rotate, put the new key behind the others wherever they are read, then before them, and take the old one away
    once nobody needs what it sealed.
    """

    keys: tuple[VaultKey, ...]
    """At least one, each with an id of its own."""

    @classmethod
    def parse(cls, text: str) -> VaultKeys:
        """Read keys as they are written: `ID:KEY,ID:KEY`.

        A key is 32 bytes in base64, of either alphabet, with or without padding.

        Raises:
            SetupError: An entry is wrong; says which one and why, and never what the key is.
        """
        keys: list[VaultKey] = []
        for number, entry in enumerate(text.split(","), 1):
            key = _parsed(entry.strip(), number)
            if any(other.id == key.id for other in keys):
                raise SetupError(f"vault key {number}: there is one named {key.id!r} before it: give each its own id")
            keys.append(key)
        return cls(tuple(keys))

    @classmethod
    def made(cls, id: str) -> VaultKeys:
        """Make a new key.

        Args:
            id: Its name: 1 to 32 letters, digits, `_` and `-`.

        Raises:
            SpecError: The id is none.
        """
        if not _ID.fullmatch(id):
            raise SpecError(f"{id!r} is no id of a vault key: take 1 to 32 letters, digits, '_' and '-'")
        return cls((VaultKey(id, secrets.token_bytes(_KEY_BYTES)),))

    @property
    def first(self) -> VaultKey:
        """The key that seals."""
        return self.keys[0]

    @property
    def text(self) -> str:
        """The keys as `parse` reads them: a secret."""
        return ",".join(f"{key.id}:{base64.b64encode(key.secret).decode()}" for key in self.keys)

    @property
    def spellings(self) -> tuple[str, ...]:
        """Each key as it may be written, in either alphabet: what no log may say."""
        made = (encode(key.secret) for key in self.keys for encode in (base64.b64encode, base64.urlsafe_b64encode))
        return tuple(one.decode().rstrip("=") for one in made)

    def named(self, id: str) -> VaultKey | None:
        """Return the key of an id; None where there is none."""
        return next((key for key in self.keys if key.id == id), None)


def _parsed(entry: str, number: int) -> VaultKey:
    id, separator, written = entry.partition(":")
    if not entry:
        raise SetupError(f"vault key {number} is empty: {_FORM}")
    if not separator:
        raise SetupError(f"vault key {number} has no id and ':' before it: {_FORM}")
    if not _ID.fullmatch(id):
        # Not what stands there: it may be the key.
        raise SetupError(f"the id of vault key {number} is none: it has 1 to 32 letters, digits, '_' and '-'")
    standard = written.strip().rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        secret = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise SetupError(f"vault key {number} ({id!r}) is not base64: {_FORM}") from None
    if len(secret) != _KEY_BYTES:
        raise SetupError(f"vault key {number} ({id!r}) has {len(secret)} bytes, not {_KEY_BYTES}: {_FORM}")
    return VaultKey(id, secret)
