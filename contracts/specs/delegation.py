"""Runnables as tools.

What a model sees of one, and what the runnable is told when the model calls it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import JsonValue

from ..message import Message
from ..template import as_text
from ..tool import TOOL_NAME, ToolDefinition
from .node import Node

TASK = "task"
"""The one argument of a runnable that takes a text."""

TRANSFER = "transfer_to_"
"""Beginning of the names of the tools by which an agent hands over to another member of its team."""


def delegate_tool(node: Node, place: str = "") -> ToolDefinition:
    """Return what a model sees of a runnable that it may call as a tool.

    Args:
        node: The runnable.
        place: Where it stands, for the error.

    Raises:
        ValueError: Its name is not one that every provider takes.
    """
    if not TOOL_NAME.match(node.name):
        raise ValueError(
            f"{place}{': ' if place else ''}{node.name!r} is not a name for a tool: "
            "use letters, digits, '_' and '-', and begin with a letter or '_'"
        )
    return ToolDefinition(name=node.name, description=node.about(), parameters=_parameters(node.needs()))


def message_for_delegate(node: Node, arguments: Mapping[str, JsonValue]) -> Message:
    """Return what a runnable is asked when a model calls it with these arguments.

    Raises:
        ValueError: An argument is missing or unknown; names those that there are.
    """
    wanted = node.needs() or (TASK,)
    missing = [name for name in wanted if name not in arguments]
    unknown = [name for name in arguments if name not in wanted]
    if missing or unknown:
        problems = [f"lacks {', '.join(missing)}"] if missing else []
        problems += [f"has no use for {', '.join(unknown)}"] if unknown else []
        schema = json.dumps(_parameters(node.needs()), ensure_ascii=False)
        raise ValueError(f"The call {' and '.join(problems)}. Valid arguments follow this JSON schema: {schema}")
    if node.needs():
        return Message.user(json.dumps(dict(arguments), ensure_ascii=False))
    return Message.user(as_text(arguments[TASK]))


def transfer_tool(node: Node) -> ToolDefinition:
    """Return the tool by which other members of a team hand over to this one."""
    return ToolDefinition(
        name=TRANSFER + node.name,
        description=f"Hand the conversation over to {node.name}, who takes it from here: {node.about()}",
        parameters={
            "type": "object",
            "properties": {"reason": {"type": "string", "description": "Why, in a sentence."}},
            "additionalProperties": False,
        },
    )


def _parameters(names: tuple[str, ...]) -> dict[str, JsonValue]:
    about = "What to do, with everything that is needed to do it: nothing else is known there."
    properties: dict[str, JsonValue] = {name: {"type": "string"} for name in names}
    properties = properties or {TASK: {"type": "string", "description": about}}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
