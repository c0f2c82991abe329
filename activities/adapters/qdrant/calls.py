"""Calls of another process's shards.

How their arguments and results are read, and where that process is.
"""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, get_type_hints

from pydantic import BaseModel, TypeAdapter, create_model

from .edge import EdgeShards

_OWNER: Final = "owner.json"
AT_WORK: Final = b""
"""Said instead of an answer, again and again, as long as the call takes."""
REFUSED_BY_OWNER: Final = b"!"
"""Begins an answer that is an error; every other one is JSON."""
NOT_UNDERSTOOD: Final = b"?"
"""Begins an answer that says what the owner, of another version than its guest, does not know."""
PULSE_SECONDS: Final = 2.0
"""How often an owner says that it is at work."""
MAX_SILENCE_SECONDS: Final = 10.0
"""How long a guest waits for a word: an owner that says nothing for so long is held up, or another program by now."""

_METHODS: Final = (
    "sets",
    "create",
    "drop",
    "upsert",
    "set_payload",
    "delete",
    "read",
    "scroll",
    "count",
    "search",
    "optimize",
)


class Call:
    """How the arguments and the result of a method are read from JSON."""

    def __init__(self, method: str) -> None:
        function = getattr(EdgeShards, method)
        hints = get_type_hints(function)
        fields: dict[str, Any] = {
            name: (hints[name], ... if parameter.default is parameter.empty else parameter.default)
            for name, parameter in inspect.signature(function).parameters.items()
            if name != "self"
        }
        self.arguments: type[BaseModel] = create_model(method, **fields)
        self.result: TypeAdapter[Any] = TypeAdapter(hints["return"])


CALLS: Final[Mapping[str, Call]] = {method: Call(method) for method in _METHODS}


def announce(directory: Path, said: Mapping[str, Any]) -> None:
    """Let other processes find the one that owns a directory."""
    new = directory / f"{_OWNER}.{os.getpid()}"
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(said, file)
    new.replace(directory / _OWNER)


def announced(directory: Path) -> dict[str, Any]:
    """Return what the process says that owns a directory; nothing where none does."""
    try:
        said: dict[str, Any] = json.loads((directory / _OWNER).read_text())
    except (OSError, ValueError):
        return {}
    return said


def withdraw(directory: Path) -> None:
    """Take back what `announce` said."""
    (directory / _OWNER).unlink(missing_ok=True)
