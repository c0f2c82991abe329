"""Tool calls and results between the wire and our parts.

Must not judge arguments by a tool's schema.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final, Never

from ....contracts.limits import is_too_deep
from ....contracts.message import ToolCallPart, ToolResultPart


def tool_call_part(call_id: str, name: str, raw: str, *, cut: bool = False) -> ToolCallPart:
    """Make a tool call of what the model wrote.

    Where the text is not a JSON object, or nested too deeply, `malformed` has it and `arguments` is empty.

    Args:
        call_id: The provider's id of it.
        name: Of the tool.
        raw: Its arguments as text.
        cut: Whether the answer was cut at its limit: arguments that had not begun are none then.
    """
    if cut and not raw:
        return ToolCallPart(id=call_id, name=name, malformed=_CUT)
    try:
        arguments = json.loads(raw or "{}", parse_constant=_reject, parse_float=_finite)
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict) or is_too_deep(arguments):
        return ToolCallPart(id=call_id, name=name, malformed=raw)
    return ToolCallPart(id=call_id, name=name, arguments=arguments)


def is_json(text: str) -> bool:
    """Return whether a text is a whole JSON value."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def sent_arguments(call: ToolCallPart) -> dict[str, Any]:
    """Return the arguments as an object to send back.

    Providers and servers take nothing else, not even a model's own text.
    """
    return {"INVALID_JSON": call.malformed} if call.malformed else dict(call.arguments)


_CUT: Final = "(cut off before the arguments)"
NOTHING: Final = "(nothing)"
"""Stands for a text without a word, which many refuse."""


def result_text(part: ToolResultPart) -> str:
    """Return the result's text, marked as an error where it is one.

    For protocols that have no field for that.
    """
    text = part.content if part.content.strip() else NOTHING
    return f"Error: {text}" if part.is_error else text


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(number)
    return value


def _reject(constant: str) -> Never:
    raise ValueError(constant)  # NaN and Infinity, which Python reads and JSON does not have
