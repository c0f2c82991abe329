"""What the server takes, and how much of what others send is taken.

Sizes, numbers, and the words for what exceeds them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from pydantic_core import PydanticSerializationError, from_json, to_json

from .errors import SpecError

MAX_PAYLOAD_BYTES: Final = 2_000_000
"""Largest JSON of one value that is sent where large payloads stay in the history: the SDK refuses 2 MiB, and its
envelope needs some."""

MAX_TOOL_OUTPUT_BYTES: Final = 1_500_000
"""Largest tool output, in bytes of JSON. The server refuses payloads of 2 MB; a larger one is an error to the model."""

FAST_OUTPUT_BYTES: Final = 100_000
"""Largest output of a fast tool: what several of them return goes into one message to the server, which takes 4 MB. One
that returns more is called again as any other tool."""

OFFLOADED_BYTES: Final = 256 * 1024
"""Payloads from this size on leave the history where there is a payload directory."""

NEVER_BYTES: Final = 2**40
"""Size from which payloads leave the history where there is no directory for them: none is as large."""

CARRIED_BYTES: Final = 1_800_000
"""Largest input of a next execution without payloads outside the history: the server refuses 2 MB."""

MAX_UNPACKED_BYTES: Final = 2_000_000
"""Largest JSON that is packed into an input, such as the transcript that a next execution takes along, and most that is
unpacked, whoever wrote it. Packing this much takes up to a quarter of a second, and a workflow task has two; what is
larger is kept outside the history, or stays."""

MEMO_BYTES: Final = 256_000
"""Largest result that stands in a memo, which the server writes into its list of runs as well."""

TASK_BYTES: Final = 3_000_000
"""Most that one workflow task sends: the server ends a run whose task has 4 MB."""

LONGEST_WAIT: Final = timedelta(days=3_650)
"""Longest time that something may say to wait for a person: a date beyond all calendars is none."""

AT_ONCE: Final = 1_000
"""Most calls and nested runs of one workflow at once: the server takes no task with more than 2,000 of either."""

HARD_HISTORY_EVENTS: Final = 45_000
HARD_HISTORY_BYTES: Final = 45_000_000
"""A run that cannot continue as new ends here, before the server would end it (at 51,200 events or 50 MB)."""

ID_BYTES: Final = 1_000
"""Longest id of a workflow or an activity that the server takes."""

MAX_TENANT_BYTES: Final = 2_000
"""Longest name of a tenant: the server takes no search attribute with more than 2,048."""

PLACE_BYTES: Final = 900
"""Longest place in a tree: ids of activities are made of it, and have up to 100 characters more."""

MAX_DEPTH: Final = 100
"""Deepest JSON of other people's that is taken: a level is a list or an object. What is written has to be read back,
and the reader of every payload stops at 200 levels, of which our own envelopes take some."""

MAX_OUTPUT_DEPTH: Final = 150
"""Deepest output of a run: that of parallel work holds those of its branches, each a level deeper."""

_READABLE_DEPTH: Final = 200
"""Levels at which the reader of payloads stops."""

MAX_TOOLS: Final = 5_000
"""Most tools of one MCP server that a run is given."""

MAX_PAGES: Final = 100
"""Most pages of an MCP server's list of tools that are asked for."""

MAX_SCHEMA_BYTES: Final = 100_000
"""Largest JSON schema of an MCP server's tool: it goes into every prompt."""

MAX_DESCRIPTION_CHARS: Final = 20_000
"""Longest description of an MCP server's tool; a longer one is cut."""

MAX_TOOL_NAME_CHARS: Final = 256
"""Longest name that an MCP server may give a tool. The protocol recommends 128."""

MAX_FAULTS: Final = 100
"""Most faults of one MCP server's list of tools that are told."""

MAX_FAULT_CHARS: Final = 300
MAX_FAULT_NAME_CHARS: Final = 128
"""Longest words of a fault that are told, and of the name in it."""

MAX_REASON_CHARS: Final = 10_000
"""Longest reason of a failed run or call that is sent whole: it may quote what a model or a tool said."""

HOW_TO_KEEP_OUTSIDE: Final = (
    "set SOSTENUTO_PAYLOAD_DIR for the client and the workers to keep large payloads outside the history"
)
"""What to do about a payload that is too large for a history."""

HOW_TO_READ_OUTSIDE: Final = "set SOSTENUTO_PAYLOAD_DIR to the directory that the run's workers use"
"""What to do to read a payload that is kept outside a history."""


def is_too_deep(value: Any, limit: int = MAX_DEPTH) -> bool:
    """Return whether lists and objects stand in one another deeper than the limit."""
    level = [value]
    for _ in range(limit + 1):
        level = [
            item
            for holder in level
            if isinstance(holder, Mapping | list | tuple)
            for item in (holder.values() if isinstance(holder, Mapping) else holder)
        ]
        if not level:
            return False
    return True


def is_finite(value: Any) -> bool:
    """Return whether all numbers in JSON are such that JSON has a form for them."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def reads_back(written: bytes) -> bool:
    """Return whether JSON that was written can be read again.

    The writer takes more levels than the reader.
    """
    if written.count(b"[") + written.count(b"{") <= _READABLE_DEPTH:
        return True
    try:
        from_json(written)
    except ValueError:
        return False
    return True


def parsed_json(text: str) -> Any:
    """Return what a text says as JSON that a history can hold.

    Raises:
        ValueError: It is not JSON, or nested too deep. Says so, and nothing of the text.
    """
    try:
        # Unlike Python's own, it takes no half of an emoji, which no history could hold.
        value = from_json(text)
        # Nor does one hold NaN, or a number too large for a float: they would come back as null.
        json.dumps(value, allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"it is not JSON ({error})") from None
    if is_too_deep(value):
        raise ValueError(f"its lists and objects are nested deeper than {MAX_DEPTH} levels")
    return value


RAW: Final = "raw"
"""Serialisation context in which nothing is packed."""


def written_bytes(value: Any) -> int:
    """Return the bytes of a value's JSON, with nothing in it packed.

    Packed it has less. What a workflow decides by its size must not depend on how well something can be packed.

    Raises:
        SpecError: It has half of a surrogate pair, which no code can write.
    """
    try:
        return len(to_json(value, context=RAW))
    except PydanticSerializationError as error:
        raise unwritable(error) from None


def why_unwritable(value: Any) -> str:
    """Return why a value cannot be written as JSON; empty where it can."""
    try:
        to_json(value)
    except PydanticSerializationError as error:
        why = unwritable(error)
        return str(why) if why is not error else f"it cannot be written as JSON: {error}"
    return ""


def unwritable(error: PydanticSerializationError) -> Exception:
    """Return what is raised for a value that cannot be written.

    A mistake of data says so in a line.
    """
    if "surrogates" not in str(error):
        return error
    return SpecError(NOT_UNICODE)


NOT_UNICODE: Final = "a text in it is not Unicode: it has half of a surrogate pair"


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
    return too_many_bytes(written_bytes(value), what, limit)


def too_many_bytes(size: int, what: str, limit: int = MAX_PAYLOAD_BYTES) -> str:
    """Return why so many bytes cannot be sent; empty where they can."""
    return excess(what, size, limit) if size > limit else ""
