"""Anthropic, by the Messages API: must not retry, keeps no state of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import anthropic
import httpx2
from anthropic.types import RawMessageStreamEvent

from ....contracts.errors import InvalidRequest
from ....contracts.message import (
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
from ....contracts.model import Model, OutputSchema
from ....contracts.usage import Usage
from ....contracts.wire.model_call import StopReason
from ...model_adapter import Completion, Delta, ModelRequest, OnDelta
from ..bounded_http import HOOKS
from .anthropic_errors import ANTHROPIC_FAILURES, anthropic_error
from .blob import Blob, blob_text, is_text, unsupported
from .deadline import call_seconds, deadline
from .failures import broken_stream, missing_key
from .output_schema import is_recursive, schema_instructions, strict_schema
from .reading import left_out, merged, stop_reason, usage_of
from .request_body import with_options
from .tool_exchange import sent_arguments, tool_call_part

_BASE_URL = "https://api.anthropic.com"

# The API wants a bound. Every current model may write this much.
_MAX_OUTPUT_TOKENS = 32_000
_IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_CACHED = {"cache_control": {"type": "ephemeral"}}

_STOP_REASONS: dict[str | None, StopReason] = {
    "end_turn": StopReason.END,
    "stop_sequence": StopReason.END,
    "tool_use": StopReason.TOOL_CALLS,
    "max_tokens": StopReason.LENGTH,
    "model_context_window_exceeded": StopReason.LENGTH,
    "refusal": StopReason.REFUSAL,
}


class AnthropicAdapter:
    """Anthropic's models.

    Args:
        api_key: The key. None: every call says which variable is to be set.
        base_url: Another address that speaks the Messages API. None: Anthropic's own.
        provider: The name that it goes by.
        api_key_env: Environment variable of the key, to be named in errors.
        connect_seconds: Longest wait for a connection.
    """

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str | None = None,
        provider: str = "anthropic",
        api_key_env: str = "ANTHROPIC_API_KEY",
        connect_seconds: float = 10.0,
    ) -> None:
        self.provider = provider
        self._api_key = api_key
        self._api_key_env = api_key_env
        self._base_url = base_url or _BASE_URL
        self._connect_seconds = connect_seconds
        self._client: anthropic.AsyncAnthropic | None = None

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        """Send the request and return the model's whole answer, streamed inside.

        Raises:
            ModelError: The call failed; its class says what to do about it.
        """
        body = _to_request(request, self.provider)
        client = self._connected()
        timeout = httpx2.Timeout(call_seconds(request.model), connect=self._connect_seconds)
        async with deadline(request.model):
            try:
                # The body goes as it is: given as arguments, the SDK would walk the whole transcript to transform it.
                stream = await client.messages.create(
                    model="", max_tokens=0, messages=(), stream=True, extra_body=body, timeout=timeout
                )
                async with stream:
                    answer = _Answer(on_delta)
                    async for event in stream:
                        answer.take(event)
                request_id = stream.response.headers.get("request-id", "")
                return _from_response(answer.whole(), self.provider, request_id)
            except ANTHROPIC_FAILURES as error:
                raise anthropic_error(error, request.model, self._api_key_env, self._api_key) from None

    async def close(self) -> None:
        """Close the connections."""
        if self._client:
            await self._client.close()
            self._client = None

    def _connected(self) -> anthropic.AsyncAnthropic:
        if not self._api_key:
            raise missing_key(self._api_key_env)
        if self._client is None:
            http = anthropic.DefaultAsyncHttpxClient(event_hooks=HOOKS)
            self._client = anthropic.AsyncAnthropic(
                api_key=self._api_key, base_url=self._base_url, max_retries=0, http_client=http
            )
        return self._client


def _to_request(request: ModelRequest, provider: str) -> dict[str, Any]:
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


def _from_response(answer: dict[str, Any], provider: str, request_id: str) -> Completion:
    parts = [part for block in answer["content"] for part in _parts(block, provider)]
    stop, note = _map_stop_reason(answer.get("stop_reason"))
    usage = usage_of(answer.get("usage"), _map_usage)
    return Completion(
        message=Message(role=Role.ASSISTANT, parts=tuple(parts)),
        model=answer["model"],
        stop=stop,
        usage=usage or Usage(),
        usage_known=usage is not None,
        request_id=request_id or answer.get("id") or "",
        note=answer["note"] or note,
    )


def _map_stop_reason(reason: object) -> tuple[StopReason, str]:
    if reason == "pause_turn":
        raise InvalidRequest(
            "stop reason 'pause_turn': a tool of the provider's own wants more turns, "
            "which is not supported: leave it out of Model.options"
        )
    return stop_reason(reason, _STOP_REASONS)


def _map_usage(usage: dict[str, Any]) -> Usage:
    cached = usage.get("cache_read_input_tokens") or 0
    written = usage.get("cache_creation_input_tokens") or 0
    return Usage(
        # The API leaves the cached ones out of its count.
        input_tokens=(usage.get("input_tokens") or 0) + cached + written,
        cached_tokens=cached,
        cache_write_tokens=written,
        output_tokens=usage.get("output_tokens") or 0,
        reasoning_tokens=(usage.get("output_tokens_details") or {}).get("thinking_tokens") or 0,
    )


class _Answer:
    """Puts a streamed answer together."""

    def __init__(self, on_delta: OnDelta | None) -> None:
        self._on_delta = on_delta
        self._message: dict[str, Any] = {}
        self._blocks: dict[int, dict[str, Any]] = {}
        self._ended = False
        self._note = ""

    def take(self, event: RawMessageStreamEvent) -> None:
        match event.type:
            case "message_start":
                self._message = event.message.to_dict(mode="json", warnings=False)
            case "content_block_start":
                self._blocks[event.index] = event.content_block.to_dict(mode="json", warnings=False)
            case "content_block_delta":
                self._extend(self._blocks[event.index], event.delta.to_dict(mode="json", warnings=False))
            case "message_delta":
                self._message["stop_reason"] = event.delta.stop_reason
                self._message["usage"] = merged(self._message.get("usage"), event.usage)
            case "message_stop":
                self._ended = True
            case _:
                pass  # new events may come, by the API's own rules; what belongs to a block is checked above

    def whole(self) -> dict[str, Any]:
        if not self._ended:
            raise broken_stream("message_stop")
        return self._message | {"content": [self._blocks[i] for i in sorted(self._blocks)], "note": self._note}

    def _extend(self, block: dict[str, Any], delta: dict[str, Any]) -> None:
        match delta["type"]:
            case "text_delta":
                self._append(block, "text", delta["text"], "text")
            case "thinking_delta":
                self._append(block, "thinking", delta["thinking"], "reasoning")
            case "input_json_delta":
                kind = "tool_call" if block["type"] == "tool_use" else ""
                self._append(block, "input_json", delta["partial_json"], kind)
            case "signature_delta":
                block["signature"] = delta["signature"]
            case "citations_delta":
                block["citations"] = [*(block.get("citations") or ()), delta["citation"]]
            case unknown:
                self._note = left_out([unknown])

    def _append(self, block: dict[str, Any], field: str, text: str, kind: str) -> None:
        block[field] = block.get(field, "") + text
        if self._on_delta and kind and text:
            self._on_delta(Delta(kind, text))


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


def _parts(block: dict[str, Any], provider: str) -> Iterator[Part]:
    match block["type"]:
        case "text":
            if block["text"]:
                yield TextPart(text=block["text"])
            if block["text"] and block.get("citations"):
                yield OpaquePart(provider=provider, data={"type": "text", "citations": block["citations"]})
        case "thinking":
            yield ReasoningPart(provider=provider, text=block.get("thinking", ""), data=block)
        case "redacted_thinking":
            yield ReasoningPart(provider=provider, data=block)
        case "tool_use":
            raw = block.get("input_json") or json.dumps(block.get("input") or {})
            yield tool_call_part(block["id"], block["name"], raw)
        case _:
            written = block.pop("input_json", None)
            yield OpaquePart(provider=provider, data=block | ({"input": json.loads(written)} if written else {}))


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
