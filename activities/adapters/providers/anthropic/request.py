"""Writes requests of the Messages API.

Must not send anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import anthropic

from .....contracts.errors import InvalidRequest
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
from .....contracts.model import Model, OutputSchema
from ....model_adapter import ModelRequest
from ..blob import Blob, blob_text, is_text, unsupported
from ..output_schema import is_recursive, schema_instructions, strict_schema
from ..request_body import with_options
from ..tool_exchange import sent_arguments

# The API wants a bound. Every current model may write this much.
_MAX_OUTPUT_TOKENS = 32_000
_IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_CACHED = {"cache_control": {"type": "ephemeral"}}


def messages_request(request: ModelRequest, provider: str) -> dict[str, Any]:
    """Return the body of a request to the Messages API.

    Raises:
        InvalidRequest: The API has no place for something in it.
    """
    model = request.model
    if model.temperature is not None:
        raise InvalidRequest(
            f"temperature={model.temperature} is not taken by {provider}: leave it out; "
            f"for an older model that does take it, set options={{'temperature': {model.temperature}}}"
        )
    schema = _native_schema(request.output) if request.output else None
    instructions = [request.instructions] if request.instructions else []
    if request.output and not schema:
        instructions.append(schema_instructions(request.output))
    body: dict[str, Any] = {
        "model": model.model,
        "max_tokens": model.max_output_tokens or _MAX_OUTPUT_TOKENS,
        "stream": True,
        "system": [{"type": "text", "text": text} for text in instructions],
        "tools": [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
            for tool in request.tools
        ],
        "messages": _messages(request.messages, provider),
        "thinking": model.reasoning and {"type": "disabled" if model.reasoning == "off" else "adaptive"},
        "output_config": _output_config(model, schema),
    }
    _mark_for_cache(body)
    return with_options({key: value for key, value in body.items() if value}, model.options)


def _messages(messages: Iterable[Message], provider: str) -> list[dict[str, Any]]:
    """Return the messages of the API: results of parallel calls must share one."""
    sent: list[dict[str, Any]] = []
    for message in messages:
        role = "assistant" if message.role is Role.ASSISTANT else "user"
        blocks = _blocks(message.parts, provider)
        if sent and sent[-1]["role"] == role:
            sent[-1]["content"] += blocks
        elif blocks:  # the API refuses an empty message
            sent.append({"role": role, "content": blocks})
    return sent


def _blocks(parts: Iterable[Part], provider: str) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for part in parts:
        found = list(_block(part, provider))
        if isinstance(part, OpaquePart) and part.data.get("type") == "text":
            for extras in found:
                blocks[-1] |= extras  # the citations of the text before
        else:
            blocks += found
    return blocks


def _block(part: Part, provider: str) -> Iterator[dict[str, Any]]:
    match part:
        case TextPart():
            if part.text:  # the API refuses an empty block
                yield {"type": "text", "text": part.text}
        case ImagePart() | FilePart():
            yield _blob_block(part, provider)
        case ToolCallPart():
            yield {"type": "tool_use", "id": part.id, "name": part.name, "input": sent_arguments(part)}
        case ToolResultPart():
            text = [{"type": "text", "text": part.content}] if part.content else []
            content = text + [_blob_block(blob, provider) for blob in part.attachments]
            result: dict[str, Any] = {"type": "tool_result", "tool_use_id": part.call_id, "content": content}
            yield result | ({"is_error": True} if part.is_error else {})
        case ReasoningPart() | OpaquePart():
            if part.provider == provider and part.data:
                yield dict(part.data)
        case _:
            raise unsupported(part, provider, "it is to be resolved before the call")


def _blob_block(part: Blob, provider: str) -> dict[str, Any]:
    by_url = {"type": "url", "url": part.url}
    by_data = {"type": "base64", "media_type": part.media_type, "data": part.data}
    if isinstance(part, ImagePart):
        if part.url is None and part.media_type not in _IMAGE_TYPES:
            raise unsupported(part, provider, f"images are {', '.join(sorted(_IMAGE_TYPES))}")
        return {"type": "image", "source": by_url if part.url else by_data}
    title = {"title": part.name} if part.name else {}
    if is_text(part):
        source = {"type": "text", "media_type": "text/plain", "data": blob_text(part)}
        return {"type": "document", "source": source, **title}
    if part.media_type != "application/pdf":
        raise unsupported(part, provider, "documents are PDF by data or url, or text by data")
    return {"type": "document", "source": by_url if part.url else by_data, **title}


def _output_config(model: Model, schema: dict[str, Any] | None) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if model.reasoning not in (None, "off"):
        config["effort"] = model.reasoning
    if schema:
        config["format"] = {"type": "json_schema", "schema": schema}
    return config


def _native_schema(output: OutputSchema) -> dict[str, Any] | None:
    if strict_schema(output.json_schema) is None or is_recursive(output.json_schema):
        return None
    try:
        return anthropic.transform_schema(output.json_schema)
    except (ValueError, AssertionError):  # a form that the SDK does not know
        return None


def _mark_for_cache(body: dict[str, Any]) -> None:
    """Mark what the next call begins with: tools, instructions and all messages."""
    prefix = body["system"] or body["tools"]
    if prefix:
        prefix[-1] |= _CACHED
    if body["messages"] and body["messages"][-1]["role"] == "user":  # thinking, in an answer, cannot be marked
        body["messages"][-1]["content"][-1] |= _CACHED
