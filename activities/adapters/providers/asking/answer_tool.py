"""An answer of a given form as the call of a tool, there and back.

For models that call tools well and cannot be held to a schema otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any, Final

from .....contracts.message import Message, OpaquePart, Part, ReasoningPart, ToolCallPart
from .....contracts.model import OutputSchema
from .....contracts.tool import ToolDefinition
from .....contracts.wire.model_call import StopReason
from ....answer.lenient_json import with_text_alone
from ....model_adapter import Completion

ANSWER_TOOL: Final = "final_answer"
"""Name of the answer's tool, or how it begins."""

_DESCRIPTION: Final = "Gives your answer. Call it once, by itself, when you have all that the answer needs."


def answer_tool_name(tools: Iterable[ToolDefinition]) -> str:
    """Return a name for the answer's tool that none of the agent's own has."""
    taken = {tool.name for tool in tools}
    names = (ANSWER_TOOL if number == 1 else f"{ANSWER_TOOL}_{number}" for number in count(1))
    return next(name for name in names if name not in taken)


def answer_tool(output: OutputSchema, name: str) -> ToolDefinition:
    """Return the tool whose arguments are the answer."""
    return ToolDefinition(name=name, description=_DESCRIPTION, parameters=output.json_schema)


def has_answer_tool(body: Mapping[str, Any]) -> bool:
    """Return whether the answer's tool is in the body of a request."""
    tools = body.get("tools") or ()
    return any(tool.get("function", tool).get("description") == _DESCRIPTION for tool in tools)


def with_answer_as_text(completion: Completion, name: str) -> Completion:
    """Return a completion in which an answer by the tool is text.

    So whatever comes after sees the same as where a schema is enforced. What was said beside it is left out. Where
    the agent's own tools are called as well, those come first: the answer did not know their results.
    """
    answers = [call for call in completion.message.tool_calls if call.name == name]
    if not answers:
        return completion
    rest = completion.message.model_copy(update={"parts": tuple(_without_calls(completion.message.parts, name))})
    if rest.tool_calls:
        return replace(completion, message=_without_last_thoughts(rest))
    stop = StopReason.END if completion.stop is StopReason.TOOL_CALLS else completion.stop
    return replace(completion, message=with_text_alone(rest, _written(answers[0])), stop=stop)


def _written(answer: ToolCallPart) -> str:
    return answer.malformed or json.dumps(answer.arguments, ensure_ascii=False)


def _without_calls(parts: Iterable[Part], name: str) -> Iterator[Part]:
    """Yield the parts without the calls of a tool.

    What a provider says of those calls goes with them.
    """
    left_out = False
    for part in parts:
        if isinstance(part, OpaquePart) and "type" not in part.data:
            if not left_out:  # it belongs to the part before, such as a signature
                yield part
            continue
        left_out = isinstance(part, ToolCallPart) and part.name == name
        if not left_out:
            yield part


def _without_last_thoughts(message: Message) -> Message:
    """Return a message without thoughts that led to nothing that is left in it."""
    parts = message.parts
    while parts and isinstance(parts[-1], ReasoningPart):
        parts = parts[:-1]
    return message.model_copy(update={"parts": parts})
