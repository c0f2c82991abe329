"""Writes requests of the Responses API.

Must not send anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
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
from ..blob import blob_url, unsupported
from ..output_schema import strict_schema
from ..request_body import with_options
from ..tool_exchange import result_text, sent_arguments

# They have no reasoning, and refuse to be asked for it in encrypted form.
_WITHOUT_REASONING = ("gpt-3.5", "gpt-4", "gpt-5-chat", "chatgpt-")


def responses_request(request: ModelRequest, provider: str) -> dict[str, Any]:
    """Return the body of a request to the Responses API.

    Raises:
        InvalidRequest: The API has no place for something in it.
    """
    model = request.model
    tools = [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
            # Strict would have every argument required, and so take the defaults away from the tool.
            "strict": False,
        }
        for tool in request.tools
    ]
    body: dict[str, Any] = {
        "model": model.model,
        "max_output_tokens": model.max_output_tokens,
        "temperature": model.temperature,
        "instructions": request.instructions,
        "tools": tools,
        "input": _items(request.messages, provider),
        "reasoning": model.reasoning and {"effort": "none" if model.reasoning == "off" else model.reasoning},
        "text": _text_config(request.output),
        "prompt_cache_key": _cache_key(request.instructions, tools),
        # Nothing stays with the provider: the reasoning comes back with the answer, encrypted, and goes out again.
        "include": [] if model.model.startswith(_WITHOUT_REASONING) else ["reasoning.encrypted_content"],
    }
    kept = {key: value for key, value in body.items() if value not in (None, "", [], {})}
    return with_options(kept | {"store": False, "stream": True}, model.options)


def _items(messages: Iterable[Message], provider: str) -> list[dict[str, Any]]:
    """Return the input items of the API.

    A user message is one item; so is each thing that the model did.
    """
    sent: list[dict[str, Any]] = []
    for message in messages:
        if message.role is Role.USER:
            content = [_content(part, provider) for part in message.parts]
            sent += [{"role": "user", "content": content}] if content else []
            continue
        for part in message.parts:
            found = list(_item(part, provider))
            if isinstance(part, OpaquePart) and part.data.get("type") == "message":
                for extras in found:  # what the API said of the text before
                    sent[-1] |= {key: extras[key] for key in ("phase",) if key in extras}
            else:
                sent += found
    return sent


def _item(part: Part, provider: str) -> Iterator[dict[str, Any]]:
    match part:
        case TextPart():
            yield {"role": "assistant", "content": part.text}
        case ToolCallPart():
            arguments = json.dumps(sent_arguments(part))
            yield {"type": "function_call", "call_id": part.id, "name": part.name, "arguments": arguments}
        case ToolResultPart():
            yield {"type": "function_call_output", "call_id": part.call_id, "output": _output(part, provider)}
        case ReasoningPart():
            # Without its encrypted content the API would look it up by its id, and find nothing.
            if part.provider == provider and part.data.get("encrypted_content"):
                yield dict(part.data)
        case OpaquePart():
            if part.provider == provider:
                yield dict(part.data)
        case _:
            raise unsupported(part, provider, "an assistant has text, tool calls and reasoning only")


def _output(result: ToolResultPart, provider: str) -> str | list[dict[str, Any]]:
    text = result_text(result)
    if not result.attachments:
        return text
    return [{"type": "input_text", "text": text}, *(_content(blob, provider) for blob in result.attachments)]


def _content(part: Part, provider: str) -> dict[str, Any]:
    match part:
        case TextPart():
            return {"type": "input_text", "text": part.text}
        case ImagePart():
            return {"type": "input_image", "image_url": blob_url(part), "detail": "auto"}
        case FilePart():
            name = {"filename": part.name or "file"}
            return {"type": "input_file"} | (
                {"file_url": part.url} if part.url else name | {"file_data": blob_url(part)}
            )
        case _:
            raise unsupported(part, provider, "a user message has text, images and files only")


def _text_config(output: OutputSchema | None) -> dict[str, Any]:
    if output is None:
        return {}
    strict = strict_schema(output.json_schema)
    schema = {"schema": strict or output.json_schema, "strict": strict is not None}
    return {"format": {"type": "json_schema", "name": output.name, **schema}}


def _cache_key(instructions: str, tools: list[dict[str, Any]]) -> str:
    """Return a key for the provider's cache, the same for prompts that begin alike."""
    return sha256(json.dumps([instructions, tools]).encode()).hexdigest()[:32]
