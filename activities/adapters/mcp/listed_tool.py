"""Judges the tools that a server lists, each by itself.

One that is wrong costs no other. Must not talk to the server.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from ....contracts import limits
from ....contracts.text import cut
from ....contracts.wire.mcp_call import ToolFault
from ...mcp_session import ListedTool
from .schema_keywords import kind_of
from .schema_repair import UnusableSchemaError, repaired_schema

_TOLD: Final = 3
"""So many problems of one tool are told, the others counted."""
_HINTS: Final = {"readOnlyHint": "read_only", "idempotentHint": "idempotent", "destructiveHint": "destructive"}
_TRUTH: Final = TypeAdapter(bool)
_SUBSTITUTE: Final = "\ufffd"
"""Stands for what is not Unicode, see `readable_json`."""


def judged(entries: Iterable[Any]) -> tuple[list[ListedTool], list[ToolFault]]:
    """Return the tools of a page that can be used, and what is wrong with which.

    Of two tools of one name the first is kept.
    """
    tools: dict[str, ListedTool] = {}
    faults: list[ToolFault] = []
    size = 0
    for number, entry in enumerate(entries, 1):
        if size > limits.MAX_TOOL_OUTPUT_BYTES or len(tools) >= limits.MAX_TOOLS:
            faults.append(ToolFault.of(f"what comes after entry {number - 1} of a page: it is too much", left_out=True))
            break
        if not isinstance(entry, dict):
            faults.append(ToolFault.of(f"entry {number}, which is {kind_of(entry)}, not a tool", left_out=True))
            continue
        name: Any = entry.get("name")
        if why := _why_unnamed(name):
            faults.append(_nameless(number, name, why))
            continue
        if name in tools:
            faults.append(listed_twice(name))
            continue
        try:
            tools[name], problems = _tool(entry, name)
        except UnusableSchemaError as error:
            faults.append(ToolFault.of(str(error), tool=name, left_out=True))
            continue
        size += limits.written_bytes(tools[name].parameters)
        if problems:
            faults.append(ToolFault.of(_summed(problems), tool=name))
    return list(tools.values()), faults


def listed_twice(name: str) -> ToolFault:
    """Return the fault of the second tool of a name."""
    return ToolFault.of("there is another tool of this name before it, which is kept", tool=name, left_out=True)


def _why_unnamed(name: Any) -> str:
    if not isinstance(name, str):
        return f"is {kind_of(name)}, not a text"
    if not name.strip():
        return "is empty"
    if len(name) > limits.MAX_TOOL_NAME_CHARS:
        return f"has {len(name):,} characters and the limit is {limits.MAX_TOOL_NAME_CHARS}"
    if not name.isprintable() or _SUBSTITUTE in name:
        return "has characters that are not text"
    return ""


def _nameless(number: int, name: Any, why: str) -> ToolFault:
    if isinstance(name, str) and name.strip():
        return ToolFault.of(f"its name {why}", tool=name, left_out=True)
    return ToolFault.of(f"entry {number}, whose name {why}", left_out=True)


def _tool(entry: dict[str, Any], name: str) -> tuple[ListedTool, list[str]]:
    """Return a tool, and what was wrong with it.

    Raises:
        UnusableSchemaError: It cannot be called.
    """
    schema, found = repaired_schema(entry.get("inputSchema"))
    problems = list(found)
    description = _description(entry, problems)
    hints = _hints(entry.get("annotations"), problems)
    return ListedTool(name=name, description=description, parameters=schema, **hints), problems


def _description(entry: dict[str, Any], problems: list[str]) -> str:
    said = ""
    for key in ("description", "title"):
        value = entry.get(key)
        if value is not None and not isinstance(value, str):
            problems.append(f"its {key} is {kind_of(value)}, not a text: left out")
        elif not said:
            said = value or ""
    if len(said) > limits.MAX_DESCRIPTION_CHARS:
        problems.append(f"its description has {len(said):,} characters: cut at {limits.MAX_DESCRIPTION_CHARS:,}")
    return cut(said, limits.MAX_DESCRIPTION_CHARS)


def _hints(annotations: Any, problems: list[str]) -> dict[str, bool]:
    hints: dict[str, bool] = {}
    if annotations is None:
        return hints
    if not isinstance(annotations, dict):
        problems.append(f"its annotations are {kind_of(annotations)}, not an object: left out")
        return hints
    for key, hint in _HINTS.items():
        value = annotations.get(key)
        try:
            hints[hint] = value is not None and _TRUTH.validate_python(value)
        except ValidationError:
            problems.append(f"its {key} is {kind_of(value)}, not true or false: left out")
    return hints


def _summed(problems: list[str]) -> str:
    more = f"; and {len(problems) - _TOLD} more" if len(problems) > _TOLD else ""
    return "; ".join(problems[:_TOLD]) + more
