"""The tools of a request as a provider takes them, and calls there and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

from .....contracts.limits import is_too_deep
from .....contracts.message import Message, ToolCallPart
from .....contracts.text import cut
from .....contracts.tool import ToolDefinition
from ..schema.fitted import fit_schema
from ..schema.restoring import FittedSchema
from ..schema.rules import PLAIN, RULES, InexpressibleError
from ..tool_exchange import sent_arguments

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_LONGEST_NAME: Final = 64
_CUT_CHARS: Final = 10
"""Room for the words that something was cut."""


class WireTools:
    """The tools of a request.

    Args:
        tools: As the agent has them.
        rules: Name of the rules for their schemas.
        description_chars: Most characters of a description. None: any number.
        fitted: The schemas of those that are fitted already, by their names.
    """

    def __init__(
        self,
        tools: tuple[ToolDefinition, ...],
        rules: str,
        description_chars: int | None = None,
        fitted: Mapping[str, FittedSchema] | None = None,
    ) -> None:
        self._as_told = (rules, description_chars)
        known = fitted or {}
        self._fitted = {tool.name: known.get(tool.name) or fitted_tool(tool, rules) for tool in tools}
        self.described: tuple[tuple[ToolDefinition, dict[str, Any]], ...] = tuple(
            (_told(tool, description_chars), self._fitted[tool.name].schema) for tool in tools
        )
        """Each tool with the schema that is sent of it; that is empty where it takes nothing."""

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return bool(self.described)

    def and_one(self, tool: ToolDefinition, fitted: FittedSchema) -> WireTools:
        """Return these and one more, whose schema is fitted already."""
        tools = (*(one for one, _ in self.described), tool)
        return WireTools(tools, *self._as_told, {**self._fitted, tool.name: fitted})

    def sent(self, call: ToolCallPart) -> tuple[str, dict[str, Any]]:
        """Return name and arguments of a past call as the model may have written them."""
        known = self._fitted.get(call.name)
        arguments = sent_arguments(call)
        return sendable_name(call.name), known.renamed(arguments) if known and not call.malformed else arguments

    def received(self, call: ToolCallPart) -> ToolCallPart:
        """Return a call that the model made, in the form of the agent's own tool."""
        known: FittedSchema | None = self._fitted.get(call.name)
        if known is None or known.restoring is None or call.malformed:
            return call
        arguments = known.restored(dict(call.arguments))
        # What was the text of JSON may be deep, or no object where the whole was to be one.
        if not isinstance(arguments, dict) or is_too_deep(arguments):
            return call
        return call.model_copy(update={"arguments": arguments})


def _told(tool: ToolDefinition, most: int | None) -> ToolDefinition:
    if most is None or len(tool.description) <= most:
        return tool
    return tool.model_copy(update={"description": cut(tool.description, most - _CUT_CHARS)})


def fitted_tool(tool: ToolDefinition, rules: str) -> FittedSchema:
    """Return the schema of a tool as it is sent.

    What strict rules cannot say is sent as every provider takes it.
    """
    try:
        return fit_schema(tool.parameters, RULES[rules])
    except InexpressibleError:
        return fit_schema(tool.parameters, PLAIN)


def past_tools(messages: Iterable[Message]) -> tuple[ToolDefinition, ...]:
    """Return the tools that were called before, where there are none now."""
    names = dict.fromkeys(sendable_name(call.name) for message in messages for call in message.tool_calls)
    nothing = {"type": "object", "properties": {}}
    return tuple(ToolDefinition(name=name, description="Is no longer there.", parameters=nothing) for name in names)


def sendable_name(name: str) -> str:
    """Return a name of a past call that every provider takes.

    A model may have made up any.
    """
    if _NAME.fullmatch(name):
        return name
    plain = re.sub(r"[^a-zA-Z0-9_-]+", "_", name).strip("_") or "unknown"
    if len(plain) <= _LONGEST_NAME:
        return plain
    return f"{plain[: _LONGEST_NAME - 9]}_{sha256(name.encode()).hexdigest()[:8]}"
