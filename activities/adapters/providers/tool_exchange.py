"""Tool calls and results between the wire and our parts.

Must not judge arguments by a tool's schema.
"""

from __future__ import annotations

import json
import math
from typing import Any, Never

from ....contracts.limits import is_too_deep
from ....contracts.message import ToolCallPart, ToolResultPart


def tool_call_part(call_id: str, name: str, raw: str) -> ToolCallPart:
    """Make a tool call of what the model wrote.

    Where the text is not a JSON object, or nested too deeply, `malformed` has it and `arguments` is empty.
    """
    try:
        arguments = json.loads(raw or "{}", parse_constant=_reject, parse_float=_finite)
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict) or is_too_deep(arguments):
        return ToolCallPart(id=call_id, name=name, malformed=raw)
    return ToolCallPart(id=call_id, name=name, arguments=arguments)


def sent_arguments(call: ToolCallPart) -> dict[str, Any]:
    """Return the arguments as an object to send back.

    Providers and servers take nothing else, not even a model's own text.
    """
    return {"INVALID_JSON": call.malformed} if call.malformed else dict(call.arguments)


def result_text(part: ToolResultPart) -> str:
    """Return the result's text, marked as an error where it is one.

    For protocols that have no field for that.
    """
    return f"Error: {part.content}" if part.is_error else part.content


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(number)
    return value


def _reject(constant: str) -> Never:
    raise ValueError(constant)  # NaN and Infinity, which Python reads and JSON does not have
