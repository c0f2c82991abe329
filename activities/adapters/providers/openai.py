"""OpenAI, by the Responses API: must not retry, keeps no state of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

import httpx2
import openai
from openai.types.responses import ResponseStreamEvent

from ....contracts.errors import ContentFiltered
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
from ....contracts.model import OutputSchema
from ....contracts.usage import Usage
from ....contracts.wire.model_call import StopReason
from ...model_adapter import Completion, Delta, ModelRequest, OnDelta
from ..bounded_http import HOOKS
from .blob import blob_url, unsupported
from .deadline import call_seconds, deadline
from .failures import FailedStreamError, Failure, broken_stream, missing_key
from .openai_errors import OPENAI_FAILURES, openai_error
from .output_schema import strict_schema
from .reading import left_out, stop_reason, usage_of
from .request_body import with_options
from .tool_exchange import result_text, sent_arguments, tool_call_part

_BASE_URL = "https://api.openai.com/v1"

# They have no reasoning, and refuse to be asked for it in encrypted form.
_WITHOUT_REASONING = ("gpt-3.5", "gpt-4", "gpt-5-chat", "chatgpt-")

_DELTAS = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "text",
    "response.reasoning_summary_text.delta": "reasoning",
    "response.reasoning_text.delta": "reasoning",
    "response.function_call_arguments.delta": "tool_call",
}

_STOP_REASONS: dict[str | None, StopReason] = {
    "completed": StopReason.END,
    "max_output_tokens": StopReason.LENGTH,
}


_KNOWN = ("output_text", "refusal")


class OpenAIAdapter:
    """OpenAI's models.

    Args:
        api_key: The key. None: every call says which variable is to be set.
        base_url: Another address that speaks the Responses API, up to `/v1`. None: OpenAI's own.
        provider: The name that it goes by.
        api_key_env: Environment variable of the key, to be named in errors.
        connect_seconds: Longest wait for a connection.
    """

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str | None = None,
        provider: str = "openai",
        api_key_env: str = "OPENAI_API_KEY",
        connect_seconds: float = 10.0,
    ) -> None:
        self.provider = provider
        self._api_key = api_key
        self._api_key_env = api_key_env
        self._base_url = base_url or _BASE_URL
        self._connect_seconds = connect_seconds
        self._client: openai.AsyncOpenAI | None = None

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
                stream = await client.responses.create(stream=True, extra_body=body, timeout=timeout)
                async with stream:
                    answer = _Answer(on_delta)
                    async for event in stream:
                        answer.take(event)
                request_id = stream.response.headers.get("x-request-id", "")
                return _from_response(answer.whole(), self.provider, request_id)
            except OPENAI_FAILURES as error:
                raise openai_error(error, request.model, self._api_key_env, self._api_key) from None

    async def close(self) -> None:
        """Close the connections."""
        if self._client:
            await self._client.close()
            self._client = None

    def _connected(self) -> openai.AsyncOpenAI:
        if not self._api_key:
            raise missing_key(self._api_key_env)
        if self._client is None:
            http = openai.DefaultAsyncHttpxClient(event_hooks=HOOKS)
            self._client = openai.AsyncOpenAI(
                api_key=self._api_key, base_url=self._base_url, max_retries=0, http_client=http
            )
        return self._client


def _to_request(request: ModelRequest, provider: str) -> dict[str, Any]:
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


def _from_response(answer: dict[str, Any], provider: str, request_id: str) -> Completion:
    parts = [part for item in answer["output"] for part in _parts(item, provider)]
    message = Message(role=Role.ASSISTANT, parts=tuple(parts))
    stop, note = _map_stop_reason(_reason(answer))
    if stop is StopReason.END and _refused(answer):
        stop = StopReason.REFUSAL
    elif stop is StopReason.END and message.tool_calls:
        stop = StopReason.TOOL_CALLS
    usage = usage_of(answer.get("usage"), _map_usage)
    return Completion(
        message=message,
        model=answer["model"],
        stop=stop,
        usage=usage or Usage(),
        usage_known=usage is not None,
        request_id=request_id or answer.get("id") or "",
        note=_unknown(answer) or note,
    )


def _map_stop_reason(reason: object) -> tuple[StopReason, str]:
    if reason == "content_filter":
        raise ContentFiltered("the provider's content filter broke off the answer")
    return stop_reason(reason, _STOP_REASONS)


def _map_usage(usage: dict[str, Any]) -> Usage:
    details = usage.get("input_tokens_details") or {}
    return Usage(
        input_tokens=usage.get("input_tokens") or 0,
        cached_tokens=details.get("cached_tokens") or 0,
        cache_write_tokens=details.get("cache_write_tokens") or 0,
        output_tokens=usage.get("output_tokens") or 0,
        reasoning_tokens=(usage.get("output_tokens_details") or {}).get("reasoning_tokens") or 0,
    )


class _Answer:
    """Puts a streamed answer together."""

    def __init__(self, on_delta: OnDelta | None) -> None:
        self._on_delta = on_delta
        self._items: dict[int, dict[str, Any]] = {}
        self._response: dict[str, Any] = {}

    def take(self, event: ResponseStreamEvent) -> None:
        match event.type:
            case "response.output_item.done":
                self._items[event.output_index] = event.item.to_dict(mode="json", warnings=False)
            case "response.completed" | "response.incomplete":
                self._response = event.response.to_dict(mode="json", warnings=False)
            case "response.failed":
                error = event.response.error
                raise FailedStreamError(
                    Failure(error.message, codes=(error.code,)) if error else Failure("the response failed")
                )
            case "error":
                raise FailedStreamError(Failure(event.message, codes=(event.code,)))
            case _:
                # Other events tell the same in smaller pieces, and new ones may come: the end of the stream decides.
                self._tell(event.to_dict(mode="json", warnings=False))

    def whole(self) -> dict[str, Any]:
        if not self._response:
            raise broken_stream("response.completed")
        items = [self._items[index] for index in sorted(self._items)]
        return self._response | {"output": items or self._response["output"]}

    def _tell(self, event: dict[str, Any]) -> None:
        kind = _DELTAS.get(event["type"])
        if kind and self._on_delta:
            self._on_delta(Delta(kind, event["delta"]))


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


def _parts(item: dict[str, Any], provider: str) -> Iterator[Part]:
    match item["type"]:
        case "message":
            yield from _message_parts(item, provider)
        case "reasoning":
            texts = [piece["text"] for piece in (item.get("summary") or item.get("content") or ())]
            yield ReasoningPart(provider=provider, text="\n\n".join(texts), data=item)
        case "function_call":
            yield tool_call_part(item["call_id"], item["name"], item["arguments"])
        case _:
            yield OpaquePart(provider=provider, data=item)


def _message_parts(item: dict[str, Any], provider: str) -> Iterator[Part]:
    extras = {key: item[key] for key in ("phase",) if item.get(key)}
    text = ""
    for piece in item["content"]:
        if piece["type"] not in _KNOWN:
            continue
        text += piece.get("text") or piece.get("refusal") or ""
        if piece.get("annotations"):
            extras["annotations"] = [*extras.get("annotations", ()), *piece["annotations"]]
    if text:
        yield TextPart(text=text)
        if extras:
            yield OpaquePart(provider=provider, data={"type": "message", **extras})


def _unknown(answer: dict[str, Any]) -> str:
    pieces = (piece["type"] for item in answer["output"] if item["type"] == "message" for piece in item["content"])
    return left_out(kind for kind in pieces if kind not in _KNOWN)


def _reason(answer: dict[str, Any]) -> str | None:
    if answer.get("status") != "incomplete":
        return answer.get("status")
    return (answer.get("incomplete_details") or {}).get("reason")


def _refused(answer: dict[str, Any]) -> bool:
    return any(piece["type"] == "refusal" for item in answer["output"] for piece in item.get("content") or ())


def _text_config(output: OutputSchema | None) -> dict[str, Any]:
    if output is None:
        return {}
    strict = strict_schema(output.json_schema)
    schema = {"schema": strict or output.json_schema, "strict": strict is not None}
    return {"format": {"type": "json_schema", "name": output.name, **schema}}


def _cache_key(instructions: str, tools: list[dict[str, Any]]) -> str:
    """Return a key for the provider's cache, the same for prompts that begin alike."""
    return sha256(json.dumps([instructions, tools]).encode()).hexdigest()[:32]
