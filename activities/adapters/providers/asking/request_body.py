"""What people add to request bodies by `Model.options`.

Must not know any provider.
"""

from __future__ import annotations

from typing import Any, Final

from .....contracts.errors import InvalidRequest

_AGENTS: Final = frozenset({"model", "messages", "input", "instructions", "system", "stream"})
"""What the agent says itself: nothing may take its place unseen."""


def with_options(body: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Lay the options over the body.

    Where both hold an object, key by key; where both hold a list, such as `tools`, those of the options are added.

    Raises:
        InvalidRequest: An option would take the place of the prompt.
    """
    if taken := sorted(_AGENTS & options.keys()):
        raise InvalidRequest(f"options may not set {', '.join(map(repr, taken))}: the agent says that itself")
    return _laid_over(body, options)


def _laid_over(body: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    merged = dict(body)
    for key, value in options.items():
        here = merged.get(key)
        if isinstance(here, dict) and isinstance(value, dict):
            merged[key] = _laid_over(here, value)
        elif isinstance(here, list) and isinstance(value, list):
            merged[key] = [*here, *value]
        else:
            merged[key] = value
    return merged
