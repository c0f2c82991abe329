"""The tools of an agent: sorted by what they are, and other runnables as such.

What a model sees of a runnable, and what that is told when the model calls it.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from ..collection.collection import Collection, SearchTool
from ..contract import brief
from ..control.ask_person import AskPerson
from ..errors import SpecError
from ..mcp import McpRef
from ..message import Message
from ..provider_tool import ProviderTool
from ..template import as_text
from ..tool import TOOL_NAME, Tool, ToolDefinition, ToolSpec, check_spec
from .node import Node, check_distinct
from .retrieve import Retrieve

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


def sorted_tools(tools: Sequence[Any], label: str) -> dict[str, tuple[Any, ...]]:
    """Sort tools by their kind into the fields that they belong to."""
    found: dict[str, list[Any]] = {"tools": [], "delegates": [], "mcp": [], "provider_tools": [], "searches": []}
    names: list[tuple[str, str]] = []
    refs: list[tuple[str, McpRef]] = []
    for index, tool in enumerate(tools):
        place = f"tools[{index}]"
        try:
            if isinstance(tool, Retrieve):
                raise SpecError(
                    f"{brief(tool)} is not a tool: write {tool.collection.name}.search, whose query a model writes"
                )
            if isinstance(tool, Node):
                found["delegates"].append(tool)
                names.append((place, delegate_tool(tool).name))
            elif isinstance(tool, str):
                found["mcp"].append(tool)
                refs.append((place, McpRef.parse(tool)))
            elif isinstance(tool, SearchTool):
                found["searches"].append(tool)
                names.append((place, tool.name))
            elif isinstance(tool, ProviderTool):
                found["provider_tools"].append(tool)
                names.append((place, tool.reserved))
            else:
                found["tools"].append(_tool_spec(tool))
                names.append((place, found["tools"][-1].name))
        except ValueError as error:
            raise SpecError(f"{label}: {place}: {error}") from None
    try:
        _check_names(names, refs)
    except ValueError as error:
        raise SpecError(f"{label}: {error}") from None
    return {field: tuple(items) for field, items in found.items()}


def _check_names(names: Sequence[tuple[str, str]], refs: Sequence[tuple[str, McpRef]]) -> None:
    """Find two tools that a model would call by one name.

    As far as that is known without the servers.
    """
    check_distinct([*names, *{ref.tool: (place, ref.tool) for place, ref in refs if ref.tool}.values()])
    check_distinct((place, str(ref)) for place, ref in refs)
    whole = {ref.server: place for place, ref in refs if not ref.tool}
    for place, ref in refs:
        if ref.tool and ref.server in whole:
            raise ValueError(f"{place}: {str(ref)!r} is among all tools of that server, {whole[ref.server]}: drop one")


def _tool_spec(tool: Any) -> ToolSpec:
    if isinstance(tool, Tool | AskPerson):
        return tool.spec
    if isinstance(tool, ToolSpec):
        check_spec(tool)
        return tool
    name = getattr(tool, "__name__", "")
    if isinstance(tool, type) and issubclass(tool, AskPerson | ProviderTool | Node):
        told = "COLLECTION.search" if issubclass(tool, Retrieve) else f"{name}({'' if tool is AskPerson else '...'})"
        raise SpecError(f"{brief(tool)} is not a tool: write {told}")
    if inspect.ismethod(tool):
        raise SpecError(f"{name} is not a tool: write tool(effect=...)(object.{name}), with the object that it is of")
    if isinstance(tool, Collection):
        raise SpecError(f"collection {tool.name!r} is not a tool: write {tool.name}.search")
    kinds = (
        "a function decorated with @tool, a runnable, 'mcp:server', collection.search, or a tool of the provider's "
        "such as WebSearch()"
    )
    raise SpecError(
        f"{name or brief(tool)} is not a tool: {f'decorate {name} with @tool' if name else f'pass {kinds}'}"
    )
