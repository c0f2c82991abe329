"""Tells which updates a server drops, and takes when they are sent again."""

from __future__ import annotations

from typing import Final

from temporalio.service import RPCError, RPCStatusCode

_PASSING: Final = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.RESOURCE_EXHAUSTED, RPCStatusCode.ABORTED)
_TASK_WAS_DROPPED: Final = "unexpected workflow task failure"
"""In what the server says of an update that came while a workflow task ended otherwise than it thought."""


def is_dropped(error: RPCError) -> bool:
    """Return whether an update was dropped, and may be sent again."""
    return error.status in _PASSING or _TASK_WAS_DROPPED in error.message
