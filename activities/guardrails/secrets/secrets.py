"""All secrets of a text."""

from __future__ import annotations

from typing import Final

from ..finding import Finding, without_overlaps
from .forms import known_forms, private_keys
from .named import connection_strings, named_secrets

SECRET_DETECTORS: Final = (private_keys, connection_strings, known_forms, named_secrets)
"""What finds them, the surest first."""


def secrets(text: str) -> list[Finding]:
    """Return the secrets of a text, in its order."""
    return without_overlaps(found for detect in SECRET_DETECTORS for found in detect(text))
