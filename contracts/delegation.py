"""Runnables as tools: what a model sees of one, and what the runnable is told when the model calls it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import JsonValue

from .message import Message
from .node import Node
from .template import as_text
from .tool import TOOL_NAME, ToolDefinition

TASK = "task"
"""The one argument of a runnable that takes a text."""

TRANSFER = "transfer_to_"
"""Beginning of the names of the tools by which an agent hands over to another member of its team."""


def delegated(node: Node) -> ToolDefinition:
    """What a model sees of a runnable that it may call.

    Raises:
        ValueError: Its name is none that every provider takes.
    """
    if not TOOL_NAME.match(node.name):
        raise ValueError(
            f"{node.name!r} is no name for a tool: use letters, digits, '_' and '-', and begin with a letter or '_'"
        )
    return ToolDefinition(name=node.name, description=node.about(), parameters=_parameters(node.needs()))


def told(node: Node, arguments: Mapping[str, JsonValue]) -> Message:
    """What the runnable is asked, of the arguments of a call.

    Raises:
        ValueError: An argument is missing or none of it; says which there are.
    """
    wanted = node.needs() or (TASK,)
    missing = [name for name in wanted if name not in arguments]
    unknown = [name for name in arguments if name not in wanted]
    if missing or unknown:
        problem = f"lacks {', '.join(missing)}" if missing else f"has no use for {', '.join(unknown)}"
        raise ValueError(
            f"The call {problem}. Valid arguments follow this JSON schema: {json.dumps(_parameters(wanted))}"
        )
    if node.needs():
        return Message.user(json.dumps(dict(arguments), ensure_ascii=False))
    return Message.user(as_text(arguments[TASK]))


def transfer(node: Node) -> ToolDefinition:
    """The tool by which another member of a team hands the conversation over to this one."""
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
    wanted = names or (TASK,)
    about = {TASK: "What to do, with everything that is needed to do it: nothing else is known there."}
    return {
        "type": "object",
        "properties": {
            name: {"type": "string", "description": about[name]} if not names else {"type": "string"} for name in wanted
        },
        "required": list(wanted),
        "additionalProperties": False,
    }
