"""The tool by which an agent reads results that have left its prompt."""

from __future__ import annotations

from typing import Final

from ..tool import ToolDefinition

READ_RESULT: Final = ToolDefinition(
    name="read_result",
    description=(
        "Read what a tool returned earlier in this conversation, where it says that it was left out to save room. "
        "The tool is not called again."
    ),
    parameters={
        "type": "object",
        "properties": {
            "call_id": {"type": "string", "description": "Id of the call, as it stands where its result was."}
        },
        "required": ["call_id"],
        "additionalProperties": False,
    },
)
