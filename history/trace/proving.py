"""Whether the prompt of a model call is the one that was sent. Does no I/O."""

from __future__ import annotations

from ...contracts.wire.event import ModelResponded
from ..events.projection import Projection


def proven(event: ModelResponded, projection: Projection) -> bool | None:
    """Return whether the prompt is as the history tells it; None where it tells none.

    Args:
        event: The answer, with the hash of what was sent.
        projection: Has read the history.
    """
    try:
        return projection.prompt(event.turn, event.path).hash == event.prompt_hash
    except KeyError:
        return None
