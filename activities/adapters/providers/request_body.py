"""Request bodies: what people add to them by `Model.options`. Must not know any provider."""

from __future__ import annotations

from typing import Any


def with_options(body: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """The body with the options laid over it; where both hold an object, key by key."""
    merged = dict(body)
    for key, value in options.items():
        here = merged.get(key)
        merged[key] = with_options(here, value) if isinstance(here, dict) and isinstance(value, dict) else value
    return merged
