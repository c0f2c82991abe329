"""What the server takes: sizes, numbers, and the words for what exceeds them."""

from __future__ import annotations

from typing import Any, Final

from pydantic_core import to_json

MAX_PAYLOAD_BYTES: Final = 2_000_000
"""Largest JSON of one value that is sent where large payloads stay in the history: the SDK refuses 2 MiB, and its
envelope needs some."""

MAX_TOOL_OUTPUT_BYTES: Final = 1_500_000
"""Largest tool output, in bytes of JSON. The server refuses payloads of 2 MB; a larger one is an error to the model."""

OFFLOADED_BYTES: Final = 256 * 1024
"""Payloads from this size on leave the history where there is a payload directory."""

CARRIED_BYTES: Final = 1_800_000
"""Largest input of a next execution without payloads outside the history: the server refuses 2 MB."""

TASK_BYTES: Final = 3_000_000
"""Most that one workflow task sends: the server ends a run whose task has 4 MB."""

AT_ONCE: Final = 1_000
"""Most calls and nested runs of one workflow at once: the server takes no task with more than 2,000 of either."""

HARD_HISTORY_EVENTS: Final = 45_000
HARD_HISTORY_BYTES: Final = 45_000_000
"""A run that cannot continue as new ends here, before the server would end it (at 51,200 events or 50 MB)."""

ID_BYTES: Final = 1_000
"""Longest id of a workflow or an activity that the server takes."""

PLACE_BYTES: Final = 900
"""Longest place in a tree: ids of activities are made of it, and have up to 100 characters more."""

MAX_REASON_CHARS: Final = 10_000
"""Longest reason of a failed run or call that is sent whole: it may quote what a model or a tool said."""

HOW_TO_KEEP_OUTSIDE: Final = (
    "set SOSTENUTO_PAYLOAD_DIR for the client and the workers to keep large payloads outside the history"
)
"""What to do about a payload that is too large for a history."""

HOW_TO_READ_OUTSIDE: Final = "set SOSTENUTO_PAYLOAD_DIR to the directory that the run's workers use"
"""What to do to read a payload that is kept outside a history."""


def written_bytes(value: Any) -> int:
    """Return the bytes of a value's JSON, exactly as it is sent."""
    return len(to_json(value))


def excess(what: str, size: int, limit: int = MAX_PAYLOAD_BYTES) -> str:
    """Return the words for something that has more bytes than it may have."""
    return f"{what} has {size:,} bytes and the limit is {limit:,}"


def why_too_large(value: Any, what: str, limit: int = MAX_PAYLOAD_BYTES) -> str:
    """Return why a value cannot be sent; empty where it can.

    Args:
        value: What is to be sent, as JSON.
        what: What the reason calls it.
        limit: Most bytes of it.
    """
    size = written_bytes(value)
    return excess(what, size, limit) if size > limit else ""
