"""Tool calls and results between the wire and our parts. Must not judge arguments by a tool's schema."""

from __future__ import annotations

import json
from typing import Any, Never

from ....contracts.message import ToolCallPart, ToolResultPart


def tool_call_part(call_id: str, name: str, raw: str) -> ToolCallPart:
    """A tool call from what the model wrote: its arguments, or the text itself where it is no JSON object."""
    try:
        arguments = json.loads(raw or "{}", parse_constant=_reject)
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        return ToolCallPart(id=call_id, name=name, malformed=raw)
    return ToolCallPart(id=call_id, name=name, arguments=arguments)


def sent_arguments(call: ToolCallPart) -> dict[str, Any]:
    """The arguments as an object to send back: providers and servers take no other, not even a model's own text."""
    return {"INVALID_JSON": call.malformed} if call.malformed else dict(call.arguments)


def result_text(part: ToolResultPart) -> str:
    """The result's text, said to be an error where it is one: for protocols that have no field for that."""
    return f"Error: {part.content}" if part.is_error else part.content


def _reject(constant: str) -> Never:
    raise ValueError(constant)  # NaN and Infinity, which Python reads and JSON does not have
