"""What stands in a text for what was hidden there. Needs no key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ....contracts.errors import SpecError

_KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
PLACEHOLDER: Final = re.compile(r"<[A-Z][A-Z0-9_]{0,31}_[A-Z2-7]{8}>")
"""What may be one. No two begin in the same run of these characters, so that a text is read once."""


def placeholder_of(kind: str, mark: str | None = None) -> str:
    """Return the placeholder of a kind.

    Args:
        kind: Such as `email`.
        mark: What tells its value from others; None where nothing does.

    Raises:
        SpecError: The kind has no such name.
    """
    if not _KIND.fullmatch(kind):
        raise SpecError(
            f"{kind!r} is no kind of what is hidden: take 1 to 32 lower-case letters, digits and '_', a letter first"
        )
    return f"<{kind.upper()}_{mark}>" if mark else f"<{kind.upper()}>"


def mentioned(text: str, sealed: Mapping[str, str]) -> dict[str, str]:
    """Return of what is sealed that whose placeholder stands in a text.

    Args:
        text: Where to look.
        sealed: Tokens by placeholder.
    """
    return {found: sealed[found] for found in PLACEHOLDER.findall(text) if found in sealed}
