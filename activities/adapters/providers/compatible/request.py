"""Writes requests of the Chat Completions API.

Must not send anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .....contracts.message import (
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from .....contracts.model import OutputSchema
from ....model_adapter import ModelRequest
from ..blob import blob_text, blob_url, is_text, unsupported
from ..output_schema import strict_schema
from ..request_body import with_options
from ..tool_exchange import result_text, sent_arguments


def chat_request(request: ModelRequest, provider: str) -> dict[str, Any]:
    """Return the body of a request to the Chat Completions API.

    Raises:
        InvalidRequest: The API has no place for something in it.
    """
    model = request.model
    body: dict[str, Any] = {
        "model": model.model,
        "max_tokens": model.max_output_tokens,
        "temperature": model.temperature,
        "messages": _messages(request, provider),
        "tools": [
            {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
            }
            for tool in request.tools
        ],
        "reasoning_effort": "none" if model.reasoning == "off" else model.reasoning,
        "response_format": _response_format(request.output),
    }
    kept = {key: value for key, value in body.items() if value not in (None, [], {})}
    return with_options(kept | {"stream": True, "stream_options": {"include_usage": True}}, model.options)


def _messages(request: ModelRequest, provider: str) -> list[dict[str, Any]]:
    """Return the messages of the API.

    Attachments of tool results follow them as a user's, since a result can only be text.
    """
    sent: list[dict[str, Any]] = []
    if request.instructions:
        sent.append({"role": "system", "content": request.instructions})
    attached: list[dict[str, Any]] = []
    for message in request.messages:
        if message.role is not Role.TOOL and attached:
            sent.append({"role": "user", "content": attached})
            attached = []
        if message.role is Role.ASSISTANT:
            sent += _assistant(message, provider)
        elif message.role is Role.TOOL:
            for result in _results(message, provider):
                sent.append({"role": "tool", "tool_call_id": result.call_id, "content": result_text(result)})
                attached += _attachments(result, provider)
        else:
            sent.append({"role": "user", "content": _user_content(message, provider)})
    return [*sent, {"role": "user", "content": attached}] if attached else sent


def _assistant(message: Message, provider: str) -> Iterator[dict[str, Any]]:
    sent: dict[str, Any] = {"role": "assistant", "content": message.text}
    calls: list[dict[str, Any]] = []
    for part in message.parts:
        match part:
            case TextPart():
                pass
            case ToolCallPart():
                function = {"name": part.name, "arguments": json.dumps(sent_arguments(part))}
                calls.append({"id": part.id, "type": "function", "function": function})
            case ReasoningPart() | OpaquePart():
                if part.provider == provider:
                    sent |= part.data
            case _:
                raise unsupported(part, provider, "an assistant has text, tool calls and reasoning only")
    if calls:
        sent["tool_calls"] = calls
    if calls or message.text:  # an empty message is refused by many
        yield sent


def _results(message: Message, provider: str) -> Iterator[ToolResultPart]:
    for part in message.parts:
        if not isinstance(part, ToolResultPart):
            raise unsupported(part, provider, "a tool message has tool results only")
        yield part


def _attachments(result: ToolResultPart, provider: str) -> list[dict[str, Any]]:
    if not result.attachments:
        return []
    label = {"type": "text", "text": f"Attached to the result of {result.name} ({result.call_id}):"}
    return [label, *(_content(blob, provider) for blob in result.attachments)]


def _user_content(message: Message, provider: str) -> str | list[dict[str, Any]]:
    if all(isinstance(part, TextPart) for part in message.parts):
        return message.text  # a plain text is what every server takes
    return [_content(part, provider) for part in message.parts]


def _content(part: Part, provider: str) -> dict[str, Any]:
    match part:
        case TextPart():
            return {"type": "text", "text": part.text}
        case ImagePart():
            return {"type": "image_url", "image_url": {"url": blob_url(part)}}
        case FilePart() if is_text(part):
            return {"type": "text", "text": f"{part.name}\n{blob_text(part)}" if part.name else blob_text(part)}
        case FilePart() if part.url is None:
            return {"type": "file", "file": {"filename": part.name or "file", "file_data": blob_url(part)}}
        case FilePart():
            raise unsupported(part, provider, "Chat Completions takes files by data only")
        case _:
            raise unsupported(part, provider, "a user message has text, images and files only")


def _response_format(output: OutputSchema | None) -> dict[str, Any]:
    if output is None:
        return {}
    strict = strict_schema(output.json_schema)
    schema = {"schema": strict or output.json_schema, "strict": strict is not None}
    return {"type": "json_schema", "json_schema": {"name": output.name, **schema}}
