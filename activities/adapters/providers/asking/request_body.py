"""What people add to request bodies by `Model.options`.

Must not know any provider.
"""

from __future__ import annotations

from typing import Any


def with_options(body: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Lay the options over the body; where both hold an object, key by key."""
    merged = dict(body)
    for key, value in options.items():
        here = merged.get(key)
        merged[key] = with_options(here, value) if isinstance(here, dict) and isinstance(value, dict) else value
    return merged
