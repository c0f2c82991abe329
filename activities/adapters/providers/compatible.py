"""Any provider with Chat Completions: must not retry, keeps no state of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import httpx2
import openai
from openai.types.chat import ChatCompletionChunk

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
from .blob import blob_text, blob_url, is_text, unsupported
from .deadline import call_seconds, deadline
from .failures import broken_stream, missing_key
from .openai_errors import OPENAI_FAILURES, openai_error
from .output_schema import strict_schema
from .reading import left_out, plain, stop_reason, usage_of
from .request_body import with_options
from .tool_exchange import result_text, sent_arguments, tool_call_part

# No two providers agree what their models' thinking is called.
_REASONING_TEXT = ("reasoning_content", "reasoning")
_REASONING_BLOCKS = "reasoning_details"

_STOP_REASONS: dict[str | None, StopReason] = {
    "stop": StopReason.END,
    "tool_calls": StopReason.TOOL_CALLS,
    "length": StopReason.LENGTH,
}


class CompatibleAdapter:
    """The models of a provider that speaks Chat Completions.

    Args:
        provider: The name that it goes by.
        base_url: Its address, up to and without `/chat/completions`.
        api_key: The key. None: every call says which variable is to be set, unless there is none.
        api_key_env: Environment variable of the key, to be named in errors. Empty: the provider needs no key.
        connect_seconds: Longest wait for a connection.
    """

    def __init__(
        self,
        *,
        provider: str,
        base_url: str,
        api_key: str | None = None,
        api_key_env: str = "",
        connect_seconds: float = 10.0,
    ) -> None:
        self.provider = provider
        self._api_key = api_key
        self._api_key_env = api_key_env
        self._base_url = base_url
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
                stream = await client.chat.completions.create(
                    model="", messages=(), stream=True, extra_body=body, timeout=timeout
                )
                async with stream:
                    answer = _Answer(on_delta)
                    async for chunk in stream:
                        answer.take(chunk)
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
        if not self._api_key and self._api_key_env:
            raise missing_key(self._api_key_env)
        if self._client is None:
            self._client = openai.AsyncOpenAI(
                api_key=self._api_key or "none",  # the SDK insists on one
                base_url=self._base_url,
                max_retries=0,
                # Given as None, the SDK takes OpenAI's from the environment: they are no one else's business.
                organization="",
                project="",
                admin_api_key="",
                http_client=openai.DefaultAsyncHttpxClient(event_hooks=HOOKS),
            )
        return self._client


def _to_request(request: ModelRequest, provider: str) -> dict[str, Any]:
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


def _from_response(answer: dict[str, Any], provider: str, request_id: str) -> Completion:
    message = Message(role=Role.ASSISTANT, parts=tuple(_parts(answer, provider)))
    stop, note = _map_stop_reason(answer["finish_reason"])
    if stop is StopReason.END and answer["refusal"]:
        stop = StopReason.REFUSAL
    elif stop is StopReason.END and message.tool_calls:
        stop = StopReason.TOOL_CALLS
    usage = usage_of(answer["usage"], _map_usage)
    return Completion(
        message=message,
        model=answer["model"],
        stop=stop,
        usage=usage or Usage(),
        usage_known=usage is not None,
        request_id=request_id or answer["id"],
        note=answer["note"] or note,
    )


def _map_stop_reason(reason: object) -> tuple[StopReason, str]:
    if reason == "content_filter":
        raise ContentFiltered("the provider's content filter broke off the answer")
    return stop_reason(reason, _STOP_REASONS)


def _map_usage(usage: dict[str, Any]) -> Usage:
    details = usage.get("prompt_tokens_details") or {}
    return Usage(
        input_tokens=usage.get("prompt_tokens") or 0,
        cached_tokens=details.get("cached_tokens") or 0,
        cache_write_tokens=details.get("cache_write_tokens") or 0,
        output_tokens=usage.get("completion_tokens") or 0,
        reasoning_tokens=(usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0,
    )


class _Answer:
    """Puts a streamed answer together."""

    def __init__(self, on_delta: OnDelta | None) -> None:
        self._on_delta = on_delta
        self._texts = {"content": "", "refusal": ""}
        self._reasoning: dict[str, Any] = {}
        self._calls: list[dict[str, str]] = []
        self._open: dict[int, dict[str, str]] = {}
        self._head: dict[str, Any] = {"id": "", "model": "", "usage": {}, "finish_reason": None, "note": ""}

    def take(self, chunk: ChatCompletionChunk) -> None:
        self._head |= {"id": chunk.id or self._head["id"], "model": chunk.model or self._head["model"]}
        if chunk.usage:
            self._head["usage"] = plain(chunk.usage)
        for choice in chunk.choices:
            self._extend(choice.delta.to_dict(mode="json", warnings=False))
            self._head["finish_reason"] = choice.finish_reason or self._head["finish_reason"]

    def whole(self) -> dict[str, Any]:
        if self._head["finish_reason"] is None:
            raise broken_stream("finish_reason")
        return self._head | self._texts | {"reasoning": self._reasoning, "tool_calls": self._calls}

    def _extend(self, delta: dict[str, Any]) -> None:
        if delta.get("function_call") or delta.get("audio"):
            self._head["note"] = left_out(delta)
        for field in _REASONING_TEXT:
            if delta.get(field):
                self._reasoning[field] = self._reasoning.get(field, "") + delta[field]
                self._tell("reasoning", delta[field])
        if delta.get(_REASONING_BLOCKS):
            self._reasoning[_REASONING_BLOCKS] = [
                *self._reasoning.get(_REASONING_BLOCKS, ()),
                *delta[_REASONING_BLOCKS],
            ]
        for field in self._texts:
            if delta.get(field):
                self._texts[field] += delta[field]
                self._tell("text", delta[field])
        for call in delta.get("tool_calls") or ():
            self._extend_call(call)

    def _extend_call(self, piece: dict[str, Any]) -> None:
        index = piece.get("index") or 0
        call = self._open.get(index)
        # Some servers number all calls alike, and tell them apart by their ids alone.
        if call is None or piece.get("id") not in (None, "", call["id"]):
            call = self._open[index] = {"id": piece.get("id") or "", "name": "", "arguments": ""}
            self._calls.append(call)
        function = piece.get("function") or {}
        call["name"] = call["name"] or function.get("name") or ""
        if function.get("arguments"):
            call["arguments"] += function["arguments"]
            self._tell("tool_call", function["arguments"])

    def _tell(self, kind: str, text: str) -> None:
        if self._on_delta:
            self._on_delta(Delta(kind, text))


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


def _parts(answer: dict[str, Any], provider: str) -> Iterable[Part]:
    reasoning = answer["reasoning"]
    if reasoning:
        text = next((reasoning[field] for field in _REASONING_TEXT if field in reasoning), "")
        yield ReasoningPart(provider=provider, text=text, data=reasoning)
    text = answer["content"] + answer["refusal"]
    if text:
        yield TextPart(text=text)
    for call in answer["tool_calls"]:
        yield tool_call_part(call["id"], call["name"], call["arguments"])


def _response_format(output: OutputSchema | None) -> dict[str, Any]:
    if output is None:
        return {}
    strict = strict_schema(output.json_schema)
    schema = {"schema": strict or output.json_schema, "strict": strict is not None}
    return {"type": "json_schema", "json_schema": {"name": output.name, **schema}}
